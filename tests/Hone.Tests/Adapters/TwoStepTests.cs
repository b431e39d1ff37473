using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Adapters;

public sealed class TwoStepTests
{
    private static readonly FieldMap Question = FieldMap.Of(("question", "q"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Two calls are how the adapter works; none of them is a repair.</summary>
    [Fact]
    public async Task RunAsync_SecondCall_IsNoRecovery()
    {
        var client = ScriptedChatClient.InSequence("It is forty-two.", "[[ ## answer ## ]]\n42");
        var run = await Program(client).RunAsync(Question, null, Token);

        Assert.Equal(42L, run.Value["answer"]);
        Assert.Equal(0, run.RecoveryCount);
        Assert.Equal([false, true], run.Trace.Calls.Select(call => call.IsFollowUp));
        Assert.Equal([0, 1], run.Trace.Calls.Select(call => call.Attempt));
    }

    [Fact]
    public async Task RunAsync_SecondCallUnreadable_ItsReAskCounts()
    {
        var client = ScriptedChatClient.InSequence("It is forty-two.", "forty-two", "[[ ## answer ## ]]\n42");
        var run = await Program(client).RunAsync(Question, null, Token);

        Assert.Equal(42L, run.Value["answer"]);
        Assert.Equal(1, run.RecoveryCount);
        Assert.Equal([false, true, false], run.Trace.Calls.Select(call => call.IsFollowUp));
    }

    /// <summary>What a cut answer did not come to say would be made up by the second call.</summary>
    [Theory]
    [InlineData("length", ParseFailureKind.Truncated)]
    [InlineData("content_filter", ParseFailureKind.Refused)]
    public async Task RunAsync_FirstAnswerCutOrDeclined_IsNotRead(string reason, ParseFailureKind kind)
    {
        var client = ScriptedChatClient.ByAsync((_, _, _) =>
        {
            var response = ScriptedChatClient.Respond("It is forty-");
            response.FinishReason = new ChatFinishReason(reason);
            return Task.FromResult(response);
        });
        var error = await Assert.ThrowsAsync<AdapterParseException>(() => Program(client).RunAsync(Question, null, Token));

        Assert.Equal(kind, error.Kind);
        Assert.Single(client.Requests);
    }

    private static Program<FieldMap, FieldMap> Program(IChatClient client) =>
        Predict.Parse("question -> answer: int").WithModel(client).WithAdapter(new TwoStepAdapter());
}
