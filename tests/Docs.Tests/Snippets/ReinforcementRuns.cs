using System.Collections.Immutable;
using Hone;
using Hone.Engine;
using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;

namespace Docs.Tests.Snippets.ReinforcementRuns;

public sealed record Question(string Text);

public sealed record Answer(string Reply);

public sealed class ReinforcementRunTests
{
    private static readonly Example<Question, Answer>[] Examples = [.. Enumerable.Range(0, 8).Select(i => new Example<Question, Answer>(new($"q{i}"), new("right")))];

    private static readonly Metric<Question, Answer> ExactMatch = Metric.From<Question, Answer>((example, answer) => example.Expected.Reply == answer.Reply);

    private static Program<Question, Answer> Program => new Predict<Question, Answer>("Answer.").WithModel(new LM(new ToyPolicy(
        new ToyChoice("[[ ## reply ## ]]", Completion("right"), Completion("wrong"), Completion("worse"))), "toy"));

    [Fact]
    public async Task Runs_First_And_Check()
    {
        var (program, metric, train, validation) = (Program, ExactMatch, Examples, Examples);
        using var output = new StringWriter();
        var Console = output;
        #region runs-first
        var grpo = Grpo.Create(metric, new()
        {
            Steps = 30,
            ExamplesPerStep = 2,
            RolloutsPerExample = 8,
            LearningRate = 1,
            Budget = new() { MaxDuration = TimeSpan.FromMinutes(10), MaxExternalCalls = 5_000 },
            Collapse = new(),
        });
        var result = await grpo.CompileAsync(program, train, validation);
        Console.WriteLine(result.Verdict);
        #endregion
        Assert.Contains("after", output.ToString(), StringComparison.Ordinal);
        #region runs-check
        PreflightReport report = await grpo.CheckAsync(program, train, validation);
        foreach (var finding in report.Findings)
            Console.WriteLine($"{finding.Severity}: {finding.Message}");
        Console.WriteLine($"{report.Estimate.Duration}, {report.Estimate.ExternalCalls} external calls");
        #endregion
        Assert.Contains("external calls", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Runs_WarmStart()
    {
        var program = Predict.Parse("colour -> action").WithModel(EngineLM.Embedded());
        var examples = new[] { (Colour: "red", Action: "stop"), (Colour: "green", Action: "go") };
        #region runs-warm-start
        var demonstrations = examples.Select(example =>
            Demonstration.Of(program, "self", FieldMap.Of(("colour", example.Colour)), FieldMap.Of(("action", example.Action)))).ToArray();
        var tuned = await new SupervisedTuning<FieldMap, FieldMap>(new() { Epochs = 3, LearningRate = 5e-4 }).CompileAsync(program, demonstrations);
        #endregion
        Assert.Equal(3, tuned.Losses.Count);
        Assert.True(tuned.Losses[^1] < tuned.Losses[0]);
    }

    private static string Completion(string reply) => $"[[ ## reply ## ]]\n{reply}\n\n[[ ## completed ## ]]";

    [Fact]
    public async Task Runs_Counterfactual()
    {
        var (program, metric, example) = (Program, ExactMatch, Examples[0]);
        var run = await program.RunAsync(example.Input, new() { Seed = 1 }, TestContext.Current.CancellationToken);
        using var output = new StringWriter();
        var Console = output;
        #region runs-counterfactual
        foreach (var result in await Counterfactual.OfRunAsync(program, example, run, metric, new() { Samples = 8 }))
            Console.WriteLine($"{result.Call.Path} {result.Call.Ordinal}: {result.Advantage:+0.00;-0.00}");
        #endregion
        Assert.StartsWith("self 0: ", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rewards_Parts_And_Credit()
    {
        #region rewards-parts
        Metric<Query, Delegation> metric = (example, prediction, cancellationToken) =>
        {
            var told = example.Expected.Details.Count(detail => prediction.Value.Request.Contains(detail, StringComparison.OrdinalIgnoreCase));
            var quality = prediction.Value.Answer == example.Expected.Answer ? 1 : 0;
            var privacy = 1 - (told / (double)Math.Max(1, example.Expected.Details.Count));
            return ValueTask.FromResult(new Score((quality + privacy) / 2)
            {
                Parts = ImmutableSortedDictionary<string, double>.Empty.Add("quality", quality).Add("privacy", privacy),
                Feedback = told == 0 ? "Nothing personal was told." : $"{told} personal details were told.",
            });
        };
        #endregion
        #region rewards-credit
        var options = new GrpoOptions
        {
            Credit = (rollout, call) => call.Path == "craft_redacted_request"
                ? rollout.Parts["privacy"]          // what leaked is this step's doing alone
                : rollout.Reward,
        };
        #endregion
        #region rewards-shaping
        var brief = new GrpoOptions
        {
            Credit = (rollout, call) => rollout.Reward
                + RewardShaping.SoftOverlong(call.Tokens!.CompletionIds.Count, longest: 512, cache: 128)
                + RewardShaping.RepetitionPenalty(call.Tokens.CompletionIds),
        };
        #endregion
        var tokens = new SampledTokens([1], [.. Enumerable.Range(0, 448)], [], 0, 1, false);
        var call = new PredictorCall
        {
            Path = "self",
            Ordinal = 0,
            Signature = Signature.Parse("q -> a"),
            Inputs = FieldMap.Empty,
            Messages = [],
            Model = "m",
            Adapter = "chat",
            Text = "",
            Tokens = tokens,
        };
        var rolled = new Rollout { ExampleIndex = 0, RolloutIndex = 0, Seed = 0, Trace = Trace.Empty, Outcome = RolloutOutcome.Scored, Reward = 1 };
        Assert.Equal(0.5, brief.Credit!(rolled, call));
        var example = new Example<Query, Delegation>(new("q"), new("", "form 7", ["Ada", "London"]));
        var score = await metric(example, new(new("Ada asks", "form 7", []), Trace.Empty), TestContext.Current.CancellationToken);
        Assert.Equal(0.75, score.Value);
        Assert.Equal("1 personal details were told.", score.Feedback);
        Assert.NotNull(options.Credit);
    }

    private sealed record Query(string Text);

    private sealed record Delegation(string Request, string Answer, IReadOnlyList<string> Details);
}
