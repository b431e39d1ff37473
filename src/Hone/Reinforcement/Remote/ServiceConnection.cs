using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hone.Reinforcement;

/// <summary>How a training service is reached. No record: it holds a secret, which must not be shown.</summary>
internal sealed class ServiceSettings
{
    /// <summary>The service in error messages, e.g. "Arbor".</summary>
    public required string Service { get; init; }

    /// <summary>Ends in a slash.</summary>
    public required Uri Address { get; init; }

    /// <summary>Sent with every request, never logged.</summary>
    public (string Name, string Value)? Secret { get; init; }

    public HttpClient? Http { get; init; }

    public required TimeSpan RequestTimeout { get; init; }

    public required TimeSpan RetryWindow { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILogger? Logger { get; init; }
}

/// <summary>What a service answered, whatever the status.</summary>
internal readonly record struct ServiceReply(HttpStatusCode Status, JsonElement? Body, string Text, TimeSpan? RetryAfter)
{
    public bool IsSuccess => (int)Status is >= 200 and < 300;

    /// <summary>What the service says went wrong, in any of the shapes that FastAPI and Arbor use.</summary>
    public string Detail
    {
        get
        {
            if (Body is { ValueKind: JsonValueKind.Object } body)
            {
                foreach (var name in (ReadOnlySpan<string>)["detail", "message", "error"])
                {
                    if (body.TryGetProperty(name, out var value))
                        return SecretText.Scrub(value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText());
                }
            }

            var text = SecretText.Scrub(Text.Length <= 300 ? Text : Text[..300] + "…");
            return text.Length == 0 ? "no explanation" : text;
        }
    }
}

/// <summary>
/// JSON over HTTP to a training service. A request that may be repeated is, with growing pauses, for as long as the retry window lasts; what the
/// service answers is told as it is, and what never arrived whole becomes a typed error.
/// </summary>
internal sealed class ServiceConnection(ServiceSettings settings)
{
    // One pool for all connections that bring no client. Its own time limit would not know of long polls.
    private static readonly HttpClient Shared = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(10) }) { Timeout = Timeout.InfiniteTimeSpan };

    private static readonly MediaTypeHeaderValue Json = new("application/json");

    public TimeProvider Time => settings.Time;

    public ILogger Log => settings.Logger ?? NullLogger.Instance;

    public Uri Address => settings.Address;

    /// <summary>Sends a request and returns whatever was answered below 500.</summary>
    /// <param name="path">Path under the address; also the operation's name in errors.</param>
    /// <param name="write">Writes the members of the request's object.</param>
    /// <param name="isRepeatable">Whether a request that may or may not have arrived can be sent again.</param>
    /// <param name="cancellationToken">Ends the request and all pauses.</param>
    /// <exception cref="TrainingServiceException">No whole answer came, or one of 500 and above.</exception>
    public Task<ServiceReply> PostAsync(string path, Action<Utf8JsonWriter> write, bool isRepeatable, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, path, BodyOf(write), isRepeatable, cancellationToken);

    /// <summary>Asks for something that is only read, and so asked again like <see cref="PostAsync"/> what may be repeated.</summary>
    /// <exception cref="TrainingServiceException">No whole answer came, or one of 500 and above.</exception>
    public Task<ServiceReply> GetAsync(string path, CancellationToken cancellationToken) => SendAsync(HttpMethod.Get, path, body: null, isRepeatable: true, cancellationToken);

    /// <summary>Like <see cref="PostAsync"/>, for an object that must come back.</summary>
    /// <exception cref="TrainingServiceException">Anything else came back.</exception>
    public async Task<JsonElement> PostForObjectAsync(string path, Action<Utf8JsonWriter> write, bool isRepeatable, CancellationToken cancellationToken)
    {
        var reply = await PostAsync(path, write, isRepeatable, cancellationToken).ConfigureAwait(false);
        return reply.IsSuccess ? ObjectOf(path, reply) : throw Refused(path, reply);
    }

    /// <summary>The object of a reply; null and other bodies are errors, also with status 200.</summary>
    public JsonElement ObjectOf(string path, ServiceReply reply) => reply.Body is { ValueKind: JsonValueKind.Object } body
        ? body
        : throw new TrainingServiceException(
            $"{settings.Service} answered {path} with {(reply.Body is { ValueKind: JsonValueKind.Null } || reply.Text.Length == 0 ? "nothing (a null body)" : $"'{reply.Detail}'")} "
            + "where an object was due: something behind it failed. Its log says what.")
        {
            Operation = path,
            Status = (int)reply.Status,
        };

    /// <summary>The error of a refusal.</summary>
    public TrainingServiceException Refused(string path, ServiceReply reply) => new(reply.Status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => $"{settings.Service} at {settings.Address} does not accept the API key (HTTP {(int)reply.Status}): {reply.Detail}",
        HttpStatusCode.UnprocessableEntity => $"{settings.Service} does not understand the request {path} (HTTP 422): {reply.Detail} It may be of another version.",
        _ => $"{settings.Service} refused {path} (HTTP {(int)reply.Status}): {reply.Detail}",
    })
    {
        Operation = path,
        Status = (int)reply.Status,
    };

    private async Task<ServiceReply> SendAsync(HttpMethod method, string path, byte[]? body, bool isRepeatable, CancellationToken cancellationToken)
    {
        var started = Time.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            var failure = await TryAsync(method, path, body, cancellationToken).ConfigureAwait(false);
            if (failure.Reply is { } reply)
                return reply;
            var left = settings.RetryWindow - Time.GetElapsedTime(started);
            var pause = failure.RetryAfter ?? TimeSpan.FromSeconds(Math.Min(15, 0.25 * Math.Pow(2, attempt)));
            var isSafe = isRepeatable || failure.WasNotProcessed;
            if (!isSafe || left <= pause)
                throw failure.Error!;
            RemoteLog.Repeating(Log, settings.Service, path, pause, failure.Error!.Message);
            await Task.Delay(pause, Time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static byte[] BodyOf(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }

    private async Task<Attempt> TryAsync(HttpMethod method, string path, byte[]? body, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(settings.RequestTimeout, Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var request = new HttpRequestMessage(method, new Uri(settings.Address, path)) { Content = body is null ? null : new ByteArrayContent(body) };
            if (request.Content is { } content)
                content.Headers.ContentType = Json;
            request.Headers.Accept.Add(new("application/json"));
            if (settings.Secret is { } secret)
                request.Headers.TryAddWithoutValidation(secret.Name, secret.Value);
            using var response = await (settings.Http ?? Shared).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token).ConfigureAwait(false);
            var text = await response.Content.ReadAsStringAsync(either.Token).ConfigureAwait(false);
            var reply = new ServiceReply(response.StatusCode, Parse(text), text, RetryAfterOf(response));
            return (int)response.StatusCode switch
            {
                429 => new(null, Refused(path, reply), reply.RetryAfter, true),
                >= 500 => new(null, Refused(path, reply), reply.RetryAfter, response.StatusCode == HttpStatusCode.ServiceUnavailable),
                _ => new(reply, null, null, false),
            };
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            return new(null, new TrainingServiceTimeoutException(
                limit.IsCancellationRequested
                    ? $"{settings.Service} at {settings.Address} gave no answer to {path} within {settings.RequestTimeout}: it hangs, or needs a longer RequestTimeout."
                    : $"The HTTP client given for {settings.Service} gave up on {path} by itself: {error.Message} Make its own time limit infinite: RequestTimeout is what limits a request.",
                error)
            {
                Operation = path,
            }, null, false);
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            var isUnreachable = error is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError };
            return new(null, new TrainingServiceException(
                isUnreachable
                    ? $"{settings.Service} cannot be reached at {settings.Address}: {SecretText.Scrub(error.Message)} Is it running?"
                    : $"The connection to {settings.Service} broke during {path}: {SecretText.Scrub(error.Message)}",
                error)
            {
                Operation = path,
            }, null, isUnreachable);
        }
    }

    private static JsonElement? Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null; // the text is told instead
        }
    }

    private TimeSpan? RetryAfterOf(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } when date - Time.GetUtcNow() is var pause && pause > TimeSpan.Zero => pause, // clocks differ: a time that is past asks for nothing
        _ => null,
    };

    private readonly record struct Attempt(ServiceReply? Reply, TrainingServiceException? Error, TimeSpan? RetryAfter, bool WasNotProcessed);
}

/// <summary>What training clients log. Never a header, never a body.</summary>
internal static partial class RemoteLog
{
    [LoggerMessage(101, LogLevel.Warning, "{Service} failed at {Operation}; it is asked again in {Pause}. {Reason}")]
    public static partial void Repeating(ILogger logger, string service, string operation, TimeSpan pause, string reason);

    [LoggerMessage(102, LogLevel.Warning, "{Service} did not hear the heartbeat: {Reason}")]
    public static partial void HeartbeatMissed(ILogger logger, string service, string reason);

    [LoggerMessage(103, LogLevel.Warning, "{Count} groups have fewer than {Size} members, which Arbor does not take: their own members are repeated.")]
    public static partial void GroupsFilled(ILogger logger, int count, int size);

    [LoggerMessage(104, LogLevel.Warning, "{Service} could not be told that the session ends: {Reason}")]
    public static partial void NotClosed(ILogger logger, string service, string reason);

    [LoggerMessage(105, LogLevel.Warning, "{Count} groups of a step are left out: Arbor would learn from them more than {Most} updates after they were sampled (ArborOptions.MaxStaleness).")]
    public static partial void GroupsLeftOut(ILogger logger, int count, int most);
}
