namespace Hone.Optimizers;

/// <summary>Settings of <see cref="Copro{TIn,TOut}"/>.</summary>
public sealed record CoproOptions : OptimizerOptions
{
    /// <summary>Instructions a round and predictor; in the first round the current one is among them.</summary>
    /// <value>10 by default, at least 2.</value>
    public int Breadth
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 2, nameof(Breadth)); field = value; }
    } = 10;

    /// <summary>Rounds.</summary>
    /// <value>3 by default.</value>
    public int Depth
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(Depth)); field = value; }
    } = 3;

    /// <summary>Sampling temperature of proposals.</summary>
    /// <value>1.4 by default.</value>
    public double InitTemperature
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(InitTemperature)); field = value; }
    } = 1.4;

    /// <summary>Tells <see cref="InstructionStatistics"/> after every round.</summary>
    public bool TrackStatistics { get; init; }

    /// <summary>The model that writes instructions; the program's own when null.</summary>
    public LM? PromptModel { get; init; }

    /// <summary>
    /// Scores wordings on a quarter of the examples that choose after the other, and gives one up as soon as even <see cref="OptimizerOptions.PerfectScore"/> on the
    /// rest would not make it better than the best so far. The result is the same for less; wordings that were given up are no candidates of it, and models
    /// are shown their means over what was scored.
    /// </summary>
    /// <value>False by default.</value>
    public bool Racing { get; init; }

    internal override void Validate()
    {
        base.Validate();
        if (Racing && PerfectScore is null)
            throw new HoneException($"{nameof(Racing)} gives wordings up by the best score that they could still reach: set {nameof(PerfectScore)}.");
    }

    internal override string Describe() => base.Describe() + FormattableString.Invariant(
        $"; breadth={Breadth}; depth={Depth}; temperature={InitTemperature}; prompt={ProgramParts.Identity(PromptModel)}") + (Racing ? "; racing" : string.Empty);
}

/// <summary>How the instructions of a predictor scored in a round of <see cref="Copro{TIn,TOut}"/>.</summary>
/// <param name="Component">The predictor's path.</param>
/// <param name="Round">The round, from 0.</param>
/// <param name="Latest">Of those scored in the round.</param>
/// <param name="Best">Of the best ten so far.</param>
public sealed record InstructionStatistics(string Component, int Round, ScoreSummary Latest, ScoreSummary Best) : OptimizerEvent;

/// <summary>Some scores in four numbers.</summary>
/// <param name="Max">The highest.</param>
/// <param name="Mean">The mean.</param>
/// <param name="Min">The lowest.</param>
/// <param name="Deviation">Standard deviation of these scores as a population.</param>
public sealed record ScoreSummary(double Max, double Mean, double Min, double Deviation)
{
    internal static ScoreSummary Of(IReadOnlyCollection<double> scores)
    {
        var mean = scores.Average();
        return new(scores.Max(), mean, scores.Min(), Math.Sqrt(scores.Average(score => (score - mean) * (score - mean))));
    }
}
