using System.Collections.Immutable;
using System.Globalization;

namespace Hone.Optimizers;

/// <summary>Settings of <see cref="BootstrapDemoSearch{TIn,TOut}"/>.</summary>
public sealed record BootstrapDemoSearchOptions : BootstrapOptions
{
    /// <summary>Combinations that are tried.</summary>
    /// <value>16 by default.</value>
    public int Trials
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(Trials)); field = value; }
    } = 16;

    /// <summary>Combinations tried side by side, whatever <see cref="OptimizerOptions.MaxParallelism"/> is.</summary>
    /// <value>1 by default.</value>
    public int TrialsAtOnce
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(TrialsAtOnce)); field = value; }
    } = 1;

    internal override string Describe() => base.Describe() + FormattableString.Invariant($"; trials={Trials}; at-once={TrialsAtOnce}");
}

/// <summary>
/// Harvests demos once, then searches for the one demo of every predictor that scores best together (DSPy's BootstrapFewShotWithOptuna), with a
/// <see cref="CategoricalTpeSampler"/>. No combination is tried twice.
/// </summary>
public sealed class BootstrapDemoSearch<TIn, TOut> : PromptOptimizer<TIn, TOut>
{
    private readonly BootstrapDemoSearchOptions options;

    /// <summary>Creates the optimizer.</summary>
    /// <param name="metric">Scores runs.</param>
    /// <param name="options">Settings.</param>
    public BootstrapDemoSearch(Metric<TIn, TOut> metric, BootstrapDemoSearchOptions? options = null) : this(metric, options ?? new(), default)
    {
    }

    private BootstrapDemoSearch(Metric<TIn, TOut> metric, BootstrapDemoSearchOptions options, ValueTuple _) : base(metric, options) => this.options = options;

    /// <summary>The program whose runs are harvested, e.g. the same one on a stronger model; the student itself when null.</summary>
    public Program<TIn, TOut>? Teacher { get; init; }

    /// <summary>Decides which runs become demos, e.g. more strictly than the metric that scores; null takes that one.</summary>
    public Metric<TIn, TOut>? Acceptance { get; init; }

    /// <inheritdoc/>
    public override string Name => "bootstrap-demo-search";

    private protected override SelectionWithoutValidation WithoutValidation => SelectionWithoutValidation.Split;

    private protected override string Describe() => Describe(Teacher);

    private protected override OptimizationEstimate EstimateFor(Program<TIn, TOut> program, int train, int? selection) =>
        new(((long)train * options.MaxRounds) + ((options.Trials + 1) * (long)(selection ?? 0)), 0, program.Predictors.Length);

    private protected override (LM? Model, long Runs) TeacherRuns(int train) => Teacher is null ? default : (Teacher.Model, (long)train * options.MaxRounds);

    private protected override void Check(Program<TIn, TOut> program)
    {
        TextPart.RefuseDemos(program, Name);
        TeacherCheck.SamePredictors(program, Teacher);
    }

    private protected override async Task SearchAsync(SearchRun<TIn, TOut> search, CancellationToken cancellationToken)
    {
        var bootstrapper = new Bootstrapper<TIn, TOut>(search, options, Teacher, Acceptance);
        var harvest = await bootstrapper.BuildAsync(
            search.Train.All, new(options.MaxBootstrappedDemos, options.MaxLabeledDemos), search.Seed, cancellationToken).ConfigureAwait(false);

        // A predictor without demos has nothing to choose.
        var paths = search.Open.Select(entry => entry.Key).Where(path => !harvest[path].Demos.IsEmpty).ToArray();
        if (paths.Length == 0)
        {
            search.Warn("No predictor has a demo to choose: no run of the teacher was accepted.");
            return;
        }

        SearchSpace space = new([.. paths.Select(path => harvest[path].Demos.Length)]);
        var sampler = new CategoricalTpeSampler(space, search.Seed.Derive("sampler").Seed, options.Trials);
        var trials = (int)Math.Min(options.Trials, space.Size);
        for (var done = 0; done < trials;)
        {
            var points = sampler.Suggest(Math.Min(options.TrialsAtOnce, trials - done));
            done += points.Count;
            var entries = await search.ScoreOnceAsync(
                "scoring", [.. points.Select(point => Candidate(search, harvest, paths, point))], cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < points.Count; i++)
                sampler.Observe(new(points[i], entries[i].Score!.Value, entries[i].Scores.Length) { IsFull = true });
        }
    }

    private static SearchCandidate<TIn, TOut> Candidate(SearchRun<TIn, TOut> search, ProgramState harvest, string[] paths, ImmutableArray<int> point)
    {
        var state = search.Student.State;
        var notes = ImmutableSortedDictionary<string, string>.Empty;
        for (var i = 0; i < paths.Length; i++)
        {
            state = state.With(paths[i], state[paths[i]] with { Demos = [harvest[paths[i]].Demos[point[i]]] });
            notes = notes.Add($"{paths[i]}.demo", point[i].ToString(CultureInfo.InvariantCulture));
        }

        return search.Candidate(state, $"demo {string.Join(", ", paths.Select((path, i) => FormattableString.Invariant($"{point[i]} of {path}")))}") with
        {
            Parents = [0],
            Notes = notes,
        };
    }
}
