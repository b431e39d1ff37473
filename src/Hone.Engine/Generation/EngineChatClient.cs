using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.AI;

namespace Hone.Engine;

/// <summary>
/// Chats with a model in this process. Any number of calls may run at once and are computed together; what a call samples depends on the weights,
/// its messages, options and seed only. Responses carry <see cref="SampledTokens"/> under <see cref="SampledTokens.Key"/>.
/// </summary>
public sealed class EngineChatClient : IChatClient
{
    // What CallOptions has no property for, and changes what is sampled.
    private static readonly string[] Uncomputed = ["min_p", "repetition_penalty", "typical_p"];

    private readonly EngineModel _model;
    private readonly EngineOptions _options;
    private readonly ChatClientMetadata _metadata;
    private readonly InferenceModel? _onDevice;
    private long _unseededCalls;

    /// <summary>Creates a client with worker threads of its own.</summary>
    /// <param name="model">The model; not disposed by the client.</param>
    /// <param name="options">How to run it.</param>
    /// <exception cref="ArgumentException">The context asked for is longer than the model's.</exception>
    public EngineChatClient(EngineModel model, EngineOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _options = options ?? new EngineOptions();
        _metadata = new ChatClientMetadata("hone-engine", defaultModelId: model.Name);
        var context = _options.MaxContext ?? model.Config.MaxPositions;
        if (context > model.Config.MaxPositions)
            throw new ArgumentException(
                $"{nameof(EngineOptions)}.{nameof(EngineOptions.MaxContext)} is {context}, but model '{model.Name}' holds " +
                $"{model.Config.MaxPositions} positions.",
                nameof(options));
        // A device takes all requests together; threads would only split them.
        var kernels = _options.Device.Kernels;
        var workers = kernels.IsHost ? _options.Workers : 1;
        var limits = new GenerationLimits(
            Sequences: (_options.MaxBatchRows + workers - 1) / workers, PrefillRows: kernels.IsHost ? 512 : 2048, context,
            CacheBytes: (long)_options.PrefixCacheMegabytes * 1024 * 1024 / workers);
        _onDevice = kernels.IsHost ? null : InferenceModel.Create(model.Weights, kernels);
        Scheduler = new GenerationScheduler(_onDevice ?? model.Inference, _options.PolicyVersion, workers, limits);
    }

    /// <summary>True when the model belongs to this client and is disposed with it.</summary>
    internal bool OwnsModel { get; init; }

    /// <summary>Further services of the client, from rooms that this one does not see.</summary>
    internal Func<Type, object?>? Services { get; init; }

    /// <summary>The scheduler, for whoever changes the weights.</summary>
    internal GenerationScheduler Scheduler { get; }

    /// <inheritdoc/>
    /// <exception cref="ContextLengthExceededException">The prompt leaves no room for an answer.</exception>
    /// <exception cref="NotSupportedException">The options ask for something that an in-process model does not do.</exception>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var call = Prepare(messages, options, stream: null);
        var result = await Scheduler.GenerateAsync(call.Request, cancellationToken).ConfigureAwait(false);
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, TextOf(result, call.StopSequences)))
        {
            ResponseId = call.Id,
            ModelId = _model.Name,
            FinishReason = FinishReasonOf(result),
            Usage = UsageOf(call.Request, result),
            AdditionalProperties = PropertiesOf(call.Request, result),
        };
    }

    /// <inheritdoc/>
    /// <exception cref="ContextLengthExceededException">The prompt leaves no room for an answer.</exception>
    /// <exception cref="NotSupportedException">The options ask for something that an in-process model does not do.</exception>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateUnbounded<int>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        var call = Prepare(messages, options, channel.Writer);
        // A consumer that stops reading early must stop the row as well.
        using var abandoned = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var generation = Scheduler.GenerateAsync(call.Request, abandoned.Token);
        try
        {
            var text = new StreamedText(_model, call.StopSequences);
            // A request that never starts (a prompt too long) leaves the channel open: its error is thrown below.
            while (!generation.IsFaulted && await channel.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (channel.Reader.TryRead(out var token))
                    if (text.Append(token) is { Length: > 0 } part) yield return Update(call, part);
            }
            var result = await generation.ConfigureAwait(false);
            if (text.Finish() is { Length: > 0 } rest) yield return Update(call, rest);
            var last = Update(call, null);
            last.MessageId = null; // so that its properties become the response's, not the message's
            last.FinishReason = FinishReasonOf(result);
            last.Contents.Add(new UsageContent(UsageOf(call.Request, result)));
            last.AdditionalProperties = PropertiesOf(call.Request, result);
            yield return last;
        }
        finally
        {
            await abandoned.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        if (serviceType == typeof(ChatClientMetadata)) return _metadata;
        if (serviceType == typeof(EngineModel)) return _model;
        if (serviceType == typeof(ITokenTextSource)) return _model.Tokenizer;
        return serviceType.IsInstanceOfType(this) ? this : Services?.Invoke(serviceType);
    }

    /// <summary>Stops the worker threads; calls that still run fail.</summary>
    public void Dispose()
    {
        Scheduler.Dispose();
        _onDevice?.Dispose();
        if (OwnsModel) _model.Dispose();
    }

    private Call Prepare(IEnumerable<ChatMessage> messages, ChatOptions? options, ChannelWriter<int>? stream)
    {
        ArgumentNullException.ThrowIfNull(messages);
        Refuse(options);
        List<ChatMessage> all = [.. messages];
        if (!string.IsNullOrEmpty(options?.Instructions)) all.Insert(0, new ChatMessage(ChatRole.System, options.Instructions));
        var prompt = _model.Tokenizer.Encode(_model.Template.Render(all, addGenerationPrompt: true, _options.Template));
        var room = Scheduler.Limits.MaxContext - prompt.Length;
        if (room < 1) throw new ContextLengthExceededException(prompt.Length, 1, Scheduler.Limits.MaxContext);
        var call = Interlocked.Increment(ref _unseededCalls);
        var seed = options?.Seed is { } given ? (ulong)given : new RandomStream((ulong)_options.Seed ^ ((ulong)call << 32)).NextBits();
        var sampling = new SamplingOptions(options?.Temperature ?? 1, options?.TopP ?? 1, options?.TopK ?? 0, seed);
        var stops = options?.StopSequences is { Count: > 0 } sequences ? sequences.ToArray() : [];
        var request = new GenerationRequest(prompt, sampling, Math.Min(options?.MaxOutputTokens ?? room, room), _model.EndTokenIds)
        {
            Stop = stops.Length > 0 ? new StopMatcher(stops) : null,
            Tokenizer = _model.Tokenizer,
            Stream = stream,
        };
        return new Call(request, stops, $"hone-{call}");
    }

    // What would otherwise be ignored without a word.
    private static void Refuse(ChatOptions? options)
    {
        var refused = options switch
        {
            { Tools.Count: > 0 } => (nameof(ChatOptions.Tools), "describe the tools in the prompt"),
            { ResponseFormat: not (null or ChatResponseFormatText) } => (nameof(ChatOptions.ResponseFormat), "ask for the format in the prompt"),
            { FrequencyPenalty: not (null or 0) } => (nameof(ChatOptions.FrequencyPenalty), "leave it out"),
            { PresencePenalty: not (null or 0) } => (nameof(ChatOptions.PresencePenalty), "leave it out"),
            { AdditionalProperties: { } more } when more.Keys.FirstOrDefault(key => Uncomputed.Contains(key)) is { } name =>
                ($"{nameof(ChatOptions.AdditionalProperties)}[\"{name}\"]", "leave it out"),
            _ => default,
        };
        if (refused.Item1 is not null)
            throw new NotSupportedException(
                $"{nameof(ChatOptions)}.{refused.Item1} is set, which an in-process model does not support: {refused.Item2}.");
    }

    private string TextOf(GenerationResult result, string[] stops)
    {
        var text = _model.Tokenizer.Decode(result.Tokens, skipSpecial: true);
        var stop = StopMatcher.FirstIn(text, stops);
        return stop < 0 ? text : text[..stop];
    }

    private static ChatFinishReason FinishReasonOf(GenerationResult result) =>
        result.End == GenerationEnd.Length ? ChatFinishReason.Length : ChatFinishReason.Stop;

    private static UsageDetails UsageOf(GenerationRequest request, GenerationResult result) => new()
    {
        InputTokenCount = request.Prompt.Length,
        OutputTokenCount = result.Tokens.Length,
        TotalTokenCount = request.Prompt.Length + result.Tokens.Length,
        CachedInputTokenCount = result.CachedTokens,
    };

    private static AdditionalPropertiesDictionary PropertiesOf(GenerationRequest request, GenerationResult result) => new()
    {
        [SampledTokens.Key] = new SampledTokens(
            request.Prompt, result.Tokens, result.LogProbs, result.ModelVersion, request.Sampling.Temperature, result.End == GenerationEnd.Length),
    };

    private ChatResponseUpdate Update(Call call, string? text) =>
        new(ChatRole.Assistant, text is null ? [] : [new TextContent(text)]) { ResponseId = call.Id, MessageId = call.Id, ModelId = _model.Name };

    private sealed record Call(GenerationRequest Request, string[] StopSequences, string Id);
}
