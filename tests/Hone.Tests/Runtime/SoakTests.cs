using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Runtime;

/// <summary>Tests that look at the whole heap run alone, after the others.</summary>
[CollectionDefinition(nameof(MemoryCollection), DisableParallelization = true)]
public sealed class MemoryCollection;

[Collection(nameof(MemoryCollection))]
public sealed class SoakTests
{
    /// <summary>A hundred thousand calls leave nothing behind: no history, no trace, no cache grows unless asked for.</summary>
    [Fact]
    public async Task RunAsync_HundredThousandCalls_KeepTheHeapFlat()
    {
        var program = Predict.Parse("question -> answer").WithModel(new Constant());
        await RunAsync(program, 10_000);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await RunAsync(program, 90_000);
        var after = GC.GetTotalMemory(forceFullCollection: true);
        Assert.True(after - before < 2_000_000, $"The heap grew by {after - before} bytes.");
    }

    /// <summary>D50: nor does a scope around a whole process keep its prompts.</summary>
    [Fact]
    public async Task RunAsync_InsideAScope_KeepsTheHeapFlat()
    {
        using var scope = HoneScope.Use(new Constant());
        var program = Predict.Parse("question -> answer").WithModel(new Constant());
        await RunAsync(program, 5_000);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await RunAsync(program, 30_000);
        var after = GC.GetTotalMemory(forceFullCollection: true);
        Assert.True(after - before < 3_000_000, $"The heap grew by {after - before} bytes.");
        Assert.Equal(35_000, scope.Trace.Usage.Calls);
        Assert.InRange(scope.Trace.Nested.Length, 1_000, 2_000);
    }

    private static async Task RunAsync(Program<FieldMap, FieldMap> program, int calls)
    {
        for (var i = 0; i < calls; i++)
            await program.CallAsync(FieldMap.Of(("question", $"number {i}")), TestContext.Current.CancellationToken);
    }

    // The scripted client remembers its requests; this one remembers nothing.
    private sealed class Constant : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(ScriptedChatClient.Respond("[[ ## answer ## ]]\nyes"));

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
