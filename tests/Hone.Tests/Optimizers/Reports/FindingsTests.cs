using Hone.Optimizers;

namespace Hone.Tests.Optimizers.Reports;

/// <summary>What one optimizer alone tells is in the file of its result and comes back with it, byte for byte.</summary>
public sealed class FindingsTests : IDisposable
{
    private readonly string directory = Path.Combine(Path.GetTempPath(), $"hone-findings-{Guid.NewGuid():N}");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task Gepa_tells_what_its_candidates_are_best_at()
    {
        Metric<FieldMap, FieldMap> metric = (example, prediction, _) =>
        {
            var isRight = Equals(example.Expected["answer"], prediction.Value["answer"]);
            return ValueTask.FromResult(new Score(isRight ? 1 : 0) { Parts = new Score(0).Parts.Add("right", isRight ? 1 : 0).Add("wrong", isRight ? 0 : 1) });
        };
        var gepa = new Gepa<FieldMap, FieldMap>(metric, new() { MaxMetricCalls = 40, TrackBestOutputs = true, Front = FrontType.Hybrid, RunDirectory = directory });
        var result = await gepa.CompileAsync(NewLab().One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);
        var loaded = Assert.IsType<GepaResult<FieldMap, FieldMap>>(await LoadedAsync("gepa"));
        Assert.True(result.Iterations > 0 && result.Candidates.Length > 1);
        Assert.Equal((result.MetricCalls, result.Iterations, result.Proposals), (loaded.MetricCalls, loaded.Iterations, loaded.Proposals));
        Assert.Equal(result.DiscoveredAt, loaded.DiscoveredAt);
        Assert.Equal(result.BestByExample.Select(best => string.Join(',', best)), loaded.BestByExample.Select(best => string.Join(',', best)));
        Assert.Equal(result.HighestScores, loaded.HighestScores);
        Assert.Equal(result.ObjectiveFront, loaded.ObjectiveFront);
        Assert.Equal(result.BestByObjective.Keys, loaded.BestByObjective.Keys);
        Assert.NotEmpty(result.BestOutputs);
        Assert.Equal(result.BestOutputs.SelectMany(outputs => outputs), loaded.BestOutputs.SelectMany(outputs => outputs));
    }

    [Fact]
    public async Task Mipro_tells_its_trials()
    {
        var mipro = new MiproV2<FieldMap, FieldMap>(Lab.Exact, new() { Auto = null, Candidates = 3, Trials = 4, MinibatchSize = 2, FullEvaluationEvery = 2, PerfectScore = null, RunDirectory = directory });
        MiproV2Result<FieldMap, FieldMap> result = await mipro.CompileAsync(NewLab().One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);
        var loaded = Assert.IsType<MiproV2Result<FieldMap, FieldMap>>(await LoadedAsync("mipro-v2"));
        Assert.Contains(result.Trials, trial => !trial.IsFull);
        Assert.Equal("base", result.Instructions["ans"][0]);
        Assert.All(result.Candidates.Skip(1), candidate => Assert.Equal(
            candidate.State["ans"].Instructions ?? "base", result.Instructions["ans"][int.Parse(candidate.Notes["ans.instructions"], System.Globalization.CultureInfo.InvariantCulture)]));
        Assert.Equal(result.Instructions["ans"], loaded.Instructions["ans"]);
        Assert.Equal(result.Trials.Select(Shown), loaded.Trials.Select(Shown));

        static string Shown(TrialScored trial) =>
            $"{trial.Number} {string.Join(',', trial.Choices.Select(choice => $"{choice.Key}={choice.Value}"))} {trial.Score} {trial.Examples} {trial.IsFull} {trial.ExamplesSoFar}";
    }

    [Fact]
    public async Task Simba_tells_its_steps()
    {
        var simba = new Simba<FieldMap, FieldMap>(Lab.Exact, new() { BatchSize = 4, Candidates = 2, MaxSteps = 3, PerfectScore = null, RunDirectory = directory });
        SimbaResult<FieldMap, FieldMap> result = await simba.CompileAsync(NewLab().One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);
        var loaded = Assert.IsType<SimbaResult<FieldMap, FieldMap>>(await LoadedAsync("simba"));
        Assert.Contains(result.Steps, step => step is { IsBetter: true, Winner: not null, Contrasts: > 0 });
        Assert.Equal(result.Steps.Select(Shown), loaded.Steps.Select(Shown));

        static string Shown(SimbaStep step) => $"{step.Number} {step.Baseline} {step.Contrasts} [{string.Join(',', step.Candidates)}] {step.Winner} {step.IsBetter}";
    }

    private async Task<OptimizationResult<FieldMap, FieldMap>> LoadedAsync(string name)
    {
        var loaded = await OptimizationResult.LoadAsync(directory, NewLab().One(), Token);
        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(directory, "result.json"), Token), OptimizationResultJson.Write(name, loaded));
        return loaded;
    }

    private static Lab NewLab() => new(call => call.Role is "prompt" or "reflection"
        ? FieldMap.Of(
            ("new_instruction", "ALPHA"), ("proposed_instructions", $"ALPHA {call.Sample}"), ("observations", "none"), ("description", "none"), ("discussion", "none"),
            ("advice", FieldMap.Of(("ans", "ALPHA"))))
        : Lab.AnswerIf(call.Has("ALPHA") || call.Question == "q1" || (call.Temperature == 1 && call.Sample % 2 == 0), call.Question));
}
