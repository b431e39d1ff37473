namespace Hone;

/// <summary>Two programs scored on the same examples with the same seeds.</summary>
/// <param name="Baseline">The first program's scores.</param>
/// <param name="Candidate">The second program's scores.</param>
/// <param name="Scores">Means, and the interval of their difference, example by example.</param>
public sealed record ProgramComparison<TIn, TOut>(
    EvaluationResult<TIn, TOut> Baseline, EvaluationResult<TIn, TOut> Candidate, PairedComparison Scores)
{
    /// <summary>Examples on which the candidate scores higher, largest gain first.</summary>
    public IEnumerable<(EvaluationRow<TIn, TOut> Baseline, EvaluationRow<TIn, TOut> Candidate)> Gains =>
        Pairs.Where(pair => Difference(pair) > 0).OrderByDescending(Difference);

    /// <summary>Examples on which the candidate scores lower, largest loss first.</summary>
    public IEnumerable<(EvaluationRow<TIn, TOut> Baseline, EvaluationRow<TIn, TOut> Candidate)> Losses =>
        Pairs.Where(pair => Difference(pair) < 0).OrderBy(Difference);

    private IEnumerable<(EvaluationRow<TIn, TOut> Baseline, EvaluationRow<TIn, TOut> Candidate)> Pairs => Baseline.Rows.Zip(Candidate.Rows);

    /// <summary>Both means, the gain and its interval as text.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"{Scores.Baseline:0.000} -> {Scores.Candidate:0.000}, gain {Scores.Gain:+0.000;-0.000;0.000} [{Scores.Interval.Low:+0.000;-0.000;0.000}, {Scores.Interval.High:+0.000;-0.000;0.000}], ")
        + FormattableString.Invariant($"{Gains.Count()} better and {Losses.Count()} worse of {Baseline.Rows.Length}")
        + (Scores.IsSignificant ? string.Empty : "; not significant");

    private static double Difference((EvaluationRow<TIn, TOut> Baseline, EvaluationRow<TIn, TOut> Candidate) pair) =>
        pair.Candidate.Score.Value - pair.Baseline.Score.Value;
}
