using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Engine;

/// <summary>Reads the scaling of rotary frequencies from its section of a <c>config.json</c>, and names file and key when something is wrong.</summary>
/// <param name="section">The section.</param>
/// <param name="key">Its key: <c>rope_scaling</c>, or <c>rope_parameters</c> in newer files.</param>
/// <param name="path">The file, for messages.</param>
/// <param name="positions">The model's <c>max_position_embeddings</c>, which stands for the original length where the section names none.</param>
internal sealed class RopeScalingReader(JsonObject section, string key, string path, int positions)
{
    private string _type = "default";

    public RopeScaling? Read()
    {
        _type = (Value("rope_type") ?? Value("type"))?.ToString() ?? "default";
        return _type switch
        {
            "default" => null,
            "linear" => new LinearRopeScaling(Factor(), Original() ?? positions),
            "llama3" => new Llama3RopeScaling(
                Factor(), Need("low_freq_factor"), Need("high_freq_factor"), Original() ?? throw Missing("original_max_position_embeddings")),
            "yarn" => Yarn(),
            "dynamic" => throw Error(
                "rotary scaling of type 'dynamic' is not supported: it turns all keys anew as a sequence grows, and the engine keeps keys. Use 'yarn' or " +
                $"'linear', or remove the scaling: up to max_position_embeddings ({positions} tokens) it changes nothing"),
            _ => throw Error($"rotary scaling of type '{_type}' is not supported; expected default, linear, llama3 or yarn"),
        };
    }

    private YarnRopeScaling Yarn()
    {
        var factor = Factor();
        var yarn = new YarnRopeScaling(factor, Original() ?? positions)
        {
            // Zero stands for nothing, as in transformers.
            BetaFast = Optional("beta_fast") is { } fast and not 0 ? fast : 32,
            BetaSlow = Optional("beta_slow") is { } slow and not 0 ? slow : 1,
            AttentionFactor = Optional("attention_factor") ?? AttentionOf(factor),
            Truncate = Value("truncate") is not { } truncate || (truncate.TryGetValue<bool>(out var flag)
                ? flag : throw Error($"'truncate' is {truncate.ToJsonString()}; expected true or false")),
        };
        if (yarn.AttentionFactor <= 0) throw Error($"'attention_factor' is {yarn.AttentionFactor}; expected a number above 0");
        return yarn.BetaFast >= yarn.BetaSlow && yarn.BetaSlow > 0 ? yarn
            : throw Error($"'beta_fast' is {yarn.BetaFast} and 'beta_slow' is {yarn.BetaSlow}; expected numbers above 0, the second not above the first");
    }

    // Two keys of other models' files say the same as one ratio.
    private double? AttentionOf(double factor) =>
        Optional("mscale") is { } scale and not 0 && Optional("mscale_all_dim") is { } all and not 0
            ? RopeFrequencies.YarnAttention(factor, scale) / RopeFrequencies.YarnAttention(factor, all) : null;

    private double Factor() => Need("factor") is var factor && factor >= 1 ? factor : throw Error($"'factor' is {factor}; expected a number of at least 1");

    private int? Original() => Optional("original_max_position_embeddings") is not { } number ? null
        : number == Math.Floor(number) && number is > 0 and < int.MaxValue ? (int)number
        : throw Error($"'original_max_position_embeddings' is {number}; expected a positive integer");

    private double Need(string name) => Optional(name) ?? throw Missing(name);

    private double? Optional(string name) => Value(name) is not { } value ? null
        : value.GetValueKind() == JsonValueKind.Number ? value.GetValue<double>() : throw Error($"'{name}' is {value.ToJsonString()}; expected a number");

    private JsonValue? Value(string name) => section[name] as JsonValue;

    private InvalidDataException Missing(string name) => Error($"'{name}' is missing for rope_type {_type}");

    private InvalidDataException Error(string problem) => new($"'{path}', key '{key}': {problem}.");
}
