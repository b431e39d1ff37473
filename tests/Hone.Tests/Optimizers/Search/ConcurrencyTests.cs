using System.Collections.Concurrent;
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
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // The first calls are answered when as many as are allowed are under way: with fewer at once, nobody would ever be.
        var client = ScriptedChatClient.ByAsync(async (_, _, cancellationToken) =>
        {
            lock (gate)
            {
                most = Math.Max(most, ++active);
                if (active == parallelism)
                    open.TrySetResult();
            }

            await open.Task.WaitAsync(TimeSpan.FromMinutes(1), cancellationToken);
            for (var i = 0; i < 20; i++)
                await Task.Yield();
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

    /// <summary>What needs no score is asked beside the first scores, and only a question that has to be asked.</summary>
    [Theory]
    [InlineData("copro")]
    [InlineData("rules")]
    [InlineData("mipro")]
    public async Task Questions_that_need_no_score_are_asked_beside_the_first_scores(string optimizer)
    {
        // Nobody is answered before five calls are under way: three runs and two questions.
        const int Together = 5;
        var roles = new ConcurrentQueue<string>();
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var client = ScriptedChatClient.ByAsync(async (request, _, cancellationToken) =>
        {
            roles.Enqueue((request.Options as HoneChatOptions)!.Role!);
            if (roles.Count >= Together)
                open.TrySetResult();
            await open.Task.WaitAsync(TimeSpan.FromMinutes(1), cancellationToken);
            return ScriptedChatClient.Respond(ScriptedChatClient.ChatText(Everything));
        });
        var program = Predict.Parse("question -> answer").WithModel(new LM(client, "waiting") { Retry = null });
        var result = await Make(optimizer, new()).CompileAsync(program, Lab.Examples(4), Lab.Examples(3, "v"), Token);
        Assert.Equal(StopReason.Completed, result.StopReason);
        Assert.Equal(["prompt", "prompt", "task", "task", "task"], roles.Take(Together).Order());
    }

    [Theory]
    [InlineData("copro")]
    [InlineData("rules")]
    [InlineData("mipro")]
    public async Task A_question_asked_beside_scores_that_fails_costs_none_of_them(string optimizer)
    {
        var client = ScriptedChatClient.ByAsync((request, _, _) => (request.Options as HoneChatOptions)!.Role == "prompt"
            ? throw new LMServerException("away")
            : Task.FromResult(ScriptedChatClient.Respond(ScriptedChatClient.ChatText(Everything))));
        var program = Predict.Parse("question -> answer").WithModel(new LM(client, "half away") { Retry = null });
        var result = await Make(optimizer, new() { OutageRetries = 0 }).CompileAsync(program, Lab.Examples(4), Lab.Examples(3, "v"), Token);
        Assert.Equal((StopReason.Outage, 0), (result.StopReason, result.BestIndex));
        Assert.Equal(3, result.Candidates[0].Scores.Length);

        // A limit of the questions alone ends the search after the first scores, too.
        var limits = new OptimizationBudget().ByRole.Add("prompt", new() { MaxCalls = 0 });
        result = await Make(optimizer, new() { Budget = new() { ByRole = limits } }).CompileAsync(program, Lab.Examples(4), Lab.Examples(3, "v"), Token);
        Assert.Equal(StopReason.CallBudget, result.StopReason);
        Assert.Equal(3, result.Candidates[0].Scores.Length);
    }

    private static FieldMap Everything => FieldMap.Of(
        ("reasoning", "none"), ("answer", "wrong"), ("proposed_instructions", "other"), ("observations", "none"), ("description", "none"), ("rules", "none"));

    private static PromptOptimizer<FieldMap, FieldMap> Make(string optimizer, LabeledFewShotOptions common)
    {
        var metric = Metric.From<FieldMap, FieldMap>((_, _) => 0.5);
        return optimizer switch
        {
            "copro" => new Copro<FieldMap, FieldMap>(metric, Of(new CoproOptions { Breadth = 3, Depth = 1 })),
            "rules" => new InferRules<FieldMap, FieldMap>(metric, Of(new InferRulesOptions { Candidates = 2 })),
            _ => new MiproV2<FieldMap, FieldMap>(metric, Of(new MiproV2Options { Auto = null, Candidates = 2, Trials = 2, Minibatch = false })),
        };

        TOptions Of<TOptions>(TOptions options)
            where TOptions : OptimizerOptions =>
            (TOptions)((OptimizerOptions)options with { OutageRetries = common.OutageRetries, Budget = common.Budget });
    }
}
