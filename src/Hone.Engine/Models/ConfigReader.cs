using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Engine;

/// <summary>Reads values of a <c>config.json</c> and names file and key when one is wrong.</summary>
internal sealed class ConfigReader(JsonObject root, string path)
{
    public InvalidDataException Error(string key, string problem) => new($"'{path}', key '{key}': {problem}.");

    public string Text(string key) => OptionalText(key) ?? throw Error(key, "missing; expected a string");

    public string? OptionalText(string key) => Value(root, key)?.TryGetValue<string>(out var text) == true ? text : null;

    public bool? OptionalFlag(string key) => Value(root, key) is not { } value ? null
        : value.TryGetValue<bool>(out var flag) ? flag : throw Error(key, $"{value.ToJsonString()} is not true or false");

    public double? OptionalNumber(string key) => Number(root, key);

    public int? OptionalInteger(string key) => Number(root, key) is not { } number ? null
        : number == Math.Floor(number) && Math.Abs(number) < int.MaxValue ? (int)number : throw Error(key, $"{number} is not a 32-bit integer");

    public int Positive(string key)
    {
        var value = OptionalInteger(key) ?? throw Error(key, "missing; expected a positive integer");
        return value > 0 ? value : throw Error(key, $"{value} is not positive");
    }

    public void Forbid(string key, string problem)
    {
        if (OptionalFlag(key) == true) throw Error(key, problem);
    }

    public void ForbidSection(string key, string problem)
    {
        if (root[key] is JsonObject { Count: > 0 }) throw Error(key, problem);
    }

    /// <summary>One integer, a list of integers, or nothing.</summary>
    public IReadOnlyList<int> Integers(string key)
    {
        if (root[key] is JsonArray list)
            return [.. list.Select(item => item is JsonValue value && value.TryGetValue<int>(out var id) ? id
                : throw Error(key, "expected integers only"))];
        return OptionalInteger(key) is { } single ? [single] : [];
    }

    /// <summary>Base and scaling of the rotary embedding: <c>rope_theta</c> + <c>rope_scaling</c>, or the newer <c>rope_parameters</c>.</summary>
    public (double Theta, RopeScaling? Scaling) Rope()
    {
        var (newer, older) = (Section("rope_parameters"), Section("rope_scaling"));
        var (key, section) = (newer is null ? "rope_scaling" : "rope_parameters", newer ?? older);
        var theta = (section is null ? null : Number(section, "rope_theta")) ?? OptionalNumber("rope_theta") ?? 10_000;
        var type = section is null ? "default" : (Value(section, "rope_type") ?? Value(section, "type"))?.ToString() ?? "default";
        if (type == "default") return (theta, null);
        if (type != "llama3") throw Error(key, $"rotary scaling of type '{type}' is not supported; expected default or llama3");
        double Need(string name) => Number(section!, name) ?? throw Error(key, $"'{name}' is missing for rope_type llama3");
        return (theta,
            new RopeScaling(Need("factor"), Need("low_freq_factor"), Need("high_freq_factor"), (int)Need("original_max_position_embeddings")));
    }

    private JsonObject? Section(string key) => root[key] is not { } node ? null
        : node as JsonObject ?? throw Error(key, $"{node.ToJsonString()} is neither an object nor null");

    private static JsonValue? Value(JsonObject section, string key) => section[key] as JsonValue;

    private double? Number(JsonObject section, string key) => Value(section, key) is not { } value ? null
        : value.GetValueKind() == JsonValueKind.Number ? value.GetValue<double>() : throw Error(key, $"{value.ToJsonString()} is not a number");
}
