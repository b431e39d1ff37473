using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>How a model is asked: sampling and limits. Null leaves the choice to the next level, finally to the provider.</summary>
[JsonConverter(typeof(CallOptionsConverter))]
public sealed record CallOptions
{
    /// <summary>Sampling temperature; 0 is greedy.</summary>
    public float? Temperature { get; init; }

    /// <summary>Nucleus sampling: smallest probability mass kept, from 0 to 1.</summary>
    public float? TopP { get; init; }

    /// <summary>Number of most likely tokens kept.</summary>
    public int? TopK { get; init; }

    /// <summary>Most tokens of one completion.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>Texts at which generation ends.</summary>
    public ImmutableArray<string> StopSequences { get; init; } = [];

    /// <summary>How much a reasoning model thinks before it answers.</summary>
    public ReasoningEffort? ReasoningEffort { get; init; }

    /// <summary>Makes tokens less likely the more often they have occurred, from -2 to 2.</summary>
    public float? FrequencyPenalty { get; init; }

    /// <summary>Makes tokens less likely once they have occurred, from -2 to 2.</summary>
    public float? PresencePenalty { get; init; }

    /// <summary>
    /// Number of an independent sample: calls that differ in it are cached apart, calls that agree share an entry. Never sent to a provider, so it
    /// changes nothing but the cache.
    /// </summary>
    public long? SampleId { get; init; }

    /// <summary>
    /// Asks for log-probabilities: as the additional property <c>logprobs</c> and <see cref="HoneChatOptions.LogProbs"/>. A client that reads
    /// neither needs <see cref="RawOptions"/>. Such calls are not cached.
    /// </summary>
    public bool? LogProbs { get; init; }

    /// <summary>
    /// Further options by the provider's name: text, numbers, truth values, JSON. They reach the client as additional properties and saved programs
    /// as JSON.
    /// </summary>
    /// <exception cref="LMConfigurationException">A name is that of a credential: those belong to the client, since options are saved and logged.</exception>
    public ImmutableSortedDictionary<string, object?> Additional
    {
        get;
        init => field = WithoutSecrets(value);
    } = ImmutableSortedDictionary.Create<string, object?>(StringComparer.Ordinal);

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
        FrequencyPenalty = over.FrequencyPenalty ?? FrequencyPenalty,
        PresencePenalty = over.PresencePenalty ?? PresencePenalty,
        SampleId = over.SampleId ?? SampleId,
        LogProbs = over.LogProbs ?? LogProbs,
        Additional = over.Additional.IsEmpty ? Additional : Additional.SetItems(over.Additional),
        RawOptions = over.RawOptions ?? RawOptions,
    };

    /// <summary>Structural equality; raw options are equal when they are the same function.</summary>
    public bool Equals(CallOptions? other) => ReferenceEquals(this, other) || (other is not null
        && (Temperature, TopP, TopK, MaxOutputTokens) == (other.Temperature, other.TopP, other.TopK, other.MaxOutputTokens)
        && (ReasoningEffort, FrequencyPenalty, PresencePenalty) == (other.ReasoningEffort, other.FrequencyPenalty, other.PresencePenalty)
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
        Reasoning = ReasoningEffort is { } effort ? new() { Effort = effort } : null,
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
        foreach (var name in additional.Keys)
        {
            if (SecretText.IsSecretName(name))
                throw new LMConfigurationException(
                    $"The additional option '{name}' is named like a credential. Call options are saved and logged: give credentials to the chat client instead.");
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
