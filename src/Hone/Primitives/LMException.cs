namespace Hone;

/// <summary>A call to a language model failed. The subclasses say how; provider texts are scrubbed of credentials.</summary>
public class LMException : HoneException
{
    private LMErrorDetails details;

    /// <summary>Creates the error.</summary>
    public LMException(string message, Exception? innerException = null) : base(message, innerException)
    {
    }

    /// <inheritdoc/>
    public override string Message => Model is null ? base.Message : $"[{Model}] {base.Message}";

    /// <summary>A stable name of the kind of error, e.g. <c>rate_limit</c>.</summary>
    public virtual string Code => "lm_error";

    /// <summary>The model that was called; null when unknown.</summary>
    public string? Model
    {
        get => details.Model;
        init => details = details with { Model = value };
    }

    /// <summary>The provider that was called, e.g. <c>openai</c>; null when unknown.</summary>
    public string? Provider
    {
        get => details.Provider;
        init => details = details with { Provider = value };
    }

    /// <summary>What the provider calls the error, e.g. <c>context_length_exceeded</c>; null when it did not say.</summary>
    public string? ProviderCode
    {
        get => details.ProviderCode;
        init => details = details with { ProviderCode = value };
    }

    /// <summary>HTTP status; null when there was no answer.</summary>
    public int? Status
    {
        get => details.Status;
        init => details = details with { Status = value };
    }

    /// <summary>The provider's id of the request, for its support; null when it did not say.</summary>
    public string? RequestId
    {
        get => details.RequestId;
        init => details = details with { RequestId = value };
    }

    /// <summary>How long the provider asks to wait; null when it did not say.</summary>
    public TimeSpan? RetryAfter
    {
        get => details.RetryAfter;
        init => details = details with { RetryAfter = value };
    }

    /// <summary>Sets all that is known of the call, before the error is thrown.</summary>
    internal LMException With(LMErrorDetails known)
    {
        details = known;
        return this;
    }
}

/// <summary>What is known of a failed call.</summary>
internal readonly record struct LMErrorDetails(
    string? Model, string? Provider, string? ProviderCode, int? Status, string? RequestId, TimeSpan? RetryAfter);

/// <summary>The provider could not be reached, or the connection broke.</summary>
public class LMTransportException(string message, Exception? innerException = null) : LMException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "transport";

    /// <inheritdoc/>
    public override bool IsRetryable => true;
}

/// <summary>The call asks for something that the model's rules forbid, or the model is set up wrongly. Nothing was sent.</summary>
public class LMConfigurationException(string message, Exception? innerException = null) : LMException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "configuration";
}

/// <summary>The model lacks credentials or another setting that it cannot be called without.</summary>
public class LMNotConfiguredException(string message, Exception? innerException = null) : LMConfigurationException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "not_configured";
}

/// <summary>The model or its client does not offer what the call asks for.</summary>
public class LMUnsupportedFeatureException(string message, Exception? innerException = null) : LMException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "unsupported_feature";

    /// <summary>Names of what is not offered; empty when the provider did not say.</summary>
    public IReadOnlyList<string> Features { get; init; } = [];
}

/// <summary>The client failed in a way that is none of the others: see the inner exception.</summary>
public class LMUnexpectedException(string message, Exception? innerException = null) : LMException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "unexpected";
}

/// <summary>The provider answered, but with an error or with something that cannot be read.</summary>
public class LMProviderException(string message, Exception? innerException = null) : LMException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "provider";
}

/// <summary>The provider does not accept the credentials, or they may not use this model (401, 403).</summary>
public class LMAuthException(string message, Exception? innerException = null) : LMProviderException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "auth";
}

/// <summary>The account has no money or quota left (402).</summary>
public class LMBillingException(string message, Exception? innerException = null) : LMProviderException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "billing";
}

/// <summary>Too many requests or tokens in a time (429).</summary>
public class LMRateLimitException(string message, Exception? innerException = null) : LMProviderException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "rate_limit";

    /// <inheritdoc/>
    public override bool IsRetryable => true;
}

/// <summary>No answer came in time (408, or the client's own limit).</summary>
public class LMTimeoutException(string message, Exception? innerException = null) : LMProviderException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "timeout";

    /// <inheritdoc/>
    public override bool IsRetryable => true;
}

/// <summary>The provider is broken or overloaded (500 and above).</summary>
public class LMServerException(string message, Exception? innerException = null) : LMProviderException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "server";

    /// <inheritdoc/>
    public override bool IsRetryable => true;
}

/// <summary>The provider does not accept the request (400 and other statuses below 500).</summary>
public class LMInvalidRequestException(string message, Exception? innerException = null) : LMProviderException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "invalid_request";
}

/// <summary>The prompt, with the room for its answer, is longer than the model's context.</summary>
public class ContextWindowExceededException(string message, Exception? innerException = null) : LMInvalidRequestException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "context_window_exceeded";
}

/// <summary>The provider has no such model (404).</summary>
public class LMUnsupportedModelException(string message, Exception? innerException = null) : LMProviderException(message, innerException)
{
    /// <inheritdoc/>
    public override string Code => "unsupported_model";
}
