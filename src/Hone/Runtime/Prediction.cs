namespace Hone;

/// <summary>The result of one run of a program.</summary>
/// <param name="Value">What the program returned.</param>
/// <param name="Trace">What its predictors did.</param>
public sealed record Prediction<TOut>(TOut Value, Trace Trace)
{
    /// <summary>What the run cost.</summary>
    public Usage Usage => Trace.Usage;

    /// <summary>How often an unreadable answer led to another request; 0 when every answer was read at once.</summary>
    public int RecoveryCount => Trace.RecoveryCount;
}

/// <summary>Scores one prediction against its example. May call judges; must not change state.</summary>
/// <returns>The score; a number or a boolean converts by itself.</returns>
public delegate ValueTask<Score> Metric<TIn, TOut>(Example<TIn, TOut> example, Prediction<TOut> prediction, CancellationToken cancellationToken);
