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
    /// <param name="positions">The model's <c>max_position_embeddings</c>.</param>
    public (double Theta, RopeScaling? Scaling) Rope(int positions)
    {
        var (newer, older) = (Section("rope_parameters"), Section("rope_scaling"));
        var (key, section) = (newer is null ? "rope_scaling" : "rope_parameters", newer ?? older);
        var theta = (section is null ? null : Number(section, "rope_theta")) ?? OptionalNumber("rope_theta") ?? 10_000;
        return (theta, section is null ? null : new RopeScalingReader(section, key, path, positions).Read());
    }

    private JsonObject? Section(string key) => root[key] is not { } node ? null
        : node as JsonObject ?? throw Error(key, $"{node.ToJsonString()} is neither an object nor null");

    private static JsonValue? Value(JsonObject section, string key) => section[key] as JsonValue;

    private double? Number(JsonObject section, string key) => Value(section, key) is not { } value ? null
        : value.GetValueKind() == JsonValueKind.Number ? value.GetValue<double>() : throw Error(key, $"{value.ToJsonString()} is not a number");
}
