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
        {
            var entry = new JsonObject { ["calls"] = spent.Calls, ["in"] = spent.InputTokens, ["out"] = spent.OutputTokens };
            if (spent.CachedInputTokens != 0)
                entry["cached"] = spent.CachedInputTokens;
            if (spent.ReasoningTokens != 0)
                entry["reasoning"] = spent.ReasoningTokens;
            if (spent.Cost != 0)
                entry["cost"] = spent.Cost;
            roles[role] = entry;
        }

        return roles;
    }

    public static ImmutableSortedDictionary<string, Usage> Read(JsonElement saved) => saved.EnumerateObject().ToImmutableSortedDictionary(
        role => role.Name,
        role => new Usage(Whole(role.Value, "calls"), Whole(role.Value, "in"), Whole(role.Value, "out"))
        {
            CachedInputTokens = Whole(role.Value, "cached"),
            ReasoningTokens = Whole(role.Value, "reasoning"),
            Cost = role.Value.TryGetProperty("cost", out var cost) ? cost.GetDecimal() : 0,
        },
        StringComparer.Ordinal);

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
