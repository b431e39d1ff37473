namespace Hone;

/// <summary>How an evaluation is shown as a table.</summary>
public sealed record EvaluationTableOptions
{
    /// <summary>Name of the score's column.</summary>
    /// <value><c>score</c> by default.</value>
    public string MetricName { get; init; } = "score";

    /// <summary>How many rows are shown; the rest is counted.</summary>
    /// <value>20 by default.</value>
    public int MaxRows
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaxRows)); field = value; }
    } = 20;

    /// <summary>How many words of a cell are shown.</summary>
    /// <value>25 by default.</value>
    public int MaxWords
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxWords)); field = value; }
    } = 25;

    /// <summary>How many characters of a cell are shown.</summary>
    /// <value>40 by default.</value>
    public int MaxWidth
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxWidth)); field = value; }
    } = 40;

    /// <summary>True to show what the metric said in words.</summary>
    /// <value>False by default.</value>
    public bool ShowFeedback { get; init; }
}
