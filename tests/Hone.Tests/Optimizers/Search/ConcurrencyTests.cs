using Hone.Optimizers;
using Hone.Testing;

namespace Hone.Tests.Optimizers.Search;

/// <summary>One limiter for the whole run: it is used up where there is work, and never exceeded.</summary>
public sealed class ConcurrencyTests
{
    private const int Validation = 12;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(12)]
    public async Task As_many_units_as_allowed_run_at_once_and_never_more(int parallelism)
    {
        var gate = new Lock();
        var (active, most) = (0, 0);
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // A call is answered when as many as are allowed are under way: with fewer at once, nobody would ever be.
        var client = ScriptedChatClient.ByAsync(async (_, _, cancellationToken) =>
        {
            Task ready;
            lock (gate)
            {
                most = Math.Max(most, ++active);
                ready = all.Task;
                if (active == parallelism)
                {
                    all.SetResult();
                    all = new(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }

            await ready.WaitAsync(TimeSpan.FromMinutes(1), cancellationToken);
            lock (gate)
                active--;
            return ScriptedChatClient.Respond(ScriptedChatClient.ChatText(Lab.Answer("wrong")));
        });
        var program = Predict.Parse("question -> answer").WithModel(new LM(client, "counting") { Retry = null });

        // Three candidates side by side: they share the limiter.
        var options = new BootstrapRandomSearchOptions { Candidates = 0, MaxBootstrappedDemos = 0, CandidatesAtOnce = 3, PerfectScore = null, MaxParallelism = parallelism };
        var result = await new BootstrapRandomSearch<FieldMap, FieldMap>(Lab.Exact, options).CompileAsync(program, Lab.Examples(24), Lab.Examples(Validation, "v"), Token);
        Assert.Equal(4, result.Candidates.Length);
        Assert.Equal(parallelism, most);
        Assert.Equal(0, result.ProgramRuns % Validation);
    }
}
