using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Optimizers;

/// <summary>Usage by role in the journal: zero figures are left out.</summary>
internal static class UsageJson
{
    public static JsonObject Write(ImmutableSortedDictionary<string, Usage> usage)
    {
        var roles = new JsonObject();
        foreach (var (role, spent) in usage)
            roles[role] = Write(spent);
        return roles;
    }

    /// <summary>A member with the usage by role; none when nothing was used.</summary>
    public static void Write(Utf8JsonWriter json, string name, ImmutableSortedDictionary<string, Usage> usage)
    {
        if (!usage.IsEmpty)
            WriteAlways(json, name, usage);
    }

    /// <summary>A member with the usage by role, an empty object when nothing was used.</summary>
    public static void WriteAlways(Utf8JsonWriter json, string name, ImmutableSortedDictionary<string, Usage> usage)
    {
        json.WriteStartObject(name);
        foreach (var (role, spent) in usage)
        {
            json.WriteStartObject(role);
            json.WriteNumber("calls", spent.Calls);
            json.WriteNumber("in", spent.InputTokens);
            json.WriteNumber("out", spent.OutputTokens);
            if (spent.CachedInputTokens != 0)
                json.WriteNumber("cached", spent.CachedInputTokens);
            if (spent.ReasoningTokens != 0)
                json.WriteNumber("reasoning", spent.ReasoningTokens);
            if (spent.Cost != 0)
                json.WriteNumber("cost", spent.Cost);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    public static JsonObject Write(Usage spent)
    {
        var entry = new JsonObject { ["calls"] = spent.Calls, ["in"] = spent.InputTokens, ["out"] = spent.OutputTokens };
        if (spent.CachedInputTokens != 0)
            entry["cached"] = spent.CachedInputTokens;
        if (spent.ReasoningTokens != 0)
            entry["reasoning"] = spent.ReasoningTokens;
        if (spent.Cost != 0)
            entry["cost"] = spent.Cost;
        return entry;
    }

    public static ImmutableSortedDictionary<string, Usage> Read(JsonElement saved) => saved.EnumerateObject().ToImmutableSortedDictionary(
        role => role.Name, role => ReadOne(role.Value), StringComparer.Ordinal);

    public static Usage ReadOne(JsonElement entry) => new(Whole(entry, "calls"), Whole(entry, "in"), Whole(entry, "out"))
    {
        CachedInputTokens = Whole(entry, "cached"),
        ReasoningTokens = Whole(entry, "reasoning"),
        Cost = entry.TryGetProperty("cost", out var cost) ? cost.GetDecimal() : 0,
    };

    /// <summary>The sum of both, role by role.</summary>
    public static ImmutableSortedDictionary<string, Usage> Plus(
        this ImmutableSortedDictionary<string, Usage> left, IEnumerable<KeyValuePair<string, Usage>> right)
    {
        foreach (var (role, usage) in right)
            left = left.SetItem(role, left.GetValueOrDefault(role) + usage);
        return left;
    }

    private static long Whole(JsonElement entry, string name) => entry.TryGetProperty(name, out var value) ? value.GetInt64() : 0;
}
