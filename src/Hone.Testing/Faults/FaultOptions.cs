namespace Hone.Testing;

/// <summary>
/// What a <see cref="FaultInjectingChatClient"/> does to requests. Rates are fractions of all requests, from 0 to 1 each and together; at most one fault meets a request.
/// </summary>
public sealed record FaultOptions
{
    /// <summary>Decides which requests are met; the same seed meets the same requests, whatever runs beside them.</summary>
    public long Seed { get; init; }

    /// <summary>Requests that are refused as one too many (status 429).</summary>
    public double RateLimitRate { get; init => field = Fraction(value, nameof(RateLimitRate)); }

    /// <summary>The pause that such a refusal asks for.</summary>
    /// <value>One second by default.</value>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Requests that fail inside of the server (status 500).</summary>
    public double ServerErrorRate { get; init => field = Fraction(value, nameof(ServerErrorRate)); }

    /// <summary>Requests whose answer breaks off: a stream in its middle, a plain answer before it arrives.</summary>
    public double CutRate { get; init => field = Fraction(value, nameof(CutRate)); }

    /// <summary>Requests whose answer arrives mangled: half of it, without the signs that formats need; calls of tools without arguments that could be read.</summary>
    public double MalformedRate { get; init => field = Fraction(value, nameof(MalformedRate)); }

    /// <summary>How long every request takes at least.</summary>
    public TimeSpan Latency { get; init; }

    /// <summary>The clock of latencies.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    private static double Fraction(double value, string name) =>
        value is >= 0 and <= 1 ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} lies between 0 and 1.");
}

/// <summary>A fault that a request met.</summary>
public enum InjectedFault
{
    /// <summary>None.</summary>
    None,

    /// <summary>Refused with status 429.</summary>
    RateLimit,

    /// <summary>Failed with status 500.</summary>
    ServerError,

    /// <summary>Broken off.</summary>
    Cut,

    /// <summary>Mangled.</summary>
    Malformed,
}
