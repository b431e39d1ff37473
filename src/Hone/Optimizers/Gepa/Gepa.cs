namespace Hone.Optimizers;

/// <summary>
/// Rewrites the instructions of a program, and the descriptions of its tools when asked to, by reflection: a model reads what predictors did on a few training examples and what the metric said, and writes
/// a better text. Changes that help there are scored on the validation set; candidates that are best at anything become parents; candidates that improved
/// different texts are merged (GEPA, arXiv 2507.19457).
/// </summary>
/// <remarks>
/// The more the metric says in words (<see cref="Score.Feedback"/>, <see cref="Score.PredictorFeedback"/>), the better. One call gives score and feedback.
/// </remarks>
public sealed class Gepa<TIn, TOut> : PromptOptimizer<TIn, TOut>
{
    private readonly GepaOptions options;

    /// <summary>Creates the optimizer.</summary>
    /// <param name="metric">Scores a run and says what was right or wrong.</param>
    /// <param name="options">Settings; null takes the light budget.</param>
    /// <exception cref="HoneException">Not exactly one budget is set.</exception>
    public Gepa(Metric<TIn, TOut> metric, GepaOptions? options = null) : this(metric, options ?? new() { Auto = GepaBudgetSize.Light }, default)
    {
    }

    private Gepa(Metric<TIn, TOut> metric, GepaOptions options, ValueTuple _) : base(metric, options) => this.options = options;

    /// <summary>Writes a new text from records; its signature is the meta-prompt.</summary>
    public Module<ReflectionRequest, ReflectionReply> Reflector { get; init; } = Reflectors.Text;

    /// <summary>As <see cref="Reflector"/>, for records with pictures when the reflecting model sees them.</summary>
    public Module<MultimodalReflectionRequest, ReflectionReply> MultimodalReflector { get; init; } = Reflectors.Multimodal;

    /// <summary>Writes the description of a tool or an argument from what its agent did; its signature is the meta-prompt. See <see cref="GepaOptions.ToolDescriptions"/>.</summary>
    public Module<ToolReflectionRequest, ToolReflectionReply> ToolReflector { get; init; } = Reflectors.Tool;

    /// <summary>Joins the texts of several looks into one: see <see cref="ReflectionMode.MapReduce"/>.</summary>
    public Module<SynthesisRequest, ReflectionReply> Synthesizer { get; init; } = Reflectors.Synthesis;

    /// <summary>Writes new texts in place of all of these; null leaves it to them.</summary>
    public IInstructionProposer? Proposer { get; init; }

    /// <inheritdoc/>
    public override string Name => "gepa";

    private protected override SelectionWithoutValidation WithoutValidation => SelectionWithoutValidation.Split;

    private GepaAuthors Authors => new(Reflector, MultimodalReflector, Synthesizer, ToolReflector, Proposer);

    /// <inheritdoc cref="PromptOptimizer{TIn,TOut}.CompileAsync"/>
    public new async Task<GepaResult<TIn, TOut>> CompileAsync(
        Program<TIn, TOut> program,
        IReadOnlyList<Example<TIn, TOut>> train,
        IReadOnlyList<Example<TIn, TOut>>? validation = null,
        CancellationToken cancellationToken = default) =>
        (GepaResult<TIn, TOut>)await base.CompileAsync(program, train, validation, cancellationToken).ConfigureAwait(false);

    private protected override string ProposalRole => GepaAuthors.Role;

    private protected override string Describe() => Authors.Describe(options.ToolDescriptions);

    // An iteration asks for a minibatch of evaluations at least; all its tasks may ask the reflecting model.
    private protected override OptimizationEstimate EstimateFor(Program<TIn, TOut> program, int train, int? selection)
    {
        var components = TextComponents.Of(program, options, options.ToolDescriptions).Length;
        var limit = options.Limit(components, train, selection!.Value);
        var iterations = Math.Max(0, limit - selection.Value) / options.MinibatchSize;
        return new(limit, iterations * options.Sampling.Tasks * GepaProposer<TIn, TOut>.MostRequests(options, components), program.Predictors.Length);
    }

    private protected override void Check(Program<TIn, TOut> program)
    {
        if (TextComponents.Of(program, options, options.ToolDescriptions).IsEmpty)
            throw new HoneException("The program has no predictors: there is no text to improve.");
        if (options.ToolDescriptions && program.Tools.IsEmpty)
            throw new HoneException($"{nameof(GepaOptions.ToolDescriptions)} is set, but the program has no tools. Leave it out, or give an agent tools.");
    }

    private protected override async Task BeginAsync(SearchRun<TIn, TOut> search, CancellationToken cancellationToken)
    {
        var selection = search.Selection!.Count;
        var spending = new GepaSpending(options.Limit(TextComponents.Of(search.Student, options, options.ToolDescriptions).Length, search.Train.Count, selection));
        search.StrategyState = spending;
        if (spending.Remaining < selection)
            throw new SearchEndedException(
                StopReason.ProgramRunBudget, $"The budget of {spending.Limit} evaluations does not pay for one pass over the {selection} validation examples.");
        spending.DiscoveredAt.Add(0);
        spending.Reserve(selection);
        await search.OfferAsync(search.Baseline, cancellationToken).ConfigureAwait(false);
    }

    private protected override Task SearchAsync(SearchRun<TIn, TOut> search, CancellationToken cancellationToken) =>
        new GepaSearch<TIn, TOut>(search, options, Authors, (GepaSpending)search.StrategyState!).RunAsync(cancellationToken);

    private protected override OptimizationResult<TIn, TOut> Complete(OptimizationResult<TIn, TOut> result, SearchRun<TIn, TOut> search) =>
        GepaFindings.Of(result, search, (GepaSpending)search.StrategyState!, options.TrackBestOutputs);
}
