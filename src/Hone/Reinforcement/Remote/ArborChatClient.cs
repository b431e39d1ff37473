using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone.Reinforcement;

/// <summary>
/// Chats with a model that Arbor serves. Its answers are text: Arbor tells neither the prompt's tokens nor numbers of tokens. Log-probabilities of an answer's tokens, as
/// text, are there when they are asked for: what is behind Arbor speaks OpenAI's protocol.
/// </summary>
internal sealed class ArborChatClient(ServiceConnection connection, string defaultModel, Func<CancellationToken, ValueTask<string>> model) : IChatClient
{
    private const string Path = "chat/completions";

    // As many in a row mean that no inference server is there at all.
    private const int MaxNullAnswers = 24;

    private int nullAnswers;

    private readonly ChatClientMetadata metadata = new("arbor", connection.Address, defaultModel);

    /// <summary>Further services, e.g. training.</summary>
    public Func<Type, object?>? Services { get; init; }

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        RemoteChat.Refuse(options, "Arbor");
        var name = await model(cancellationToken).ConfigureAwait(false);
        var all = RemoteChat.WithInstructions(messages, options);
        var reply = await connection.PostAsync(Path, writer => Write(writer, name, all, options), isRepeatable: true, cancellationToken).ConfigureAwait(false);
        if (!reply.IsSuccess)
            throw new HttpRequestException(reply.Detail, null, reply.Status);

        // Arbor answers null, with status 200, to everything that goes wrong behind it. That may be a passing thing: the model's retries see to it.
        if (reply.Body is { ValueKind: JsonValueKind.Object } body)
        {
            Interlocked.Exchange(ref nullAnswers, 0);
            return Read(body, name, WantsLogProbs(options));
        }

        var told = $"Arbor answered {Path} with nothing (a null body): its inference server failed or is not up. See inference.log in the job's directory under ~/.arbor/storage.";
        if (Interlocked.Increment(ref nullAnswers) >= MaxNullAnswers)
            throw new TrainingServiceException($"{told} That was the {MaxNullAnswers}th time in a row.") { Operation = Path, Status = 200 };
        throw new LMServerException(told) { Model = name, Provider = "arbor" };
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false)).ToChatResponseUpdates())
            yield return update;
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        return serviceType == typeof(ChatClientMetadata) ? metadata : serviceType.IsInstanceOfType(this) ? this : Services?.Invoke(serviceType);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static void Write(Utf8JsonWriter writer, string model, IReadOnlyList<ChatMessage> messages, ChatOptions? options)
    {
        writer.WriteString("model", model);
        writer.WriteStartArray("messages");
        ArborWire.WriteMessages(writer, messages);
        writer.WriteEndArray();
        if (options?.Temperature is { } temperature)
            writer.WriteNumber("temperature", temperature);
        if (options?.TopP is { } topP)
            writer.WriteNumber("top_p", topP);
        if (options?.TopK is { } topK)
            writer.WriteNumber("top_k", topK);
        if (options?.MaxOutputTokens is { } limit)
            writer.WriteNumber("max_tokens", limit);
        if (options?.Seed is { } seed)
            writer.WriteNumber("seed", (int)(seed & int.MaxValue));
        if (WantsLogProbs(options))
            writer.WriteBoolean("logprobs", true);
        if (options?.StopSequences is not { Count: > 0 } stops)
            return;
        writer.WriteStartArray("stop");
        foreach (var stop in stops)
            writer.WriteStringValue(stop);
        writer.WriteEndArray();
    }

    private static bool WantsLogProbs(ChatOptions? options) => options is HoneChatOptions { LogProbs: true };

    private static ChatResponse Read(JsonElement body, string model, bool keepsBody)
    {
        if (!body.TryGetProperty("choices", out var choices) || choices.ValueKind != JsonValueKind.Array || choices.GetArrayLength() == 0
            || !choices[0].TryGetProperty("message", out var message))
            throw new LMProviderException($"Arbor's answer has no choice: {SecretText.Scrub(body.GetRawText())[..Math.Min(200, body.GetRawText().Length)]}") { Model = model, Provider = "arbor" };
        var text = message.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.String ? content.GetString()! : string.Empty;
        var finish = choices[0].TryGetProperty("finish_reason", out var reason) && reason.ValueKind == JsonValueKind.String ? reason.GetString() : null;
        return new(new ChatMessage(ChatRole.Assistant, text))
        {
            ModelId = model,
            RawRepresentation = keepsBody ? body : null,
            FinishReason = finish == "length" ? ChatFinishReason.Length : ChatFinishReason.Stop,
            Usage = body.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object
                ? new() { InputTokenCount = Count(usage, "prompt_tokens"), OutputTokenCount = Count(usage, "completion_tokens"), TotalTokenCount = Count(usage, "total_tokens") }
                : null,
        };
    }

    private static long? Count(JsonElement usage, string name) =>
        usage.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : null;
}
