using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// What a model and its client can do. The defaults come from one table by provider and model id, which knows families, not single models; say
/// better with <c>lm with { Capabilities = lm.Capabilities with { NativeTools = true } }</c>. A plain new value is a model that takes and gives text.
/// </summary>
public sealed record ModelCapabilities
{
    /// <summary>A model that takes and gives text, and nothing else.</summary>
    public static ModelCapabilities TextOnly { get; } = new();

    /// <summary>The answer can be held to a JSON schema.</summary>
    public bool ResponseSchema { get; init; }

    /// <summary>The answer can be held to JSON of any shape.</summary>
    public bool JsonMode { get; init; }

    /// <summary>Tools can be declared and are called in the provider's own format.</summary>
    public bool NativeTools { get; init; }

    /// <summary>Several tools can be called in one answer.</summary>
    public bool ParallelTools { get; init; }

    /// <summary>There is a system role; otherwise its text belongs into the first user message.</summary>
    public bool SystemRole { get; init; } = true;

    /// <summary>The model thinks before it answers, and how much can be chosen.</summary>
    public bool Reasoning { get; init; }

    /// <summary>
    /// The client gives the thoughts of the model back. Only then is a <see cref="Hone.Reasoning"/> output taken from them; without, it is asked for as
    /// text. OpenAI's chat API keeps them to itself, so this is false for its client; servers that send <c>reasoning_content</c>, and OpenAI's
    /// responses API, which sums them up, can be told: <c>lm with { Capabilities = lm.Capabilities with { ReasoningText = true } }</c>.
    /// </summary>
    public bool ReasoningText { get; init; }

    /// <summary>A temperature other than 1 may be chosen while the model thinks; otherwise such a call is refused before it is sent.</summary>
    public bool ReasoningTemperature { get; init; }

    /// <summary>Any temperature may be chosen; otherwise only 1 or none.</summary>
    public bool Temperature { get; init; } = true;

    /// <summary>Log-probabilities of the sampled tokens can be had. For information: <see cref="CallOptions.LogProbs"/> is sent in any case.</summary>
    public bool LogProbs { get; init; }

    /// <summary>One request can ask for several completions. For information: Hone asks for samples side by side, each with a seed of its own.</summary>
    public bool MultipleCompletions { get; init; }

    /// <summary>The answer can be streamed; otherwise a stream asks for the whole answer and tells it at once.</summary>
    public bool Streaming { get; init; } = true;

    /// <summary>Passages that support an answer are cited in a form of their own.</summary>
    public bool Citations { get; init; }

    /// <summary>Images are understood. A request with one to a model that is not known to take it is sent, with a warning.</summary>
    public bool Images { get; init; }

    /// <summary>Audio is understood. A request with some to a model that is not known to take it is sent, with a warning.</summary>
    public bool Audio { get; init; }

    /// <summary>Documents and files such as PDF are understood. A request with one to a model that is not known to take it is sent, with a warning.</summary>
    public bool Documents { get; init; }

    /// <summary>Most tokens of prompt and answer together; null when unknown. For information: the provider refuses a prompt that is too long.</summary>
    public int? MaxContextTokens { get; init; }

    /// <summary>Most tokens of one answer; null when unknown.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>Least limit that leaves room to think and answer; a lower one is refused. Null when any limit will do.</summary>
    public int? MinOutputTokens { get; init; }

    /// <summary>What the table says of a model.</summary>
    /// <param name="provider">Provider name as in <see cref="ChatClientMetadata"/>, e.g. <c>openai</c>.</param>
    /// <param name="model">Model id; a prefix such as <c>openai/</c> is ignored.</param>
    /// <param name="endpoint">Address of the provider; tells a provider from servers that speak its language.</param>
    public static ModelCapabilities For(string? provider, string? model, Uri? endpoint = null) => CapabilityTable.Find(provider, model, endpoint);

    /// <summary>Refuses options that this model's family rejects, before anything is sent. The only place that knows these rules.</summary>
    /// <exception cref="LMConfigurationException">An option is not allowed; the message says what to do.</exception>
    /// <exception cref="LMUnsupportedFeatureException">A temperature and a reasoning effort are chosen, which exclude each other.</exception>
    internal void Check(ChatOptions? options, string model)
    {
        if (options is null)
            return;
        if (!Temperature && options.Temperature is { } temperature and not 1)
            throw new LMConfigurationException(
                $"A temperature of {temperature} is set, but this reasoning model samples at 1 only. Leave {nameof(CallOptions.Temperature)} unset or set it to 1.")
            {
                Model = model,
            };
        if (!ReasoningTemperature && IsOtherThanOne(options.Temperature) && options.Reasoning?.Effort is { } effort and not ReasoningEffort.None)
            throw new LMUnsupportedFeatureException(
                $"A temperature of {options.Temperature} and the reasoning effort {effort} are set, but a model that thinks samples at 1 only. "
                + $"Leave {nameof(CallOptions.Temperature)} unset, or set {nameof(CallOptions.ReasoningEffort)} to {ReasoningEffort.None}.")
            {
                Model = model,
            };
        if (MinOutputTokens is { } least && options.MaxOutputTokens is { } limit && limit < least)
            throw new LMConfigurationException(
                $"The limit of {limit} output tokens is too low for a reasoning model, which thinks within it. "
                + $"Leave {nameof(CallOptions.MaxOutputTokens)} unset or set it to at least {least}.")
            {
                Model = model,
            };
    }

    /// <summary>True for a temperature that somebody chose and that is not 1, at which thinking models sample.</summary>
    internal static bool IsOtherThanOne(float? temperature) => temperature is not (null or 1);
}
