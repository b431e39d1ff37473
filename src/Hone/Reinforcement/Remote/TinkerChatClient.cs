using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Hone.Reinforcement;

/// <summary>Chats with weights of a Tinker service; responses carry the exact tokens that were sampled.</summary>
internal sealed class TinkerChatClient(TinkerClient client, Func<CancellationToken, ValueTask<TinkerWeights>> weights) : IChatClient
{
    // Seeds of services are 32-bit numbers.
    private const long SeedMask = int.MaxValue;

    private readonly ChatClientMetadata metadata = new("tinker", client.Options.Address, client.Options.BaseModel);

    /// <summary>Further services, e.g. training.</summary>
    public Func<Type, object?>? Services { get; init; }

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        RemoteChat.Refuse(options, "a Tinker service");
        var prompt = client.Options.Tokenizer.Encode(RemoteChat.WithInstructions(messages, options));
        var room = client.MaxSequenceLength - prompt.Count;
        if (room < 1)
            throw new ContextWindowExceededException($"The prompt has {prompt.Count} tokens; {client.MaxSequenceLengthOf} is {client.MaxSequenceLength}.");
        string[] stops = [.. options?.StopSequences ?? []];
        var sampling = new TinkerSampling(
            Math.Min(options?.MaxOutputTokens ?? client.Options.MaxCompletionTokens, room), options?.Seed is { } seed ? (int)(seed & SeedMask) : null,
            options?.Temperature ?? 1, options?.TopK ?? -1, options?.TopP ?? 1, stops, client.Options.Tokenizer.StopIds);
        var from = await weights(cancellationToken).ConfigureAwait(false);
        var result = await client.RunAsync("asample", writer => TinkerWire.WriteSample(writer, prompt, sampling, from), isRepeatable: true, cancellationToken).ConfigureAwait(false);
        var (tokens, logProbs, isTruncated) = TinkerClient.Read("asample", result, TinkerWire.ReadSample);
        return new(new ChatMessage(ChatRole.Assistant, RemoteChat.CutAt(stops, client.Options.Tokenizer.Decode(tokens))))
        {
            ModelId = client.Options.BaseModel,
            FinishReason = isTruncated ? ChatFinishReason.Length : ChatFinishReason.Stop,
            Usage = new() { InputTokenCount = prompt.Count, OutputTokenCount = tokens.Length, TotalTokenCount = prompt.Count + tokens.Length },
            AdditionalProperties = new() { [SampledTokens.Key] = new SampledTokens(prompt, tokens, logProbs, from.Version, sampling.Temperature, isTruncated) },
        };
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
        return serviceType == typeof(ChatClientMetadata) ? metadata
            : serviceType == typeof(IPolicyTokenizer) ? client.Options.Tokenizer
            : serviceType.IsInstanceOfType(this) ? this : Services?.Invoke(serviceType);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}

/// <summary>What the chat clients of training services share.</summary>
internal static class RemoteChat
{
    // What CallOptions has no property for, and changes what is sampled.
    private static readonly string[] Unsent = ["min_p", "repetition_penalty", "typical_p"];

    /// <summary>Refuses what would otherwise be ignored without a word.</summary>
    public static void Refuse(ChatOptions? options, string service)
    {
        var refused = options switch
        {
            { Tools.Count: > 0 } => (nameof(ChatOptions.Tools), "describe the tools in the prompt"),
            { ResponseFormat: not (null or ChatResponseFormatText) } => (nameof(ChatOptions.ResponseFormat), "ask for the format in the prompt"),
            { FrequencyPenalty: not (null or 0) } => (nameof(ChatOptions.FrequencyPenalty), "leave it out"),
            { PresencePenalty: not (null or 0) } => (nameof(ChatOptions.PresencePenalty), "leave it out"),
            { AdditionalProperties: { } more } when more.Keys.FirstOrDefault(key => Unsent.Contains(key)) is { } name => ($"{nameof(ChatOptions.AdditionalProperties)}[\"{name}\"]", "leave it out"),
            _ => default,
        };
        if (refused.Item1 is not null)
            throw new NotSupportedException($"{nameof(ChatOptions)}.{refused.Item1} is set, which {service} does not support: {refused.Item2}.");
    }

    public static IReadOnlyList<ChatMessage> WithInstructions(IEnumerable<ChatMessage> messages, ChatOptions? options) =>
        string.IsNullOrEmpty(options?.Instructions) ? [.. messages] : [new(ChatRole.System, options.Instructions), .. messages];

    public static string CutAt(string[] stops, string text)
    {
        var first = stops.Select(stop => stop.Length == 0 ? -1 : text.IndexOf(stop, StringComparison.Ordinal)).Where(at => at >= 0).DefaultIfEmpty(text.Length).Min();
        return text[..first];
    }
}
