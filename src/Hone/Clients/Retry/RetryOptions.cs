namespace Hone;

/// <summary>
/// How calls that failed are made again: only on errors whose <see cref="HoneException.IsRetryable"/> is true, with delays that double, and a stream
/// only before its first update. Turn off the retries of the provider's own client, or they multiply and budgets miss them.
/// </summary>
public sealed record RetryOptions
{
    /// <summary>Three attempts in all, after 1 s and 2 s.</summary>
    public static RetryOptions Default { get; } = new();

    /// <summary>Most attempts, the first included; at least 1.</summary>
    public int MaxAttempts
    {
        get;
        init => field = value >= 1 ? value : throw new LMConfigurationException($"{nameof(MaxAttempts)} is {value}; it counts the first attempt and must be at least 1.");
    } = 3;

    /// <summary>Wait before the second attempt; it doubles with every further one.</summary>
    public TimeSpan BaseDelay
    {
        get;
        init => field = OptionRange.NotNegative(value);
    } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait of Hone's own choosing.</summary>
    public TimeSpan MaxDelay
    {
        get;
        init => field = OptionRange.NotNegative(value);
    } = TimeSpan.FromSeconds(30);

    /// <summary>Longest wait that a provider may ask for; when it asks for more, the error is thrown at once with its <see cref="LMException.RetryAfter"/>.</summary>
    public TimeSpan MaxRetryAfter
    {
        get;
        init => field = OptionRange.NotNegative(value);
    } = TimeSpan.FromSeconds(60);

    /// <summary>Largest fraction by which a wait is lengthened, so that many callers do not return together.</summary>
    public double Jitter { get; init; } = 0.2;

    /// <summary>Seed of the jitter.</summary>
    public long Seed { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The wait before the next attempt; null when there is to be none.</summary>
    /// <param name="error">Why the attempt failed.</param>
    /// <param name="attempt">Number of the failed attempt, from 1.</param>
    /// <param name="call">Number of the call, for its jitter.</param>
    /// <param name="retryAfter">How long a service that is no model asks to wait.</param>
    internal TimeSpan? DelayAfter(HoneException error, int attempt, long call, TimeSpan? retryAfter = null)
    {
        if (attempt >= MaxAttempts || !error.IsRetryable)
            return null;
        var wait = BaseDelay * Math.Pow(2, Math.Min(attempt - 1, 30));
        wait = wait < MaxDelay ? wait : MaxDelay;
        if ((retryAfter ?? (error as LMException)?.RetryAfter) is { } asked)
        {
            if (asked > MaxRetryAfter)
                return null;
            wait = asked > wait ? asked : wait;
        }

        var fraction = (new SeedStream(Seed).Derive("retry", call, attempt).Seed >>> 10) * (1.0 / (1L << 53));
        return wait * (1 + (Math.Clamp(Jitter, 0, 1) * fraction));
    }
}
