using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>How a model is asked: sampling and limits. Null leaves the choice to the next level, finally to the provider.</summary>
[JsonConverter(typeof(CallOptionsConverter))]
public sealed record CallOptions
{
    private ImmutableSortedDictionary<string, object?> additional = ImmutableSortedDictionary.Create<string, object?>(StringComparer.Ordinal);

    /// <summary>Sampling temperature; 0 is greedy.</summary>
    public float? Temperature { get; init; }

    /// <summary>Nucleus sampling: smallest probability mass kept, from 0 to 1.</summary>
    public float? TopP { get; init; }

    /// <summary>Number of most likely tokens kept.</summary>
    public int? TopK { get; init; }

    /// <summary>Most tokens of one completion; at least 1.</summary>
    /// <exception cref="LMConfigurationException">It is less.</exception>
    public int? MaxOutputTokens
    {
        get;
        init => field = value is { } most ? OptionRange.AtLeast(most, 1) : null;
    }

    /// <summary>Texts at which generation ends.</summary>
    public ImmutableArray<string> StopSequences { get; init; } = [];

    /// <summary>How much a reasoning model thinks before it answers.</summary>
    public ReasoningEffort? ReasoningEffort { get; init; }

    /// <summary>
    /// How much of its thoughts a reasoning model gives back. Null leaves it to the provider; a <see cref="Reasoning"/> output that the provider fills
    /// asks for all. <see cref="Microsoft.Extensions.AI.ReasoningOutput.None"/> asks for such an output as text.
    /// </summary>
    public ReasoningOutput? ReasoningOutput { get; init; }

    /// <summary>Whether the model may, must or must not call a tool. Counts only where tools are given to the model as tools; agents overrule it.</summary>
    public ChatToolMode? ToolMode { get; init; }

    /// <summary>Whether one answer may call several tools. Counts only where tools are given to the model as tools.</summary>
    public bool? AllowMultipleToolCalls { get; init; }

    /// <summary>Makes tokens less likely the more often they have occurred, from -2 to 2.</summary>
    public float? FrequencyPenalty { get; init; }

    /// <summary>Makes tokens less likely once they have occurred, from -2 to 2.</summary>
    public float? PresencePenalty { get; init; }

    /// <summary>
    /// Number of an independent sample: calls that differ in it are cached apart, calls that agree share an entry. Never sent to a provider, so it
    /// changes nothing but the cache. At temperature 0 samples are alike and share an entry; <see cref="LM.Logger"/> is told so once.
    /// </summary>
    public long? SampleId { get; init; }

    /// <summary>
    /// Asks for log-probabilities: as the additional property <c>logprobs</c>, which OpenAI's client sends, and <see cref="HoneChatOptions.LogProbs"/>.
    /// A client that reads neither needs <see cref="RawOptions"/>. Such calls are not cached.
    /// </summary>
    public bool? LogProbs { get; init; }

    /// <summary>
    /// Further options by the provider's name: text, numbers, truth values, JSON. OpenAI's client sends them as they are, and they win over the other
    /// options. They reach any client as additional properties, which some ignore (Anthropic's: a warning says so), and saved programs as JSON.
    /// </summary>
    /// <exception cref="LMConfigurationException">
    /// A name, or one within a value, is that of a credential: those belong to the client, since options are saved and logged.
    /// </exception>
    public ImmutableSortedDictionary<string, object?> Additional
    {
        get => additional;
        init => additional = WithoutSecrets(value);
    }

    /// <summary>Makes the provider's own options object, which the client then completes; never saved. The cache needs it to have a JSON form.</summary>
    [JsonIgnore]
    public Func<IChatClient, object?>? RawOptions { get; init; }

    /// <summary>Every choice of <paramref name="over"/> where it has one, else of this.</summary>
    public CallOptions Overlay(CallOptions? over) => over is null || ReferenceEquals(over, this) ? this : new()
    {
        Temperature = over.Temperature ?? Temperature,
        TopP = over.TopP ?? TopP,
        TopK = over.TopK ?? TopK,
        MaxOutputTokens = over.MaxOutputTokens ?? MaxOutputTokens,
        StopSequences = over.StopSequences.IsDefaultOrEmpty ? StopSequences : over.StopSequences,
        ReasoningEffort = over.ReasoningEffort ?? ReasoningEffort,
        ReasoningOutput = over.ReasoningOutput ?? ReasoningOutput,
        ToolMode = over.ToolMode ?? ToolMode,
        AllowMultipleToolCalls = over.AllowMultipleToolCalls ?? AllowMultipleToolCalls,
        FrequencyPenalty = over.FrequencyPenalty ?? FrequencyPenalty,
        PresencePenalty = over.PresencePenalty ?? PresencePenalty,
        SampleId = over.SampleId ?? SampleId,
        LogProbs = over.LogProbs ?? LogProbs,
        additional = over.Additional.IsEmpty ? Additional : Additional.SetItems(over.Additional),
        RawOptions = over.RawOptions ?? RawOptions,
    };

    /// <summary>Structural equality; raw options are equal when they are the same function.</summary>
    public bool Equals(CallOptions? other) => ReferenceEquals(this, other) || (other is not null
        && (Temperature, TopP, TopK, MaxOutputTokens) == (other.Temperature, other.TopP, other.TopK, other.MaxOutputTokens)
        && (ReasoningEffort, FrequencyPenalty, PresencePenalty) == (other.ReasoningEffort, other.FrequencyPenalty, other.PresencePenalty)
        && (ReasoningOutput, AllowMultipleToolCalls) == (other.ReasoningOutput, other.AllowMultipleToolCalls) && Equals(ToolMode, other.ToolMode)
        && (SampleId, LogProbs, RawOptions) == (other.SampleId, other.LogProbs, other.RawOptions)
        && StopsOf(this).SequenceEqual(StopsOf(other))
        && AdditionalEquals(Additional, other.Additional));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(
        Temperature, TopP, TopK, MaxOutputTokens, StopsOf(this).Length, HashCode.Combine(ReasoningEffort, FrequencyPenalty, PresencePenalty), SampleId, Additional.Count);

    internal HoneChatOptions ToChatOptions(long? seed) => new()
    {
        Temperature = Temperature,
        TopP = TopP,
        TopK = TopK,
        MaxOutputTokens = MaxOutputTokens,
        StopSequences = StopSequences.IsDefaultOrEmpty ? null : [.. StopSequences],
        Reasoning = ReasoningEffort is null && ReasoningOutput is null ? null : new() { Effort = ReasoningEffort, Output = ReasoningOutput },
        ToolMode = ToolMode,
        AllowMultipleToolCalls = AllowMultipleToolCalls,
        FrequencyPenalty = FrequencyPenalty,
        PresencePenalty = PresencePenalty,
        SampleId = SampleId,
        LogProbs = LogProbs,
        RawRepresentationFactory = RawOptions,
        AdditionalProperties = AdditionalProperties(),
        Seed = seed,
    };

    private AdditionalPropertiesDictionary? AdditionalProperties()
    {
        if (Additional.IsEmpty && LogProbs is null)
            return null;
        var properties = new AdditionalPropertiesDictionary(Additional);
        if (LogProbs is { } logProbs)
            properties.TryAdd("logprobs", logProbs);
        return properties;
    }

    private static ImmutableSortedDictionary<string, object?> WithoutSecrets(ImmutableSortedDictionary<string, object?> additional)
    {
        ArgumentNullException.ThrowIfNull(additional);
        foreach (var (name, value) in additional)
        {
            var secret = SecretText.IsSecretName(name) ? name : SecretText.FindWithin(value) is { } within ? $"{name}.{within}" : null;
            if (secret is not null)
                throw new LMConfigurationException(
                    $"The additional option '{secret}' is named like a credential. Call options are saved and logged: "
                    + "give credentials to the chat client instead.");
        }

        return additional;
    }

    private static ImmutableArray<string> StopsOf(CallOptions options) => options.StopSequences.IsDefault ? [] : options.StopSequences;

    private static bool AdditionalEquals(ImmutableSortedDictionary<string, object?> left, ImmutableSortedDictionary<string, object?> right)
    {
        if (ReferenceEquals(left, right))
            return true;
        if (left.Count != right.Count)
            return false;
        foreach (var (name, value) in left)
        {
            if (!right.TryGetValue(name, out var other) || !StableJson.AreEqual(value, other))
                return false;
        }

        return true;
    }
}
