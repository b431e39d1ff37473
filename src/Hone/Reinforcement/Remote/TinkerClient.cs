using System.Net;
using System.Text.Json;

namespace Hone.Reinforcement;

/// <summary>Operations of a Tinker service whose results are waited for: submit, then ask for the result until it is there.</summary>
internal sealed class TinkerClient(ServiceConnection connection, TinkerOptions options)
{
    private const string Retrieve = "retrieve_future";

    public TinkerOptions Options => options;

    /// <summary>Longest prompt plus completion, in tokens: the option, or less where the service holds less.</summary>
    public int MaxSequenceLength => Math.Min(options.MaxSequenceLength, ServiceContext ?? int.MaxValue);

    /// <summary>Where <see cref="MaxSequenceLength"/> is from, for errors.</summary>
    public string MaxSequenceLengthOf => ServiceContext < options.MaxSequenceLength
        ? $"the context of {options.BaseModel} on the service at {options.Address}"
        : $"{nameof(TinkerOptions)}.{nameof(TinkerOptions.MaxSequenceLength)}";

    /// <summary>Tokens of the model's context as the service tells them; null while it has not told.</summary>
    public int? ServiceContext { get; set; }

    public Task<ServiceReply> GetAsync(string path, CancellationToken cancellationToken) => connection.GetAsync(path, cancellationToken);

    /// <inheritdoc cref="ServiceConnection.Refused"/>
    public TrainingServiceException RefusedBy(string path, ServiceReply reply) => connection.Refused(path, reply);

    public TimeProvider Time => connection.Time;

    public Microsoft.Extensions.Logging.ILogger Log => connection.Log;

    public Task<JsonElement> PostAsync(string path, Action<Utf8JsonWriter> write, bool isRepeatable, CancellationToken cancellationToken) =>
        connection.PostForObjectAsync(path, write, isRepeatable, cancellationToken);

    /// <summary>Submits an operation on a model and waits for its result.</summary>
    public async Task<JsonElement> RunAsync(string path, Action<Utf8JsonWriter> write, bool isRepeatable, CancellationToken cancellationToken) =>
        await ResultAsync(path, await SubmitAsync(path, write, isRepeatable, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    /// <summary>Submits an operation; returns the number under which its result is kept.</summary>
    public async Task<string> SubmitAsync(string path, Action<Utf8JsonWriter> write, bool isRepeatable, CancellationToken cancellationToken)
    {
        var reply = await connection.PostAsync(path, write, isRepeatable, cancellationToken).ConfigureAwait(false);
        if (reply.Status == HttpStatusCode.NotFound)
            throw Lost(path, reply.Detail);
        if (!reply.IsSuccess)
            throw Refused(path, reply);
        return RequestIdOf(path, connection.ObjectOf(path, reply));
    }

    /// <summary>Waits for a result: long polls that end with "not yet" are repeated until the operation's time is up.</summary>
    public async Task<JsonElement> ResultAsync(string path, string request, CancellationToken cancellationToken)
    {
        var started = Time.GetTimestamp();
        while (true)
        {
            var asked = Time.GetTimestamp();
            var reply = await connection.PostAsync(Retrieve, writer => writer.WriteString("request_id", request), isRepeatable: true, cancellationToken).ConfigureAwait(false);
            if (reply.Status == HttpStatusCode.RequestTimeout || IsTryAgain(reply))
            {
                await PauseAsync(path, request, started, asked, cancellationToken).ConfigureAwait(false);
                continue;
            }

            if (reply.Status is HttpStatusCode.NotFound or HttpStatusCode.Gone)
                throw Lost(path, reply.Detail);
            if (!reply.IsSuccess)
                throw Refused(path, reply);
            var result = connection.ObjectOf(path, reply);
            return result.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.String ? throw Refused(path, reply) : result;
        }
    }

    /// <summary>Reads a result; one of another shape is an error that names the operation.</summary>
    public static T Read<T>(string path, JsonElement result, Func<JsonElement, T> read)
    {
        try
        {
            return read(result);
        }
        catch (Exception error) when (error is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new TrainingServiceException($"The result of {path} cannot be read: {error.Message}. The service may speak another version of the protocol.", error) { Operation = path };
        }
    }

    private static bool IsTryAgain(ServiceReply reply) =>
        reply is { IsSuccess: true, Body: { ValueKind: JsonValueKind.Object } body } && body.TryGetProperty("type", out var type) && type.ValueEquals("try_again");

    private async Task PauseAsync(string path, string request, long started, long asked, CancellationToken cancellationToken)
    {
        var waited = Time.GetElapsedTime(started);
        if (waited >= options.OperationTimeout)
            throw new TrainingServiceTimeoutException(
                $"{path} (request {request}) gave no result within {options.OperationTimeout}: the service answers, but its engine does not get on. "
                + "Look at its log; raise TinkerOptions.OperationTimeout when it is only slow.")
            {
                Operation = path,
                Status = 408,
            };
        var rest = options.PollInterval - Time.GetElapsedTime(asked);
        if (rest > TimeSpan.Zero)
            await Task.Delay(rest, Time, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }

    // A sample that the service refuses is one call's fault, e.g. a prompt that is too long; everything else ends the run.
    private Exception Refused(string path, ServiceReply reply) =>
        path == "asample" && reply.Status is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity or HttpStatusCode.RequestEntityTooLarge
            ? new HttpRequestException(reply.Detail, null, reply.Status)
            : connection.Refused(path, reply);

    private TrainingStateLostException Lost(string path, string detail) => new(
        $"The service at {options.Address} no longer knows what {path} refers to ({detail}): it was restarted, or dropped the session. Weights since the last saved state are lost. "
        + "Run again with Resume to go on from that state, if the service kept its checkpoints.")
    {
        Operation = path,
        Status = 404,
    };

    private string RequestIdOf(string path, JsonElement body) =>
        body.TryGetProperty("request_id", out var id) && id.ValueKind is JsonValueKind.String or JsonValueKind.Number
            ? id.ToString()
            : throw new TrainingServiceException($"The service at {options.Address} took {path} but gave no request_id to ask for its result.") { Operation = path };
}
