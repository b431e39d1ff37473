namespace Hone.Optimizers;

/// <summary>
/// When training has gone wrong, and what happens then: the weights of the best validation come back, the learning rate is lowered and training goes on;
/// after too many returns the run ends with the best it had. Signs are looked for in the mean of the last <see cref="Window"/> steps.
/// </summary>
public sealed record CollapseOptions
{
    /// <summary>How many steps a sign must last.</summary>
    /// <value>3 by default.</value>
    public int Window
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(Window)); field = value; }
    } = 3;

    /// <summary>
    /// Share of rollouts with an unreadable answer above which the format has collapsed, if it had been at most half of that before. Null looks away.
    /// </summary>
    /// <value>0.5 by default.</value>
    public double? MaxFormatFailures { get; init; } = 0.5;

    /// <summary>How far the mean reward may fall below the best mean of as many steps before; null looks away.</summary>
    public double? MaxRewardDrop { get; init; }

    /// <summary>Entropy in nats a token below which the policy has collapsed; null looks away, since a policy that has learned its task also has little.</summary>
    public double? MinEntropy { get; init; }

    /// <summary>What the learning rate is multiplied by at each return.</summary>
    /// <value>0.5 by default.</value>
    public double LearningRateFactor
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(LearningRateFactor));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1, nameof(LearningRateFactor));
            field = value;
        }
    } = 0.5;

    /// <summary>Returns before the run gives up; 0 stops at the first collapse.</summary>
    /// <value>2 by default.</value>
    public int MaxRollbacks
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaxRollbacks)); field = value; }
    } = 2;

    /// <summary>The sign in these steps, in plain words; null when there is none.</summary>
    /// <param name="steps">The steps since the start or the last return, in order.</param>
    internal string? Find(IReadOnlyList<GrpoStepReport> steps)
    {
        if (steps.Count < Window)
            return null;
        var failures = Means(steps, report => report.UnreadableFraction);
        if (MaxFormatFailures is { } most && failures[^1] > most && failures.Min() <= most / 2)
            return FormattableString.Invariant($"{failures[^1]:P0} of the rollouts of the last {Window} steps had an unreadable answer; it had been {failures.Min():P0}.");
        var rewards = Means(steps, report => report.RewardMean);
        if (MaxRewardDrop is { } drop && rewards.Max() - rewards[^1] > drop)
            return FormattableString.Invariant($"The mean reward of the last {Window} steps is {rewards[^1]:0.000}; it had been {rewards.Max():0.000}.");
        var entropy = Means(steps, report => report.Entropy)[^1];
        return MinEntropy is { } least && entropy < least
            ? FormattableString.Invariant($"The entropy of the last {Window} steps is {entropy:0.0000} nats a token, below {least:0.0000}: the policy no longer tries anything else.")
            : null;
    }

    private double[] Means(IReadOnlyList<GrpoStepReport> steps, Func<GrpoStepReport, double> value) =>
        [.. Enumerable.Range(0, steps.Count - Window + 1).Select(start => Enumerable.Range(start, Window).Average(index => value(steps[index])))];
}
