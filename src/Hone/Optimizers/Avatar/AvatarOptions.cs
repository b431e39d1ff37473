namespace Hone.Optimizers;

/// <summary>Settings of <see cref="AvatarOptimizer{TIn,TOut}"/>.</summary>
public sealed record AvatarOptions : OptimizerOptions
{
    /// <summary>New instructions that are tried.</summary>
    /// <value>10 by default.</value>
    public int MaxIterations
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxIterations)); field = value; }
    } = 10;

    /// <summary>Runs with at most this score went wrong.</summary>
    /// <value>0 by default.</value>
    public double LowerBound { get; init; }

    /// <summary>Runs with at least this score went well.</summary>
    /// <value>1 by default.</value>
    public double UpperBound { get; init; } = 1;

    /// <summary>Most runs that went well in a comparison.</summary>
    /// <value>10 by default.</value>
    public int MaxPositives
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxPositives)); field = value; }
    } = 10;

    /// <summary>Most runs that went wrong in a comparison.</summary>
    /// <value>10 by default.</value>
    public int MaxNegatives
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxNegatives)); field = value; }
    } = 10;

    /// <summary>Path of the predictor whose instruction is rewritten, e.g. the one that chooses an agent's next action; null takes all in turn.</summary>
    public string? Predictor { get; init; }

    /// <summary>The model that compares and writes; the program's own when null.</summary>
    public LM? PromptModel { get; init; }

    /// <summary>Longest text of the runs that went well, and of those that went wrong, in tokens, counted as a quarter of the characters.</summary>
    /// <value>8000 by default.</value>
    public int MaxRecordTokens
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxRecordTokens)); field = value; }
    } = 8_000;

    internal override void Validate()
    {
        base.Validate();
        if (!(LowerBound < UpperBound))
            throw new HoneException($"{nameof(LowerBound)} must be below {nameof(UpperBound)}: a run cannot have gone wrong and well.");
    }

    internal override string Describe() => base.Describe() + FormattableString.Invariant(
        $"; iterations={MaxIterations}; bounds={LowerBound}..{UpperBound}; positives={MaxPositives}; negatives={MaxNegatives}; predictor={Predictor}; model={ProgramParts.Identity(PromptModel)}; records={MaxRecordTokens}");
}
