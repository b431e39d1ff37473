using System.ClientModel;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;

namespace Hone;

/// <summary>
/// Turns what a client throws into an <see cref="LMException"/>: by type and status first, by the provider's code next, by words only when there is
/// nothing else. A caller's cancellation is not an error and is never passed here.
/// </summary>
internal static class ErrorMapper
{
    private const int MaxText = 600;

    private static readonly string[] ContextWords =
    [
        "context_length", "context length", "context window", "maximum context", "prompt is too long", "too many tokens", "input is too long",
        "input length and `max_tokens` exceed", "reduce the length",
    ];

    private static readonly string[] CredentialWords = ["api key", "api_key", "apikey", "credential", "environment variable", "access token"];

    /// <summary>The error in Hone's terms; Hone's own errors stay as they are.</summary>
    public static HoneException Map(Exception error, string model, string? provider, TimeProvider time)
    {
        if (error is HoneException own)
            return own;
        foreach (var link in Chain(error))
        {
            if (link is HoneException inner)
                return inner;
            var answer = ProviderError.Read(link, time);
            if (answer.Status is not null)
                return ByStatus(answer, error, model, provider);
        }

        foreach (var link in Chain(error))
        {
            if (ByType(link, error, model, provider) is { } mapped)
                return mapped;
        }

        return ByWords(error, model, provider);
    }

    // The error and its causes. A client that retried by itself reports all its tries: the last one counts.
    private static IEnumerable<Exception> Chain(Exception error)
    {
        for (Exception? link = error; link is not null; link = link is AggregateException { InnerExceptions: [.., var last] } ? last : link.InnerException)
            yield return link;
    }

    private static LMException ByStatus(ProviderError answer, Exception error, string model, string? provider)
    {
        var status = answer.Status!.Value;
        var text = $"HTTP {status}{(answer.Code is null ? "" : $" ({answer.Code})")}: {Clean(answer.Text)}";
        LMException mapped = (status, Kind(answer)) switch
        {
            (_, Refusal.Context) when status is >= 400 and < 500 => new ContextWindowExceededException(text, error),
            (400 or 404 or 422, Refusal.Feature) => new LMUnsupportedFeatureException(text, error) { Features = FeaturesOf(answer) },
            (400 or 404, Refusal.Model) => new LMUnsupportedModelException(text, error),
            (429, Refusal.Billing) => new LMBillingException(text, error),
            (401 or 403, _) => new LMAuthException(text, error),
            (402, _) => new LMBillingException(text, error),
            (404, _) => new LMUnsupportedModelException(text, error),
            (408, _) => new LMTimeoutException(text, error),
            (429, _) => new LMRateLimitException(text, error),
            ( >= 400 and < 500, _) => new LMInvalidRequestException(text, error),
            ( >= 500, _) => new LMServerException(text, error),
            _ => new LMProviderException(text, error),
        };
        return Describe(mapped, answer, model, provider);
    }

    private enum Refusal
    {
        None,
        Context,
        Feature,
        Model,
        Billing,
    }

    // What kind of refusal it is, within what the status allows: the provider's code first, then, for the context, its words, since most have no code for it.
    private static Refusal Kind(ProviderError answer) => answer.Code switch
    {
        "context_length_exceeded" or "string_above_max_length" or "exceed_context_size_error" => Refusal.Context,
        "unsupported_parameter" or "unsupported_value" or "unsupported_feature" => Refusal.Feature,
        "model_not_found" or "invalid_model" => Refusal.Model,
        "insufficient_quota" or "billing_hard_limit_reached" or "billing_not_active" => Refusal.Billing,
        _ when Contains(answer.Text, ContextWords) && answer.Status is 400 or 413 or 422 => Refusal.Context,
        _ => Refusal.None,
    };

    private static LMException? ByType(Exception link, Exception error, string model, string? provider)
    {
        LMException? mapped = link switch
        {
            OperationCanceledException or TimeoutException => new LMTimeoutException(
                $"No answer came within the client's time limit: {Clean(link.Message)} Raise the client's limit, or ask for less.", error),
            HttpRequestException { HttpRequestError: HttpRequestError.UserAuthenticationError } => new LMAuthException(Clean(link.Message), error),
            HttpRequestException or IOException or SocketException or AuthenticationException => new LMTransportException(Clean(link.Message), error),
            ClientResultException when link.InnerException is null => new LMTransportException(Clean(link.Message), error),
            JsonException => new LMProviderException($"The answer is not the JSON that the client expects: {Clean(link.Message)}", error),
            NotSupportedException or NotImplementedException => new LMUnsupportedFeatureException(Clean(link.Message), error),
            _ when link.GetType().Name is "OllamaException" or "ResponseError" => RefusedByWords(Clean(link.Message), error), // Ollama's client keeps the words of a 400 only
            _ when link.GetType().Name.Contains("DoesNotSupport", StringComparison.Ordinal) => new LMUnsupportedFeatureException(Clean(link.Message), error),
            _ => null,
        };
        return mapped is null ? null : Describe(mapped, default, model, provider);
    }

    private static LMInvalidRequestException RefusedByWords(string text, Exception error) =>
        Contains(text, ContextWords) ? new ContextWindowExceededException(text, error) : new LMInvalidRequestException(text, error);

    private static LMException ByWords(Exception error, string model, string? provider)
    {
        var text = Clean(error.Message);
        LMException mapped = Contains(text, CredentialWords)
            ? new LMNotConfiguredException($"{text} Set the credentials of the chat client.", error)
            : Contains(text, ContextWords) ? new ContextWindowExceededException(text, error)
            : Contains(text, ["timed out", "timeout"]) ? new LMTimeoutException(text, error)
            : Contains(text, ["connection reset", "connection refused", "network is unreachable"]) ? new LMTransportException(text, error)
            : new LMUnexpectedException($"The client failed with {error.GetType().Name}: {text}", error);
        return Describe(mapped, default, model, provider);
    }

    private static LMException Describe(LMException bare, ProviderError answer, string model, string? provider) => bare.With(new(
        model, provider, answer.Code, answer.Status, answer.RequestId, answer.RetryAfter));

    private static string[] FeaturesOf(ProviderError answer) =>
        answer.Text?.Split('\'') is { Length: >= 3 } parts ? [Clean(parts[1])] : [];

    private static bool Contains(string? text, string[] words) =>
        text is not null && words.Any(word => text.Contains(word, StringComparison.OrdinalIgnoreCase));

    private static string Clean(string? text)
    {
        var clean = SecretText.Scrub((text ?? string.Empty).ReplaceLineEndings(" ").Trim());
        clean = clean.Length <= MaxText ? clean : clean[..MaxText] + "…";
        return clean.Length == 0 || clean[^1] is '.' or '!' or '?' or '…' ? clean : clean + ".";
    }
}
