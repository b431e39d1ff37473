namespace Hone;

/// <summary>A search service could not be reached, refused, or answered with something that cannot be read.</summary>
public sealed class RetrievalException : HoneException
{
    private readonly bool isRetryable;

    /// <summary>Creates the error.</summary>
    /// <param name="message">What was wrong and what to do.</param>
    /// <param name="isRetryable">True when the same search may succeed if it is made again.</param>
    /// <param name="innerException">The cause.</param>
    public RetrievalException(string message, bool isRetryable = false, Exception? innerException = null) : base(message, innerException) =>
        this.isRetryable = isRetryable;

    /// <inheritdoc/>
    public override bool IsRetryable => isRetryable;

    /// <summary>HTTP status; null when no answer came.</summary>
    public int? Status { get; init; }

    /// <summary>How long the service asks to wait; null when it did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
