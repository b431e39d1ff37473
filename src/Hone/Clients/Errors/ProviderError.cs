using System.ClientModel;
using System.ClientModel.Primitives;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Hone;

/// <summary>What an exception of any provider's client says of the provider's answer.</summary>
internal readonly record struct ProviderError(int? Status, string? Code, string? Text, string? RequestId, TimeSpan? RetryAfter)
{
    internal static readonly string[] RequestIdHeaders = ["x-request-id", "request-id", "x-amzn-requestid", "x-ms-request-id"];

    // Clients name their exceptions after the status; for those whose properties a trimmed application has lost.
    private static readonly (string Name, int Status)[] StatusNames =
    [
        ("BadRequest", 400), ("Unauthorized", 401), ("PaymentRequired", 402), ("Forbidden", 403), ("NotFound", 404), ("RequestTimeout", 408), ("Conflict", 409),
        ("ContentTooLarge", 413), ("UnprocessableEntity", 422), ("RateLimit", 429), ("TooManyRequests", 429), ("InternalServer", 500), ("BadGateway", 502),
        ("ServiceUnavailable", 503), ("GatewayTimeout", 504), ("Overloaded", 529), ("5xx", 500), ("4xx", 400),
    ];

    // What providers call an error that comes within a stream, after the status.
    private static readonly Dictionary<string, int> StatusCodes = new(StringComparer.Ordinal)
    {
        ["invalid_request_error"] = 400,
        ["authentication_error"] = 401,
        ["billing_error"] = 402,
        ["permission_error"] = 403,
        ["not_found_error"] = 404,
        ["rate_limit_error"] = 429,
        ["rate_limit_exceeded"] = 429,
        ["api_error"] = 500,
        ["server_error"] = 500,
        ["timeout_error"] = 504,
        ["overloaded_error"] = 529,
    };

    /// <summary>Reads one exception, not its inner ones.</summary>
    public static ProviderError Read(Exception error, TimeProvider time) => error switch
    {
        ClientResultException { Status: > 0 } result => Read(result, time),
        RefusedRequestException refused => refused.Read(time),
        HttpRequestException { StatusCode: { } status } => new((int)status, null, error.Message, null, null),
        HttpRequestException => default,
        HoneException => default,
        _ => ReadOther(error, StatusOf(error)),
    };

    private static ProviderError Read(ClientResultException error, TimeProvider time)
    {
        var response = error.GetRawResponse();
        var (code, text) = response is null ? default : ReadBody(BodyOf(response));
        return new(
            error.Status, code, text ?? error.Message,
            RequestIdHeaders.Select(name => Header(response, name)).FirstOrDefault(id => id is not null),
            ParseRetryAfter(Header(response, "retry-after-ms"), Header(response, "retry-after"), time));
    }

    private static ProviderError ReadOther(Exception error, int? status)
    {
        var (start, end) = (error.Message.IndexOf('{', StringComparison.Ordinal), error.Message.LastIndexOf('}'));
        var (code, text) = ReadBody(Property(error, "ResponseBody") as string ?? (start < 0 || end < start ? null : error.Message[start..(end + 1)]));
        if (status is null && code is not null && StatusCodes.TryGetValue(code, out var implied))
            status = implied;
        return status is null ? default : new(status, code ?? Property(error, "ErrorCode") as string, text ?? error.Message, Property(error, "RequestID") as string, null);
    }

    /// <summary>How long a provider asks to wait: milliseconds, seconds or a date.</summary>
    internal static TimeSpan? ParseRetryAfter(string? milliseconds, string? value, TimeProvider time)
    {
        if (double.TryParse(milliseconds, NumberStyles.Float, CultureInfo.InvariantCulture, out var exact) && exact is >= 0 and < 1e9)
            return TimeSpan.FromMilliseconds(exact);
        if (double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds))
            return seconds is >= 0 and < 1e7 ? TimeSpan.FromSeconds(seconds) : null;
        if (!RetryConditionHeaderValue.TryParse(value, out var parsed) || parsed.Date is not { } date)
            return null;
        var wait = date - time.GetUtcNow();
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    /// <summary>Code and text in an error body of OpenAI's, Anthropic's, Google's or Ollama's shape.</summary>
    internal static (string? Code, string? Text) ReadBody(string? body)
    {
        if (body is null || !body.AsSpan().TrimStart().StartsWith("{"))
            return default;
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (!root.TryGetProperty("error", out var error))
                error = root;
            if (error.ValueKind == JsonValueKind.String)
                return (null, error.GetString());
            if (error.ValueKind != JsonValueKind.Object)
                return default;
            return (Member(error, "code") ?? Member(error, "type") ?? Member(error, "status"), Member(error, "message") ?? Member(error, "detail"));
        }
        catch (JsonException)
        {
            return default;
        }
    }

    private static string? Member(JsonElement error, string name) =>
        error.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    private static string? BodyOf(PipelineResponse response)
    {
        try
        {
            return response.Content?.ToString();
        }
        catch (InvalidOperationException)
        {
            return null; // a streamed body that was not buffered
        }
    }

    private static string? Header(PipelineResponse? response, string name) =>
        response is not null && response.Headers.TryGetValue(name, out var value) ? value : null;

    private static int? StatusOf(Exception error)
    {
        switch (Property(error, "StatusCode") ?? Property(error, "Status"))
        {
            case HttpStatusCode status:
                return (int)status;
            case int status and >= 300 and < 1000:
                return status;
        }

        // Only exceptions of other libraries: System.UnauthorizedAccessException is no answer of a provider.
        for (var type = error.GetType(); type is not null && type.Namespace?.StartsWith("System", StringComparison.Ordinal) != true; type = type.BaseType)
        {
            foreach (var (name, status) in StatusNames)
            {
                if (type.Name.Contains(name, StringComparison.Ordinal))
                    return status;
            }
        }

        return null;
    }

    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "A property that was trimmed away is a property that is not there: the type's name then tells the status.")]
    private static object? Property(Exception error, string name)
    {
        try
        {
            return error.GetType().GetProperty(name) is { CanRead: true } property && property.GetIndexParameters().Length == 0 ? property.GetValue(error) : null;
        }
        catch (Exception failure) when (failure is System.Reflection.TargetInvocationException or System.Reflection.AmbiguousMatchException)
        {
            return null;
        }
    }
}
