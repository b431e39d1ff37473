using System.Globalization;

namespace Hone.Tests.Clients.Server;

/// <summary>How a fake server answers one request.</summary>
internal sealed record FakeReply
{
    /// <summary>What the model says.</summary>
    public string Text { get; init; } = string.Empty;

    public int InputTokens { get; init; } = 7;

    public int OutputTokens { get; init; } = 3;

    /// <summary>In OpenAI's words; the other wires translate.</summary>
    public string FinishReason { get; init; } = "stop";

    /// <summary>Other than 200: an error with <see cref="Body"/>.</summary>
    public int Status { get; init; } = 200;

    /// <summary>Sent as it is, in place of an answer.</summary>
    public string? Body { get; init; }

    public string ContentType { get; init; } = "application/json";

    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>Never answers; ends when the caller goes.</summary>
    public bool Hangs { get; init; }

    /// <summary>Breaks the connection before the answer is whole; when streaming, after that many pieces.</summary>
    public int? CutAfter { get; init; }

    /// <summary>The break waits for this: a reset connection may lose what was sent but not read.</summary>
    public Task CutGate { get; init; } = Task.CompletedTask;

    /// <summary>Latency: the answer waits for this.</summary>
    public Task Gate { get; init; } = Task.CompletedTask;

    public static FakeReply Say(string text) => new() { Text = text };

    public static FakeReply Error(int status, string? code = null, string message = "no", string? retryAfter = null)
    {
        var headers = new Dictionary<string, string> { ["x-request-id"] = "req_42" };
        if (retryAfter is not null)
            headers["Retry-After"] = retryAfter;
        var named = code is null ? "" : string.Create(CultureInfo.InvariantCulture, $"\"code\":\"{code}\",");
        return new() { Status = status, Headers = headers, Body = $"{{\"error\":{{{named}\"message\":\"{message}\",\"type\":\"{code ?? "error"}\"}}}}" };
    }

    public static FakeReply Hang() => new() { Hangs = true };

    public static FakeReply Raw(string body) => new() { Body = body };
}

/// <summary>A request as a fake server saw it.</summary>
internal sealed record FakeRequest(string Path, IReadOnlyDictionary<string, string> Headers, System.Text.Json.JsonElement Body)
{
    public bool IsStreaming => Body.ValueKind == System.Text.Json.JsonValueKind.Object && Body.TryGetProperty("stream", out var stream) && stream.GetBoolean();
}
