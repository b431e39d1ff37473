namespace Hone.Optimizers;

/// <summary>The samples of one example in a step, best first.</summary>
internal sealed class SimbaBucket(int example, IEnumerable<RunRecord> runs)
{
    public int Example { get; } = example;

    public IReadOnlyList<RunRecord> Runs { get; } = [.. runs.OrderByDescending(run => run.Score.Value)];

    public RunRecord Best => Runs[0];

    public RunRecord Worst => Runs[^1];

    public double Gap => Best.Score.Value - Worst.Score.Value;

    /// <summary>Where most can be learned first: the largest gap, then the highest score, then the greatest lead over the mean.</summary>
    public (double, double, double) Promise => (Gap, Best.Score.Value, Best.Score.Value - Runs.Average(run => run.Score.Value));
}
