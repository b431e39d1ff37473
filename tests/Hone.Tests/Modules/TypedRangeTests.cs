using Hone.Testing;

namespace Hone.Tests.Modules;

public sealed class TypedRangeTests
{
    public sealed record Counted(int Count, IReadOnlyList<byte> Parts);

    /// <summary>A number that its .NET type cannot hold is an unreadable answer: recorded, and recovered from.</summary>
    [Theory]
    [InlineData("99999999999", "[1]")]
    [InlineData("1", "[1, 300]")]
    public async Task RunAsync_NumberOutOfRange_IsAskedForAgain(string count, string parts)
    {
        var client = ScriptedChatClient.InSequence(
            $"[[ ## count ## ]]\n{count}\n\n[[ ## parts ## ]]\n{parts}", "[[ ## count ## ]]\n2\n\n[[ ## parts ## ]]\n[3]");
        var run = await new Predict<string, Counted>().WithModel(client).RunAsync("x", null, TestContext.Current.CancellationToken);
        Assert.Equal(2, run.Value.Count);
        Assert.Equal([3], run.Value.Parts);
        Assert.Equal(ParseFailureKind.Constraint, run.Trace.Calls[0].Failure!.Kind);
        Assert.Contains("does not fit into", client.Requests[1].LastText, StringComparison.Ordinal);
    }
}
