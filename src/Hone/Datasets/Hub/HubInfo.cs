using System.Collections.Immutable;
using System.Text.Json;

namespace Hone;

/// <summary>What a data set's <c>dataset_info.json</c> tells: rows by split, names of class labels.</summary>
internal sealed record HubInfo(ImmutableDictionary<string, long> Counts, ImmutableDictionary<string, ImmutableArray<string>> ClassNames)
{
    private static readonly HubInfo None = new(ImmutableDictionary<string, long>.Empty, ImmutableDictionary<string, ImmutableArray<string>>.Empty);

    public static HubInfo Read(string root, string? configuration)
    {
        string[] places = configuration is null ? [root] : [Path.Combine(root, configuration), root];
        foreach (var file in places.SelectMany(place => new[] { Path.Combine(place, "dataset_info.json"), Path.Combine(place, "dataset_infos.json") }).Where(File.Exists))
        {
            try
            {
                using var document = JsonDocument.Parse(File.ReadAllBytes(file));
                return Of(file.EndsWith("infos.json", StringComparison.Ordinal) ? OfConfiguration(document.RootElement, configuration) : document.RootElement);
            }
            catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
            {
                throw new DataFileException($"this is no description of a data set ({error.Message})", new(file, 1), 0, error);
            }
        }

        return None;
    }

    private static JsonElement OfConfiguration(JsonElement infos, string? configuration)
    {
        if (configuration is not null && infos.TryGetProperty(configuration, out var chosen))
            return chosen;
        foreach (var info in infos.EnumerateObject())
            return info.Value;
        return infos;
    }

    private static HubInfo Of(JsonElement info)
    {
        var counts = ImmutableDictionary.CreateBuilder<string, long>(StringComparer.Ordinal);
        if (info.TryGetProperty("splits", out var splits) && splits.ValueKind == JsonValueKind.Object)
        {
            foreach (var split in splits.EnumerateObject())
            {
                if (split.Value.TryGetProperty("num_examples", out var count))
                    counts[split.Name] = count.GetInt64();
            }
        }

        var classes = ImmutableDictionary.CreateBuilder<string, ImmutableArray<string>>(StringComparer.Ordinal);
        if (info.TryGetProperty("features", out var features) && features.ValueKind == JsonValueKind.Object)
        {
            foreach (var feature in features.EnumerateObject().Where(feature => feature.Value.ValueKind == JsonValueKind.Object))
            {
                if (feature.Value.TryGetProperty("names", out var names) && names.ValueKind == JsonValueKind.Array)
                    classes[feature.Name] = [.. names.EnumerateArray().Select(name => name.GetString() ?? "")];
            }
        }

        return new(counts.ToImmutable(), classes.ToImmutable());
    }
}
