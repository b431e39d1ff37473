namespace Hone.Reinforcement;

/// <summary>
/// A training service failed. A run that meets it ends instead of learning from the outage; what it had saved can be resumed. Texts are scrubbed of
/// credentials.
/// </summary>
public class TrainingServiceException : HoneException
{
    /// <summary>Creates the error.</summary>
    public TrainingServiceException(string message, Exception? innerException = null) : base(message, innerException)
    {
    }

    /// <summary>What was asked of the service, e.g. <c>optim_step</c>; empty when unknown.</summary>
    public string Operation { get; init; } = string.Empty;

    /// <summary>HTTP status; null when no whole answer came.</summary>
    public int? Status { get; init; }
}

/// <summary>A training service made no progress within the time it was given: it hangs, or its trainer has died.</summary>
public sealed class TrainingServiceTimeoutException(string message, Exception? innerException = null) : TrainingServiceException(message, innerException);

/// <summary>A training service no longer has what it was asked for: a model, a job, a checkpoint. The message says what is lost and what is left.</summary>
public sealed class TrainingStateLostException(string message, Exception? innerException = null) : TrainingServiceException(message, innerException);

/// <summary>A run asks for something that a training service cannot do. The message names the option; nothing was spent.</summary>
public sealed class TrainingNotSupportedException(string message) : HoneException(message)
{
    /// <summary>The options that are the reason, e.g. <c>Loss.Delta</c>.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];
}
