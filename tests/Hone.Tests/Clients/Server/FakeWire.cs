using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Hone.Tests.Clients.Server;

/// <summary>One provider's wire format.</summary>
internal abstract class FakeWire
{
    public static FakeWire For(FakeRequest request) => request.Path switch
    {
        _ when request.Path.EndsWith("/v1/messages", StringComparison.Ordinal) => new AnthropicWire(),
        _ when request.Path.EndsWith("/api/chat", StringComparison.Ordinal) => new OllamaWire(),
        _ => new OpenAIWire(),
    };

    public async Task AnswerAsync(HttpContext context, FakeRequest request, FakeReply reply)
    {
        var streams = Streams(request);
        context.Response.ContentType = streams ? StreamType : "application/json";
        if (!streams)
        {
            var whole = Whole(request, reply).ToJsonString();
            if (reply.CutAfter is not null)
            {
                context.Response.ContentLength = whole.Length + 100;
                await context.Response.WriteAsync(whole[..(whole.Length / 2)]);
                await context.Response.Body.FlushAsync();
                context.Abort();
                return;
            }

            await context.Response.WriteAsync(whole);
            return;
        }

        var pieces = 0;
        foreach (var piece in Pieces(request, reply))
        {
            if (pieces++ == reply.CutAfter)
            {
                await context.Response.Body.FlushAsync();
                await reply.CutGate;
                context.Abort();
                return;
            }

            await context.Response.WriteAsync(piece);
            await context.Response.Body.FlushAsync();
        }
    }

    protected virtual string StreamType => "text/event-stream";

    protected virtual bool Streams(FakeRequest request) => request.IsStreaming;

    protected abstract JsonObject Whole(FakeRequest request, FakeReply reply);

    protected abstract IEnumerable<string> Pieces(FakeRequest request, FakeReply reply);

    /// <summary>The answer word by word, blanks kept.</summary>
    protected static IEnumerable<string> Words(string text)
    {
        var words = text.Split(' ');
        return words.Select((word, index) => index == 0 ? word : " " + word);
    }

    protected static string ModelOf(FakeRequest request) => request.Body.GetProperty("model").GetString()!;
}

/// <summary>OpenAI's chat completions.</summary>
internal sealed class OpenAIWire : FakeWire
{
    protected override JsonObject Whole(FakeRequest request, FakeReply reply) => new()
    {
        ["id"] = "chatcmpl-1",
        ["object"] = "chat.completion",
        ["created"] = 1_700_000_000,
        ["model"] = ModelOf(request),
        ["choices"] = new JsonArray(new JsonObject
        {
            ["index"] = 0,
            ["finish_reason"] = reply.FinishReason,
            ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = reply.Text },
        }),
        ["usage"] = Usage(reply),
    };

    protected override IEnumerable<string> Pieces(FakeRequest request, FakeReply reply)
    {
        foreach (var word in Words(reply.Text))
            yield return Event(Chunk(request, new() { ["role"] = "assistant", ["content"] = word }, null));
        yield return Event(Chunk(request, [], reply.FinishReason));
        var last = Chunk(request, [], null);
        last["choices"] = new JsonArray();
        last["usage"] = Usage(reply);
        yield return Event(last);
        yield return "data: [DONE]\n\n";
    }

    private static JsonObject Chunk(FakeRequest request, JsonObject delta, string? finish) => new()
    {
        ["id"] = "chatcmpl-1",
        ["object"] = "chat.completion.chunk",
        ["created"] = 1_700_000_000,
        ["model"] = ModelOf(request),
        ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = delta, ["finish_reason"] = finish }),
    };

    private static JsonObject Usage(FakeReply reply) => new()
    {
        ["prompt_tokens"] = reply.InputTokens,
        ["completion_tokens"] = reply.OutputTokens,
        ["total_tokens"] = reply.InputTokens + reply.OutputTokens,
    };

    private static string Event(JsonNode json) => $"data: {json.ToJsonString()}\n\n";
}

/// <summary>Anthropic's messages.</summary>
internal sealed class AnthropicWire : FakeWire
{
    protected override JsonObject Whole(FakeRequest request, FakeReply reply) => Message(request, reply, new JsonArray(new JsonObject { ["type"] = "text", ["text"] = reply.Text }), Stop(reply));

    protected override IEnumerable<string> Pieces(FakeRequest request, FakeReply reply)
    {
        yield return Event("message_start", new() { ["message"] = Message(request, reply, [], null) });
        yield return Event("content_block_start", new() { ["index"] = 0, ["content_block"] = new JsonObject { ["type"] = "text", ["text"] = "" } });
        foreach (var word in Words(reply.Text))
            yield return Event("content_block_delta", new() { ["index"] = 0, ["delta"] = new JsonObject { ["type"] = "text_delta", ["text"] = word } });
        yield return Event("content_block_stop", new() { ["index"] = 0 });
        yield return Event("message_delta", new()
        {
            ["delta"] = new JsonObject { ["stop_reason"] = Stop(reply), ["stop_sequence"] = null },
            ["usage"] = new JsonObject { ["output_tokens"] = reply.OutputTokens },
        });
        yield return Event("message_stop", []);
    }

    private static JsonObject Message(FakeRequest request, FakeReply reply, JsonArray content, string? stop) => new()
    {
        ["id"] = "msg_1",
        ["type"] = "message",
        ["role"] = "assistant",
        ["model"] = ModelOf(request),
        ["content"] = content,
        ["stop_reason"] = stop,
        ["stop_sequence"] = null,
        ["usage"] = new JsonObject { ["input_tokens"] = reply.InputTokens, ["output_tokens"] = reply.OutputTokens },
    };

    private static string Stop(FakeReply reply) => reply.FinishReason == "length" ? "max_tokens" : "end_turn";

    private static string Event(string type, JsonObject json)
    {
        json["type"] = type;
        return $"event: {type}\ndata: {json.ToJsonString()}\n\n";
    }
}

/// <summary>Ollama's chat.</summary>
internal sealed class OllamaWire : FakeWire
{
    protected override string StreamType => "application/x-ndjson";

    protected override bool Streams(FakeRequest request) =>
        !request.Body.TryGetProperty("stream", out var stream) || stream.ValueKind != JsonValueKind.False;

    protected override JsonObject Whole(FakeRequest request, FakeReply reply) => Message(request, reply.Text, reply);

    protected override IEnumerable<string> Pieces(FakeRequest request, FakeReply reply)
    {
        foreach (var word in Words(reply.Text))
            yield return Message(request, word, null).ToJsonString() + "\n";
        yield return Message(request, string.Empty, reply).ToJsonString() + "\n";
    }

    private static JsonObject Message(FakeRequest request, string text, FakeReply? end)
    {
        var message = new JsonObject
        {
            ["model"] = ModelOf(request),
            ["created_at"] = "2026-01-02T03:04:05Z",
            ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = text },
            ["done"] = end is not null,
        };
        if (end is null)
            return message;
        message["done_reason"] = end.FinishReason;
        message["prompt_eval_count"] = end.InputTokens;
        message["eval_count"] = end.OutputTokens;
        return message;
    }
}
