using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>Settings of <see cref="BootstrapFinetune{TIn,TOut}"/>.</summary>
public sealed record BootstrapFinetuneOptions : OptimizerOptions
{
    /// <summary>True when all predictors of a model learn one set of weights; false tunes one for each predictor, on its own calls.</summary>
    /// <value>True by default.</value>
    public bool Multitask { get; init; } = true;

    /// <summary>A run is learned from when its score is at least this; null takes every score but 0 that is above the failure score.</summary>
    public double? MetricThreshold { get; init; }

    /// <summary>Leaves demos out of the prompts that are learned, and takes them off the tuned program.</summary>
    public bool ExcludeDemos { get; init; }

    internal override string Describe() => base.Describe() + FormattableString.Invariant($"; multitask={Multitask}; threshold={MetricThreshold}; excludeDemos={ExcludeDemos}");
}

/// <summary>
/// Runs teachers on the training examples and tunes the student's models on what their predictors answered in runs that the metric accepts: distillation
/// of a program into weights (DSPy's BootstrapFinetune, arXiv 2407.10930).
/// </summary>
public sealed class BootstrapFinetune<TIn, TOut> : PromptOptimizer<TIn, TOut>
{
    private readonly BootstrapFinetuneOptions options;

    /// <summary>Creates the optimizer.</summary>
    /// <param name="metric">Accepts runs; null accepts every run that does not fail.</param>
    /// <param name="options">Settings.</param>
    public BootstrapFinetune(Metric<TIn, TOut>? metric = null, BootstrapFinetuneOptions? options = null)
        : this(metric ?? ((_, _, _) => ValueTask.FromResult<Score>(1)), options ?? new(), default)
    {
    }

    private BootstrapFinetune(Metric<TIn, TOut> metric, BootstrapFinetuneOptions options, ValueTuple _) : base(metric, options) => this.options = options;

    /// <summary>Whose runs are learned from, e.g. the same program on a stronger model; the student itself when empty.</summary>
    public IReadOnlyList<Program<TIn, TOut>> Teachers { get; init; } = [];

    /// <summary>What tunes; in process by default.</summary>
    public IFineTuneProvider Provider { get; init; } = new LocalFineTuning();

    /// <inheritdoc/>
    public override string Name => "bootstrap-finetune";

    private protected override SelectionWithoutValidation WithoutValidation => SelectionWithoutValidation.None;

    private protected override string Describe() => $"; teachers={string.Join(',', Teachers.Select((teacher, i) => CandidateKeys.Of(teacher, $"teacher{i}")))}; provider={Provider.GetType().Name}";

    private protected override OptimizationEstimate EstimateFor(Program<TIn, TOut> program, int train, int? selection) =>
        new(((long)Math.Max(1, Teachers.Count) * train) + (2 * (selection ?? 0)), 0, program.Predictors.Length);

    private protected override (LM? Model, long Runs) TeacherRuns(int train) => Teachers.Count == 0 ? default : (Teachers[0].Model, (long)Teachers.Count * train);

    // Everything that can be known to fail is known before a run is paid for.
    private protected override void Check(Program<TIn, TOut> program)
    {
        TextPart.RefuseTuning(program, Name);
        foreach (var teacher in Teachers)
            TeacherCheck.SamePredictors(program, teacher);
        foreach (var (path, _) in options.OpenIn(program))
            Provider.Check(ModelOf(program, path));
    }

    private protected override async Task SearchAsync(SearchRun<TIn, TOut> search, CancellationToken cancellationToken)
    {
        var accepted = await CollectAsync(search, cancellationToken).ConfigureAwait(false);
        var jobs = JobsOf(search, accepted);
        var manifest = new FineTuneManifest(
            CandidateKeys.Of(search.Student, "student"),
            [.. Teachers.Select((teacher, i) => CandidateKeys.Of(teacher, $"teacher{i}"))],
            options.MetricThreshold,
            Math.Max(1, Teachers.Count) * search.Train.All.Count(),
            accepted.Count);
        foreach (var job in jobs)
        {
            if (job.Directory is not null)
                await manifest.WriteAsync(job.Directory, job, cancellationToken).ConfigureAwait(false);
        }

        search.Tell(new OptimizerPhaseStarted($"fine-tuning: {string.Join(", ", jobs.Select(job => $"{job.Name} ({job.Rows.Count} rows)"))}"));
        var tuned = await ParallelRunner.RunAsync(
            jobs,
            (job, _, token) => Provider.TuneAsync(job, token),
            new() { MaxParallelism = Provider.MaxParallelJobs, MaxErrors = jobs.Length, Time = options.Time },
            cancellationToken).ConfigureAwait(false);
        var program = Rebuilt(search, jobs, tuned);
        await search.OfferAsync(SearchRun<TIn, TOut>.Foreign(program, "tuned", "tuned weights"), cancellationToken).ConfigureAwait(false);
    }

    private async Task<List<RunRecord>> CollectAsync(SearchRun<TIn, TOut> search, CancellationToken cancellationToken)
    {
        var sources = Teachers.Count == 0
            ? [search.Baseline]
            : Teachers.Select((teacher, i) => SearchRun<TIn, TOut>.Foreign(teacher, $"teacher{i}", $"teacher {i}")).ToArray();
        var runs = await search.RunAsync(
            "collecting", [.. sources.SelectMany(source => search.Train.All.Select(index => source.On(search.Train, index)))], cancellationToken).ConfigureAwait(false);
        var accepted = runs.Where(IsAccepted).ToList();
        return accepted.Count > 0
            ? accepted
            : throw new HoneException($"None of the {runs.Length} runs was accepted, so there is nothing to learn from. The last error: {runs.LastOrDefault(run => run.Error is not null)?.Error ?? "none; the scores were too low"}");
    }

    // A failed run has a score, too, but never an answer to learn from.
    private bool IsAccepted(RunRecord run) => run.Fault == RunFault.None
        && (options.MetricThreshold is { } threshold ? run.Score.Value >= threshold : run.Score.Value != 0 && run.Score.Value > options.FailureScore);

    private FineTuneJob[] JobsOf(SearchRun<TIn, TOut> search, List<RunRecord> runs)
    {
        var source = options.ExcludeDemos ? search.Student.With(LabeledDemos.Clear(search.Student.State, options)) : search.Student;
        return
        [
            .. search.Open
                .GroupBy(entry => (Model: search.Student.State[entry.Key].Model ?? "", Path: options.Multitask ? "" : entry.Key))
                .Select(group => (Name: NameOf(group.Key.Model, group.Key.Path), Model: ModelOf(search.Student, group.First().Key), Paths: group.Select(entry => entry.Key).ToHashSet(StringComparer.Ordinal)))
                .Select(group => new FineTuneJob(group.Name, group.Model, RowsOf(search, source, runs, group.Paths))
                {
                    Directory = search.Directory is { } directory ? Path.Combine(directory, "finetune") : null,
                    Report = message => search.Tell(new OptimizerPhaseStarted(message)),
                })
                .Where(job => job.Rows.Count > 0),
        ];
    }

    // By path, not by position in the trace: a loop or a branch does not shift anything.
    private static FineTuneRow[] RowsOf(SearchRun<TIn, TOut> search, Program<TIn, TOut> source, List<RunRecord> runs, HashSet<string> paths)
    {
        FineTuneRow[] rows =
        [
            .. runs.SelectMany(run => run.Steps)
                .Where(step => paths.Contains(step.Path) && step.Outputs is not null)
                .Select(step => new FineTuneRow(
                    step.Path,
                    source.Render(step.Path, step.Inputs),
                    source.Adapter.RenderOutputs(source.Predictors.First(entry => entry.Key == step.Path).Value, step.Outputs!).TrimEnd())),
        ];
        search.RandomFor("rows").Shuffle(rows);
        return rows;
    }

    private Program<TIn, TOut> Rebuilt(SearchRun<TIn, TOut> search, FineTuneJob[] jobs, ItemResult<LM>[] tuned)
    {
        if (tuned.FirstOrDefault(result => !result.Succeeded).Error is { } error)
            throw new HoneException($"A fine-tuning job failed: {error.Message} What the others gave is in the run directory, if there is one.", error);
        var program = options.ExcludeDemos ? search.Student.With(LabeledDemos.Clear(search.Student.State, options)) : search.Student;
        foreach (var (path, _) in search.Open)
        {
            var own = search.Student.State[path].Model;
            var at = Array.FindIndex(jobs, job => job.Name == NameOf(own ?? "", options.Multitask ? "" : path));
            if (at < 0)
                continue;
            var isShared = search.Student.Predictors.Any(entry => options.IsFrozen(entry.Key) && search.Student.State[entry.Key].Model == own);
            if (options.Multitask && own is null && !isShared)
            {
                program = program.WithModel(tuned[at].Value!);
                continue;
            }

            // A frozen predictor keeps the weights that it shares with others: they get theirs under a name of its own.
            var name = !options.Multitask ? $"{path}-tuned" : isShared ? $"{own ?? "all"}-tuned" : own!;
            program = program.WithNamedModel(name, tuned[at].Value!);
            program = program.With(program.State.With(path, program.State[path] with { Model = name }));
        }

        return program;
    }

    private static string NameOf(string model, string path) => path.Length > 0 ? path : model.Length > 0 ? model : "all";

    private static LM ModelOf(Program<TIn, TOut> program, string path) =>
        (program.State[path].Model is { } name ? program.NamedModels.GetValueOrDefault(name) : program.Model)
        ?? throw new HoneException($"The predictor '{path}' has no model, so there is nothing to tune. Set one with WithModel.");
}
