using System.Globalization;
using System.Text.Json;

namespace Hone.Sandbox;

/// <summary>A process of its own, from its first piece of code to its end.</summary>
internal sealed class PythonSession(IPythonGuest process, CodeSessionOptions options, CodeToolSet tools, PythonOptions python, Action<PythonSession> forget) : ICodeSession
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    private readonly CodeLimits limits = options.Limits;
    private int isBusy;
    private int requests;
    private int toolCalls;
    private volatile bool hasEnded;

    /// <summary>Gives the process what the session offers.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var files = new List<(string Name, byte[] Content)>();
        foreach (var (name, path) in python.Files)
        {
            if (name.Length == 0 || name.AsSpan().ContainsAny('/', '\\') || name.StartsWith('.'))
                throw new HoneException($"The file '{path}' is given as '{name}', which is no plain file name.");
            files.Add((name, await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false)));
        }

        try
        {
            using var reply = await RequestAsync("start", json => WriteSettings(json, files), python.StartTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (CodeException error)
        {
            // There is no code yet that could be at fault.
            throw new CodeInterpreterException($"Python took no session: {error.Description}", error);
        }
    }

    public async Task<CodeResult> ExecuteAsync(string code, IReadOnlyDictionary<string, object?>? variables = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(code);
        var given = CodeValues.ToJson(variables);
        using var reply = await RequestAsync(
            "execute",
            json =>
            {
                json.WriteString("code", code);
                json.WriteString("variables", given);
            },
            limits.Timeout,
            cancellationToken).ConfigureAwait(false);
        var result = reply.RootElement.GetProperty("result");
        ThrowIfError(result);
        return new()
        {
            Value = CodeValues.FromJson(Text(result, "value")),
            IsValueCut = result.TryGetProperty("valueCut", out var valueCut) && valueCut.ValueKind == JsonValueKind.True,
            Submitted = CodeValues.FromJson(Text(result, "submitted")) as FieldMap,
            Output = Text(result, "output") ?? string.Empty,
            IsOutputCut = result.TryGetProperty("cut", out var cut) && cut.ValueKind == JsonValueKind.True,
        };
    }

    public async Task<object?> ReadAsync(string name, CancellationToken cancellationToken = default)
    {
        CodeValues.CheckName(name, "The variable");
        using var reply = await RequestAsync("read", json => json.WriteString("name", name), limits.Timeout, cancellationToken).ConfigureAwait(false);
        var result = reply.RootElement.GetProperty("result");
        ThrowIfError(result);
        return CodeValues.FromJson(Text(result, "value"));
    }

    public ValueTask DisposeAsync()
    {
        hasEnded = true;
        process.Dispose();
        forget(this);
        return ValueTask.CompletedTask;
    }

    private void WriteSettings(Utf8JsonWriter json, List<(string Name, byte[] Content)> files)
    {
        json.WriteString("source", RunnerFiles.Session);
        json.WriteStartObject("files");
        foreach (var (name, content) in files)
            json.WriteBase64String(name, content);
        json.WriteEndObject();
        json.WriteStartObject("settings");
        json.WriteStartArray("tools");
        foreach (var name in tools.Names)
            json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteStartArray("outputs");
        foreach (var name in options.Outputs)
            json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteStartObject("limits");
        json.WriteNumber("output", limits.MaxOutputLength);
        json.WriteNumber("value", limits.MaxValueLength);
        json.WriteBoolean("cutValue", options.CutLongValue);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    // One request at a time; whatever ends it other than a reply ends the process, since nothing else stops code that runs.
    private async Task<JsonDocument> RequestAsync(string method, Action<Utf8JsonWriter> parameters, TimeSpan limit, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (hasEnded)
            throw new CodeInterpreterException("The session has ended. Open another one.");
        if (Interlocked.Exchange(ref isBusy, 1) == 1)
            throw new CodeInterpreterException("The session is running a piece of code. Wait for it, or open another session.");
        toolCalls = 0;
        var clock = new PausableLimit(limit, python.Time);
        using var expiry = clock.Expiry;
        var tooLarge = new CancellationTokenSource(); // Not disposed: the timer may look once more.
        using var any = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, expiry.Token, tooLarge.Token);
        using var timer = python.Time.CreateTimer(_ => CancelIfTooLarge(tooLarge), null, LookEvery, LookEvery);
        try
        {
            return await ConverseAsync(method, parameters, clock, any.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            End();
            cancellationToken.ThrowIfCancellationRequested();
            throw tooLarge.IsCancellationRequested
                ? Lost(CodeErrorKind.Memory, "MemoryError", "The code took more memory than it may.")
                : Lost(CodeErrorKind.Timeout, "TimeoutError", string.Create(CultureInfo.InvariantCulture, $"The code ran longer than {limit.TotalSeconds:0.###} s."));
        }
        catch (Exception error) when (error is IOException or JsonException or InvalidOperationException or KeyNotFoundException or ObjectDisposedException)
        {
            End();
            throw new CodeInterpreterException("The process of the session has ended. Open another session.", error);
        }
        finally
        {
            Volatile.Write(ref isBusy, 0);
        }
    }

    private async Task<JsonDocument> ConverseAsync(string method, Action<Utf8JsonWriter> parameters, PausableLimit clock, CancellationToken cancellationToken)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"h{++requests}");
        await process.SendAsync(json => WriteRequest(json, id, method, parameters), cancellationToken).ConfigureAwait(false);
        while (true)
        {
            var message = await process.ReceiveAsync(cancellationToken).ConfigureAwait(false);
            if (message is null)
            {
                End();
                throw Lost(CodeErrorKind.Runtime, "FatalError", "The code ended or broke the interpreter.");
            }

            var root = message.RootElement;
            if (root.TryGetProperty("method", out _))
            {
                using (message)
                    await CallToolAsync(root, clock, cancellationToken).ConfigureAwait(false);
            }
            else if (root.TryGetProperty("error", out _))
            {
                message.Dispose();
                End();
                throw Lost(CodeErrorKind.Runtime, "FatalError", "The code broke the interpreter.");
            }
            else if (root.TryGetProperty("id", out var answered) && answered.ValueKind == JsonValueKind.String && answered.ValueEquals(id) && root.TryGetProperty("result", out _))
            {
                return message;
            }
            else
            {
                message.Dispose();
            }
        }
    }

    private async Task CallToolAsync(JsonElement request, PausableLimit clock, CancellationToken cancellationToken)
    {
        var call = request.GetProperty("params");
        var id = request.GetProperty("id").GetString();
        if (++toolCalls > limits.MaxToolCalls)
        {
            End();
            throw Lost(CodeErrorKind.Limit, "LimitError", $"The code called tools more than {limits.MaxToolCalls} times.");
        }

        string? result = null, failure = null;
        clock.Pause();
        try
        {
            result = await tools.InvokeAsync(
                call.GetProperty("name").GetString()!,
                Text(call, "positional")!,
                Text(call, "named") is { Length: > 0 } named ? named : null,
                cancellationToken).ConfigureAwait(false);
        }
        catch (CodeException error)
        {
            failure = error.Description;
        }
        finally
        {
            clock.Resume();
        }

        await process.SendAsync(json => WriteAnswer(json, id, result, failure), cancellationToken).ConfigureAwait(false);
    }

    private static void WriteRequest(Utf8JsonWriter json, string id, string method, Action<Utf8JsonWriter> parameters)
    {
        json.WriteStartObject();
        json.WriteString("jsonrpc", "2.0");
        json.WriteString("id", id);
        json.WriteString("method", method);
        json.WriteStartObject("params");
        parameters(json);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteAnswer(Utf8JsonWriter json, string? id, string? result, string? failure)
    {
        json.WriteStartObject();
        json.WriteString("jsonrpc", "2.0");
        json.WriteString("id", id);
        if (failure is null)
        {
            json.WritePropertyName("result");
            json.WriteRawValue(result ?? "null");
        }
        else
        {
            json.WriteStartObject("error");
            json.WriteNumber("code", -32001);
            json.WriteString("message", failure);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static void ThrowIfError(JsonElement result)
    {
        if (!result.TryGetProperty("error", out var error))
            return;
        var kind = Enum.TryParse<CodeErrorKind>(Text(error, "kind"), out var known) ? known : CodeErrorKind.Runtime;
        int? line = error.TryGetProperty("line", out var number) && number.ValueKind == JsonValueKind.Number ? number.GetInt32() : null;
        throw new CodeException(kind, Text(error, "type") ?? "Error", Text(error, "message") ?? string.Empty, line) { Output = Text(result, "output") ?? string.Empty };
    }

    private static CodeException Lost(CodeErrorKind kind, string type, string what) =>
        new(kind, type, what + " Its variables are lost.") { IsSessionLost = true };

    private void CancelIfTooLarge(CancellationTokenSource tooLarge)
    {
        if (!hasEnded && process.IsTooLarge())
            tooLarge.Cancel();
    }

    private void End()
    {
        hasEnded = true;
        process.Kill();
    }
}
