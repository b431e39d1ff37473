using Hone.Optimizers;
using Hone.Testing;

namespace Hone.Tests.Optimizers.Finetune;

/// <summary>Scenario TRACE-1.</summary>
public sealed class TracedRunsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task Every_example_has_a_record_whatever_became_of_it(int parallelism)
    {
        var client = ScriptedChatClient.By((request, _) =>
            request.LastText.Contains("q2", StringComparison.Ordinal) ? "[[ ## answer ## ]]\nhalf\n"
            : request.LastText.Contains("q3", StringComparison.Ordinal) ? throw new InvalidOperationException("down")
            : ScriptedChatClient.ChatText(FieldMap.Of(("answer", "a1"), ("reason", "r"))));
        var program = Predict.Parse("question -> answer, reason").WithModel(new LM(client) { Retry = null }).WithRecovery(RecoveryPolicy.None);
        var runs = await TracedRuns.CollectAsync(program, Lab.Examples(3), Lab.Exact, new() { MaxParallelism = parallelism }, TestContext.Current.CancellationToken);
        Assert.Equal([TracedStatus.Ok, TracedStatus.ParseFailed, TracedStatus.Crashed], runs.Select(run => run.Status));
        Assert.Equal([1, -0.5, 0], runs.Select(run => run.Score!.Value));
        Assert.Equal([0, 1, 2], runs.Select(run => run.Index));
        Assert.Contains("half", runs[1].Trace.Calls[0].Text, StringComparison.Ordinal);
        Assert.NotNull(runs[1].Trace.Calls[0].Failure);
        Assert.Null(runs[0].Error);

        // A judge with a time limit of its own cancels itself and not the collection.
        Metric<FieldMap, FieldMap> slow = (_, _, _) => throw new TaskCanceledException("the judge took too long");
        runs = await TracedRuns.CollectAsync(program, Lab.Examples(3), slow, new() { MaxParallelism = parallelism }, TestContext.Current.CancellationToken);
        Assert.Equal([TracedStatus.Crashed, TracedStatus.ParseFailed, TracedStatus.Crashed], runs.Select(run => run.Status));
        Assert.Contains("took too long", runs[0].Error!.Message, StringComparison.Ordinal);
        Assert.All((await TracedRuns.CollectAsync(program, Lab.Examples(3), cancellationToken: TestContext.Current.CancellationToken)), run => Assert.Null(run.Score));
    }
}
