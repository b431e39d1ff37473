namespace Hone;

/// <summary>Settings of a metric that asks a judge.</summary>
public sealed record JudgeOptions
{
    /// <summary>An answer that scores at least this much passes.</summary>
    /// <value>0.66 by default.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is not a number: nothing would ever pass.</exception>
    public double Threshold
    {
        get;
        init => field = double.IsNaN(value) ? throw new ArgumentOutOfRangeException(nameof(Threshold), value, "Threshold is a number.") : value;
    } = 0.66;

    /// <summary>
    /// True to give 1 for answers that pass and 0 for others instead of the score itself: what an optimizer wants that keeps or drops whole runs. The part
    /// <c>f1</c> still tells the score.
    /// </summary>
    /// <value>False by default.</value>
    public bool PassOrFail { get; init; }

    /// <summary>Options over the judge's, e.g. temperature 0.</summary>
    public CallOptions? Options { get; init; }
}

/// <summary>What a judge looks at.</summary>
/// <param name="Question">What was asked.</param>
/// <param name="Reference">A right answer.</param>
/// <param name="Response">The answer that is judged.</param>
/// <param name="Context">What was retrieved for the answer; empty for judges that do not look at it.</param>
public sealed record JudgedAnswer(string Question, string Reference, string Response, string Context = "");
