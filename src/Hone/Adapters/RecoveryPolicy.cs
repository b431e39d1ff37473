namespace Hone;

/// <summary>
/// What happens when an answer cannot be read and could not be mended (<see cref="Adapter.RepairsLocally"/>): first the model is told what was
/// wrong and asked again, then the whole request is asked in another format. Every step is a call in the trace, logged, and counted on the
/// prediction. Errors of the model itself, refusals and answers cut off at the token limit are never asked again.
/// </summary>
public sealed record RecoveryPolicy
{
    /// <summary>One more try that states the error, then the JSON format.</summary>
    public static RecoveryPolicy Default { get; } = new();

    /// <summary>The first unreadable answer is the end: what learning and measuring want.</summary>
    public static RecoveryPolicy None { get; } = new() { ReAsks = 0, NextAdapter = null };

    /// <summary>How often the model is told what was wrong and asked again, for each adapter.</summary>
    /// <value>1 by default.</value>
    public int ReAsks
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(ReAsks)); field = value; }
    } = 1;

    /// <summary>The format of the last try; null for none. It is skipped when the request was in that format already.</summary>
    /// <value>The JSON format by default.</value>
    public Adapter? NextAdapter { get; init; } = JsonAdapter.Default;
}
