using System.Buffers;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Hone.AspNetCore;

/// <summary>A program as a model of the OpenAI chat protocol.</summary>
/// <param name="name">The model's name in answers.</param>
/// <param name="prepare">Reads a conversation and gives the run of it: what fails before the run is the client's fault, what fails in it is not.</param>
internal sealed class ChatEndpoint(string name, Func<IReadOnlyList<ChatMessage>, Func<CancellationToken, Task<(string Text, Usage Usage)>>> prepare)
{
    public async Task InvokeAsync(HttpContext context)
    {
        bool isStreaming;
        Func<CancellationToken, Task<(string Text, Usage Usage)>> run;
        try
        {
            using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted).ConfigureAwait(false);
            run = prepare(Messages(body.RootElement));
            isStreaming = body.RootElement.TryGetProperty("stream", out var stream) && stream.ValueKind == JsonValueKind.True;
        }
        catch (Exception error) when (error is JsonException or HoneException)
        {
            await WriteErrorAsync(context, StatusCodes.Status400BadRequest, error).ConfigureAwait(false);
            return;
        }

        try
        {
            var (text, usage) = await run(context.RequestAborted).ConfigureAwait(false);
            var time = (context.RequestServices.GetService<TimeProvider>() ?? TimeProvider.System).GetUtcNow().ToUnixTimeSeconds();
            if (isStreaming)
                await StreamAsync(context, text, usage, time).ConfigureAwait(false);
            else
                await JsonAnswer.WriteAsync(context, StatusCodes.Status200OK, writer => WriteAnswer(writer, context.TraceIdentifier, text, usage, time)).ConfigureAwait(false);
        }
        catch (HoneException error)
        {
            await WriteErrorAsync(context, Problem.StatusOf(error), error).ConfigureAwait(false);
        }
    }

    private static List<ChatMessage> Messages(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty("messages", out var messages) || messages.ValueKind != JsonValueKind.Array)
            throw new HoneException("A request of the chat protocol is a JSON object with a list 'messages'.");
        return [.. messages.EnumerateArray().Select(Message)];
    }

    private static ChatMessage Message(JsonElement message)
    {
        if (message.ValueKind != JsonValueKind.Object || !message.TryGetProperty("role", out var role) || role.ValueKind != JsonValueKind.String)
            throw new HoneException("A message is a JSON object with a 'role'.");
        var text = message.TryGetProperty("content", out var content) ? TextOf(content) : string.Empty;
        return new(new ChatRole(role.GetString()!), text);
    }

    // Text alone, or parts of which some are text.
    private static string TextOf(JsonElement content) => content.ValueKind switch
    {
        JsonValueKind.String => content.GetString()!,
        JsonValueKind.Array => string.Concat(content.EnumerateArray().Select(part =>
            part.ValueKind == JsonValueKind.Object && part.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : string.Empty)),
        JsonValueKind.Null => string.Empty,
        _ => throw new HoneException($"The content of a message is text or a list of parts, not {content.ValueKind}."),
    };

    private Task StreamAsync(HttpContext context, string text, Usage usage, long time)
    {
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache,no-store";
        SseItem<ReadOnlyMemory<byte>>[] events =
        [
            new(JsonAnswer.ToBytes(writer => WriteChunk(writer, context.TraceIdentifier, time, text, null, null))),
            new(JsonAnswer.ToBytes(writer => WriteChunk(writer, context.TraceIdentifier, time, null, "stop", usage))),
            new("[DONE]"u8.ToArray()),
        ];
        return SseFormatter.WriteAsync(events.ToAsyncEnumerable(), context.Response.Body, static (item, buffer) => buffer.Write(item.Data.Span), context.RequestAborted);
    }

    private void WriteAnswer(Utf8JsonWriter writer, string id, string text, Usage usage, long time)
    {
        Begin(writer, id, "chat.completion", time);
        writer.WriteStartObject("message");
        writer.WriteString("role", "assistant");
        writer.WriteString("content", text);
        writer.WriteEndObject();
        writer.WriteString("finish_reason", "stop");
        End(writer, usage);
    }

    private void WriteChunk(Utf8JsonWriter writer, string id, long time, string? text, string? finish, Usage? usage)
    {
        Begin(writer, id, "chat.completion.chunk", time);
        writer.WriteStartObject("delta");
        if (text is not null)
        {
            writer.WriteString("role", "assistant");
            writer.WriteString("content", text);
        }

        writer.WriteEndObject();
        writer.WriteString("finish_reason", finish);
        End(writer, usage);
    }

    private void Begin(Utf8JsonWriter writer, string id, string kind, long time)
    {
        writer.WriteStartObject();
        writer.WriteString("id", $"chatcmpl-{id}");
        writer.WriteString("object", kind);
        writer.WriteNumber("created", time);
        writer.WriteString("model", name);
        writer.WriteStartArray("choices");
        writer.WriteStartObject();
        writer.WriteNumber("index", 0);
    }

    private static void End(Utf8JsonWriter writer, Usage? usage)
    {
        writer.WriteEndObject();
        writer.WriteEndArray();
        if (usage is { } spent)
        {
            writer.WriteStartObject("usage");
            writer.WriteNumber("prompt_tokens", spent.InputTokens);
            writer.WriteNumber("completion_tokens", spent.OutputTokens);
            writer.WriteNumber("total_tokens", spent.TotalTokens);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    // In the protocol's own form, so that its clients tell the reason.
    private static Task WriteErrorAsync(HttpContext context, int status, Exception error)
    {
        Problem.SetRetryAfter(context, error);
        return JsonAnswer.WriteAsync(context, status, writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartObject("error");
            writer.WriteString("message", error.Message);
            writer.WriteString("type", status == StatusCodes.Status400BadRequest ? "invalid_request_error" : "server_error");
            writer.WriteString("code", (error as LMException)?.Code ?? error.GetType().Name);
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }
}
