using System.Collections.Immutable;
using System.Globalization;

namespace Hone.Optimizers;

/// <summary>Settings of <see cref="BootstrapRandomSearch{TIn,TOut}"/>.</summary>
public sealed record BootstrapRandomSearchOptions : BootstrapOptions
{
    /// <summary>Random demo sets, beside the three fixed candidates.</summary>
    /// <value>16 by default.</value>
    public int Candidates
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(Candidates)); field = value; }
    } = 16;

    /// <summary>
    /// Candidates that are harvested and scored side by side, whatever <see cref="OptimizerOptions.MaxParallelism"/> is. More of them keep a fast model busy
    /// on small validation sets; a target that one of them reaches ends the search after all of them.
    /// </summary>
    /// <value>1 by default.</value>
    public int CandidatesAtOnce
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(CandidatesAtOnce)); field = value; }
    } = 1;

    /// <summary>Draws the labelled demos of the labelled candidate at random; false takes the first ones.</summary>
    /// <value>True by default.</value>
    public bool SampleLabeled { get; init; } = true;

    /// <summary>Only these seeds: -3 no demos, -2 labelled ones, -1 harvested in the set's order, 0 and up harvested from shuffled sets. Null takes all.</summary>
    public IEnumerable<int>? Restrict
    {
        get;
        init => field = value?.ToImmutableArray();
    }

    internal override string Describe() => base.Describe() + FormattableString.Invariant(
        $"; candidates={Candidates}; sample={SampleLabeled}; restrict={(Restrict is null ? "" : string.Join(',', Restrict))}")
        + (CandidatesAtOnce == 1 ? string.Empty : FormattableString.Invariant($"; at-once={CandidatesAtOnce}"));

    internal override void Validate()
    {
        base.Validate();
        if (Restrict is not null && !Seeds.Any())
            throw new HoneException($"Restrict has none of the seeds -3 to {Candidates - 1}: there would be no candidate.");
    }

    internal IEnumerable<int> Seeds => Enumerable.Range(-3, Candidates + 3).Where(seed => Restrict?.Contains(seed) != false);
}

/// <summary>
/// Tries many sets of demos and keeps the one that scores best on the validation set: none, labelled ones, harvested ones in the set's order and in
/// random orders of random sizes (DSPy's BootstrapFewShotWithRandomSearch, arXiv 2310.03714).
/// </summary>
public sealed class BootstrapRandomSearch<TIn, TOut> : PromptOptimizer<TIn, TOut>
{
    private readonly BootstrapRandomSearchOptions options;

    /// <summary>Creates the optimizer.</summary>
    public BootstrapRandomSearch(Metric<TIn, TOut> metric, BootstrapRandomSearchOptions? options = null) : this(metric, options ?? new(), default)
    {
    }

    private BootstrapRandomSearch(Metric<TIn, TOut> metric, BootstrapRandomSearchOptions options, ValueTuple _) : base(metric, options) =>
        this.options = options;

    /// <summary>The program whose runs are harvested, e.g. the same one on a stronger model; the student itself when null.</summary>
    public Program<TIn, TOut>? Teacher { get; init; }

    /// <summary>Decides which runs become demos, e.g. more strictly than the metric that scores; null takes that one.</summary>
    public Metric<TIn, TOut>? Acceptance { get; init; }

    /// <inheritdoc/>
    public override string Name => "bootstrap-random-search";

    private protected override SelectionWithoutValidation WithoutValidation => SelectionWithoutValidation.Split;

    private protected override string Describe() => Describe(Teacher);

    // Attempts of an example are shared by all candidates.
    private protected override OptimizationEstimate EstimateFor(Program<TIn, TOut> program, int train, int? selection) =>
        new(((long)train * options.MaxRounds) + ((options.Seeds.Count() + 1) * (long)(selection ?? 0)), 0, program.Predictors.Length);

    private protected override (LM? Model, long Runs) TeacherRuns(int train) => Teacher is null ? default : (Teacher.Model, (long)train * options.MaxRounds);

    private protected override void Check(Program<TIn, TOut> program)
    {
        TextPart.RefuseDemos(program, Name);
        TeacherCheck.SamePredictors(program, Teacher);
    }

    private protected override async Task SearchAsync(SearchRun<TIn, TOut> search, CancellationToken cancellationToken)
    {
        var bootstrapper = new Bootstrapper<TIn, TOut>(search, options, Teacher, Acceptance);
        foreach (var seeds in options.Seeds.Chunk(options.CandidatesAtOnce))
        {
            var states = await StatesAsync(search, bootstrapper, seeds, cancellationToken).ConfigureAwait(false);
            var candidates = seeds.Zip(states, (seed, state) => search.Candidate(state, OriginOf(seed)) with
            {
                Notes = ImmutableSortedDictionary<string, string>.Empty.Add("seed", seed.ToString(CultureInfo.InvariantCulture)),
            });
            await search.ScoreAsync("scoring", [.. candidates], cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<ProgramState[]> StatesAsync(
        SearchRun<TIn, TOut> search, Bootstrapper<TIn, TOut> bootstrapper, int[] seeds, CancellationToken cancellationToken)
    {
        var harvested = new Queue<ProgramState>(await bootstrapper.BuildAsync(
            [.. seeds.Where(seed => seed >= -1).Select(seed => PlanOf(search, seed))], cancellationToken).ConfigureAwait(false));
        return
        [
            .. seeds.Select(seed => seed switch
            {
                -3 => LabeledDemos.Clear(search.Student.State, options),
                -2 => LabeledDemos.Fill(search.Student, options, bootstrapper.Examples, options.MaxLabeledDemos, options.SampleLabeled ? DrawOf(search, seed) : null),
                _ => harvested.Dequeue(),
            }),
        ];
    }

    private BootstrapPlan PlanOf(SearchRun<TIn, TOut> search, int seed)
    {
        var draw = DrawOf(search, seed);
        if (seed == -1)
            return new(search.Train.All, new(options.MaxBootstrappedDemos, options.MaxLabeledDemos), draw);
        var random = draw.CreateRandom();
        int[] order = [.. search.Train.All];
        random.Shuffle(order);
        var size = options.MaxBootstrappedDemos == 0 ? 0 : random.Next(1, options.MaxBootstrappedDemos + 1);
        return new(order, new(size, options.MaxLabeledDemos), draw);
    }

    private static SeedStream DrawOf(SearchRun<TIn, TOut> search, int seed) => search.Seed.Derive("candidate", seed);

    private static string OriginOf(int seed) => seed switch
    {
        -3 => "no demos",
        -2 => "labelled demos",
        -1 => "harvested demos",
        _ => FormattableString.Invariant($"harvested demos, shuffled with seed {seed}"),
    };
}
