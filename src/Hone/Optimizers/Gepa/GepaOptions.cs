namespace Hone.Optimizers;

/// <summary>Settings of <see cref="Gepa{TIn,TOut}"/>. Exactly one of <see cref="Auto"/>, <see cref="MaxFullEvaluations"/> and <see cref="MaxMetricCalls"/>.</summary>
public sealed record GepaOptions : OptimizerOptions
{
    /// <summary>How much to spend, by the size of the validation set and the number of texts.</summary>
    public GepaBudgetSize? Auto { get; init; }

    /// <summary>How much to spend, in passes over training and validation set.</summary>
    public int? MaxFullEvaluations
    {
        get;
        init { ThrowIfLessThanOne(value, nameof(MaxFullEvaluations)); field = value; }
    }

    /// <summary>
    /// How many evaluations of an example the search may ask for. What is known already counts, too, though it costs nothing, so that a search always
    /// ends; for what is really run, see <see cref="OptimizationBudget.MaxProgramRuns"/>. Never exceeded.
    /// </summary>
    public long? MaxMetricCalls
    {
        get;
        init { ThrowIfLessThanOne(value, nameof(MaxMetricCalls)); field = value; }
    }

    /// <summary>Training examples that a reflection looks at.</summary>
    /// <value>3 by default.</value>
    public int MinibatchSize
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MinibatchSize)); field = value; }
    } = 3;

    /// <summary>How many parents and minibatches an iteration takes.</summary>
    /// <value>One of each by default.</value>
    public GepaSampling Sampling
    {
        get;
        init { ArgumentNullException.ThrowIfNull(value, nameof(Sampling)); field = value; }
    } = GepaSampling.Single;

    /// <summary>Chooses the candidate that is changed.</summary>
    /// <value><see cref="ParentSelectors.Pareto"/> by default.</value>
    public IParentSelector ParentSelector { get; init; } = ParentSelectors.Pareto;

    /// <summary>Chooses which of its texts are changed.</summary>
    /// <value><see cref="ComponentSelectors.RoundRobin"/> by default.</value>
    public IComponentSelector ComponentSelector { get; init; } = ComponentSelectors.RoundRobin;

    /// <summary>Decides by the minibatch whether a changed candidate is worth scoring on the whole validation set.</summary>
    /// <value><see cref="AcceptanceCriteria.Improvement"/> by default.</value>
    public IAcceptanceCriterion Acceptance { get; init; } = AcceptanceCriteria.Improvement;

    /// <summary>Which of an iteration's accepted changes are scored on the validation set.</summary>
    /// <value>All by default.</value>
    public ProposalSelection Selection
    {
        get;
        init { ArgumentNullException.ThrowIfNull(value, nameof(Selection)); field = value; }
    } = ProposalSelection.All;

    /// <summary>What candidates are compared at: the best at anything may become parents.</summary>
    /// <value><see cref="FrontType.Instance"/> by default.</value>
    public FrontType Front { get; init; } = FrontType.Instance;

    /// <summary>Joins texts of two candidates that both descend from a third.</summary>
    /// <value>True by default.</value>
    public bool UseMerge { get; init; } = true;

    /// <summary>Most accepted merges; null means no limit, 0 none.</summary>
    /// <value>5 by default.</value>
    public int? MaxMerges
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value ?? 0, nameof(MaxMerges)); field = value; }
    } = 5;

    /// <summary>Validation examples that a merge needs, and is tried on first.</summary>
    /// <value>5 by default.</value>
    public int MergeExamples
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MergeExamples)); field = value; }
    } = 5;

    /// <summary>Does not reflect on a minibatch whose every example has the perfect score.</summary>
    /// <value>True by default.</value>
    public bool SkipPerfectMinibatches { get; init; } = true;

    /// <summary>Shows answers that could not be read, with the format that was asked for, instead of leaving them out.</summary>
    public bool AddFormatFailures { get; init; }

    /// <summary>The model that reflects; the program's own when null.</summary>
    public LM? ReflectionModel { get; init; }

    /// <summary>How records become a new text.</summary>
    /// <value><see cref="ReflectionMode.OneRequest"/> by default.</value>
    public ReflectionMode Reflection { get; init; } = ReflectionMode.OneRequest;

    /// <summary>Longest text of records in a reflection, in tokens, counted as a quarter of the characters; records with the lowest scores stay.</summary>
    /// <value>16000 by default.</value>
    public int MaxRecordTokens
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxRecordTokens)); field = value; }
    } = 16_000;

    /// <summary>Longest new text that is accepted, in tokens, counted as a quarter of the characters; null means no limit.</summary>
    public int? MaxTextTokens
    {
        get;
        init { ThrowIfLessThanOne(value, nameof(MaxTextTokens)); field = value; }
    }

    /// <summary>Refuses new texts that lack a placeholder of the text before, a name in braces such as <c>{city}</c>: for programs that fill them in.</summary>
    public bool KeepPlaceholders { get; init; }

    /// <summary>
    /// Further training examples on which a change that its minibatch accepted, and its parent, are run before the whole validation set is: the criterion is
    /// asked again about all of them together. A few examples are a noisy judge; a pass over the validation set is dear.
    /// </summary>
    /// <value>0 by default: the minibatch alone decides.</value>
    public int ConfirmationExamples
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(ConfirmationExamples)); field = value; }
    }

    /// <summary>
    /// Scores an accepted change on so many validation examples at a time, and drops it as soon as it is worse than the best candidate with 95 % confidence,
    /// example by example. Only candidates that are scored on all of them are kept.
    /// </summary>
    /// <value>Null by default: all at once. At least 5.</value>
    public int? ValidationSlice
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value ?? 5, 5, nameof(ValidationSlice)); field = value; }
    }

    /// <summary>Shows in each record what the other predictors of the run did, too.</summary>
    public bool ShowWholeRuns { get; init; }

    /// <summary>
    /// Rewrites the descriptions of agents' tools and of their arguments, too, each as a text of its own. Off by default: in published trials such changes
    /// gained less than those of instructions, and they multiply the texts that the budget is spread over. Keep
    /// <see cref="ComponentSelectors.RoundRobin"/> with it, so that one text changes at a time.
    /// </summary>
    public bool ToolDescriptions { get; init; }

    /// <summary>Keeps the best outputs of each validation example in the result: search at inference time.</summary>
    public bool TrackBestOutputs { get; init; }

    /// <summary>Ends the search before its budget; see <see cref="StopConditions"/>. Time and stop requests are the run's own: see <see cref="OptimizerOptions.Budget"/>.</summary>
    public IStopCondition? StopWhen { get; init; }

    /// <summary>Evaluations that the search may ask for.</summary>
    internal long Limit(int components, int train, int selection) =>
        MaxMetricCalls ?? (MaxFullEvaluations is { } passes ? (long)passes * (train + selection) : AutoBudget(Auto!.Value, components, selection));

    internal override void Validate()
    {
        base.Validate();
        if ((Auto is null ? 0 : 1) + (MaxFullEvaluations is null ? 0 : 1) + (MaxMetricCalls is null ? 0 : 1) != 1)
            throw new HoneException($"Set exactly one of {nameof(Auto)}, {nameof(MaxFullEvaluations)} and {nameof(MaxMetricCalls)}: how much GEPA may spend.");
        foreach (var (name, part) in new (string, object?)[]
        {
            (nameof(ParentSelector), ParentSelector), (nameof(ComponentSelector), ComponentSelector), (nameof(Acceptance), Acceptance),
        })
        {
            if (part is null)
                throw new HoneException($"{name} is null.");
        }
    }

    internal override string Describe() => base.Describe() + FormattableString.Invariant(
        $"; minibatch={MinibatchSize}; sampling={Sampling.Parents}x{Sampling.Minibatches}; parent={ParentSelector.Name}; component={ComponentSelector.Name}")
        + FormattableString.Invariant(
        $"; acceptance={Acceptance.Name}; selection={Selection.Most}; front={Front}; merge={UseMerge}/{MaxMerges}/{MergeExamples}; skip={SkipPerfectMinibatches}")
        + FormattableString.Invariant(
        $"; format={AddFormatFailures}; reflector={ProgramParts.Identity(ReflectionModel)}; mode={Reflection}; records={MaxRecordTokens}; text={MaxTextTokens}; whole={ShowWholeRuns}")
        + (ToolDescriptions ? "; tools" : string.Empty)
        + (KeepPlaceholders ? "; placeholders" : string.Empty)
        + (ConfirmationExamples > 0 ? FormattableString.Invariant($"; confirmation={ConfirmationExamples}") : string.Empty)
        + (ValidationSlice is null ? string.Empty : FormattableString.Invariant($"; slice={ValidationSlice}"));

    // The reference's formula, so that its figures can be compared.
    private static long AutoBudget(GepaBudgetSize size, int components, int selection)
    {
        var n = (int)size;
        var trials = (long)Math.Max(4 * Math.Max(1, components) * Math.Log2(n), 1.5 * n);
        return selection + (5L * n) + (35 * trials) + ((((trials + 1) / 5) + 1 + (trials < 5 ? 1 : 0)) * selection);
    }

    private static void ThrowIfLessThanOne(long? value, string name) => ArgumentOutOfRangeException.ThrowIfLessThan(value ?? 1, 1, name);
}

/// <summary>How much a search may spend. The figure is the number of candidates that it is meant for.</summary>
public enum GepaBudgetSize
{
    /// <summary>A first look.</summary>
    Light = 6,

    /// <summary>The usual amount.</summary>
    Medium = 12,

    /// <summary>Thorough.</summary>
    Heavy = 18,
}

/// <summary>How records become a new text.</summary>
public enum ReflectionMode
{
    /// <summary>One request shows all records.</summary>
    OneRequest,

    /// <summary>
    /// Records are doubled, shuffled and dealt to several requests, whose texts a last one joins: for minibatches too large for one look (ComBEE).
    /// Below four records there is one request.
    /// </summary>
    MapReduce,
}

/// <summary>How many parents and minibatches an iteration takes: its changes are proposed and tried side by side.</summary>
/// <param name="Parents">Parents, each drawn on its own.</param>
/// <param name="Minibatches">Minibatches for each of them.</param>
public sealed record GepaSampling(int Parents, int Minibatches)
{
    /// <summary>Parents, each drawn on its own.</summary>
    public int Parents { get; } = Parents >= 1 ? Parents : throw new ArgumentOutOfRangeException(nameof(Parents), Parents, "At least 1.");

    /// <summary>Minibatches for each of them.</summary>
    public int Minibatches { get; } = Minibatches >= 1 ? Minibatches : throw new ArgumentOutOfRangeException(nameof(Minibatches), Minibatches, "At least 1.");

    /// <summary>One parent, one minibatch.</summary>
    public static GepaSampling Single { get; } = new(1, 1);

    /// <summary>Changes that an iteration tries.</summary>
    public int Tasks => Parents * Minibatches;

    /// <summary>One parent, several minibatches.</summary>
    public static GepaSampling SameParent(int minibatches) => new(1, minibatches);

    /// <summary>Several parents, a minibatch each.</summary>
    public static GepaSampling Independent(int parents) => new(parents, 1);
}

/// <summary>What candidates are compared at.</summary>
public enum FrontType
{
    /// <summary>Each validation example.</summary>
    Instance,

    /// <summary>Each objective, by its mean. Objectives are <see cref="Score.Parts"/>, all maximised; they choose parents, the score itself chooses the result.</summary>
    Objective,

    /// <summary>Each example and each objective.</summary>
    Hybrid,

    /// <summary>Each objective of each example.</summary>
    Cartesian,
}
