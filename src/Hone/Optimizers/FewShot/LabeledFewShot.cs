namespace Hone.Optimizers;

/// <summary>Settings of <see cref="LabeledFewShot{TIn,TOut}"/>.</summary>
public sealed record LabeledFewShotOptions : OptimizerOptions
{
    /// <summary>Demos a predictor.</summary>
    /// <value>16 by default.</value>
    public int Demos
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(Demos)); field = value; }
    } = 16;

    /// <summary>True draws at random, for each predictor anew; false takes the first ones.</summary>
    /// <value>True by default.</value>
    public bool Sample { get; init; } = true;
}

/// <summary>Shows every predictor some training examples as they are: no model is asked. The baseline of all few-shot optimizers.</summary>
public sealed class LabeledFewShot<TIn, TOut> : PromptOptimizer<TIn, TOut>
{
    private readonly LabeledFewShotOptions options;

    /// <summary>Creates the optimizer.</summary>
    /// <param name="metric">Scores the result when a validation set is given.</param>
    /// <param name="options">Settings.</param>
    public LabeledFewShot(Metric<TIn, TOut> metric, LabeledFewShotOptions? options = null) : this(metric, options ?? new(), default)
    {
    }

    private LabeledFewShot(Metric<TIn, TOut> metric, LabeledFewShotOptions options, ValueTuple _) : base(metric, options) => this.options = options;

    /// <inheritdoc/>
    public override string Name => "labeled-few-shot";

    private protected override SelectionWithoutValidation WithoutValidation => SelectionWithoutValidation.None;

    private protected override bool AllowsEmptyTrain => true;

    private protected override string Describe() => FormattableString.Invariant($"; demos={options.Demos}; sample={options.Sample}");

    private protected override OptimizationEstimate EstimateFor(Program<TIn, TOut> program, int train, int? selection) =>
        new(2 * (selection ?? 0), 0, program.Predictors.Length);

    private protected override void Check(Program<TIn, TOut> program) => TextPart.RefuseDemos(program, Name);

    private protected override Task SearchAsync(SearchRun<TIn, TOut> search, CancellationToken cancellationToken)
    {
        FieldMap[] examples = [.. search.Train.Examples.Select(ExampleFields.Of)];
        var state = LabeledDemos.Fill(search.Student, options, examples, options.Demos, options.Sample ? search.Seed : null);
        return search.OfferAsync(search.Candidate(state, "labelled demos"), cancellationToken);
    }
}
