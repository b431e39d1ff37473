namespace Hone.Optimizers;

/// <summary>Settings of <see cref="BootstrapFewShot{TIn,TOut}"/>.</summary>
public sealed record BootstrapFewShotOptions : BootstrapOptions;

/// <summary>
/// Runs a teacher on the training examples, makes demos of what its predictors did in runs that the metric accepts, and tops them up with training
/// examples (DSPy, arXiv 2310.03714). With a validation set the result is compared with the program as it came, and the better one is returned.
/// </summary>
public sealed class BootstrapFewShot<TIn, TOut> : PromptOptimizer<TIn, TOut>
{
    private readonly BootstrapFewShotOptions options;

    /// <summary>Creates the optimizer.</summary>
    /// <param name="metric">Accepts runs; null accepts every run that does not fail.</param>
    /// <param name="options">Settings.</param>
    public BootstrapFewShot(Metric<TIn, TOut>? metric = null, BootstrapFewShotOptions? options = null)
        : this(metric ?? AcceptAll, options ?? new(), default)
    {
    }

    private BootstrapFewShot(Metric<TIn, TOut> metric, BootstrapFewShotOptions options, ValueTuple _) : base(metric, options) => this.options = options;

    /// <summary>The program whose runs are harvested, e.g. the same one on a stronger model; the student itself when null.</summary>
    public Program<TIn, TOut>? Teacher { get; init; }

    /// <summary>Decides which runs become demos, e.g. more strictly than the metric that scores; null takes that one.</summary>
    public Metric<TIn, TOut>? Acceptance { get; init; }

    /// <inheritdoc/>
    public override string Name => "bootstrap-few-shot";

    private protected override SelectionWithoutValidation WithoutValidation => SelectionWithoutValidation.None;

    private protected override string Describe() => Describe(Teacher);

    private protected override OptimizationEstimate EstimateFor(Program<TIn, TOut> program, int train, int? selection) =>
        new(((long)train * options.MaxRounds) + (2 * (selection ?? 0)), 0, program.Predictors.Length);

    private protected override (LM? Model, long Runs) TeacherRuns(int train) => Teacher is null ? default : (Teacher.Model, (long)train * options.MaxRounds);

    private protected override void Check(Program<TIn, TOut> program)
    {
        TextPart.RefuseDemos(program, Name);
        TeacherCheck.SamePredictors(program, Teacher);
    }

    private protected override async Task SearchAsync(SearchRun<TIn, TOut> search, CancellationToken cancellationToken)
    {
        var bootstrapper = new Bootstrapper<TIn, TOut>(search, options, Teacher, Acceptance);
        var state = await bootstrapper.BuildAsync(
            search.Train.All, new(options.MaxBootstrappedDemos, options.MaxLabeledDemos), search.Seed, cancellationToken).ConfigureAwait(false);
        await search.OfferAsync(search.Candidate(state, "harvested demos"), cancellationToken).ConfigureAwait(false);
    }

    private static ValueTask<Score> AcceptAll(Example<TIn, TOut> example, Prediction<TOut> prediction, CancellationToken cancellationToken) =>
        ValueTask.FromResult<Score>(1);
}
