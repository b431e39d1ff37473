using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Hone;

/// <summary>Finds which files of a directory belong to which split, by their names.</summary>
internal static partial class HubLayout
{
    private static readonly string[] Endings = [".parquet", ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".arrow"];

    // Names of one split in use; the first is what we call it.
    private static readonly string[][] Names = [["train", "training"], ["validation", "valid", "val", "dev"], ["test", "testing", "eval", "evaluation"]];

    public static ImmutableSortedDictionary<string, ImmutableArray<string>> Find(string root, string? configuration)
    {
        var folders = configuration is null ? new[] { Path.Combine(root, "data"), root } : [Path.Combine(root, configuration), Path.Combine(root, "data", configuration)];
        foreach (var folder in folders.Where(Directory.Exists))
        {
            if (FindIn(folder) is { Count: > 0 } found)
                return found;
        }

        var below = Directory.EnumerateDirectories(root).Where(folder => FindIn(folder).Count > 0).Select(Path.GetFileName).Order(StringComparer.Ordinal).ToArray();
        throw new HoneException(below.Length > 0
            ? $"{root} has several configurations: give the name of one. There are: {string.Join(", ", below)}."
            : $"{root} has no file of a split. Looked for names such as data/train-00000-of-00001.parquet, train.jsonl or train/part.csv{(configuration is null ? "" : $" under '{configuration}'")}.");
    }

    private static ImmutableSortedDictionary<string, ImmutableArray<string>> FindIn(string folder)
    {
        var splits = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(folder).Where(IsData).Order(StringComparer.Ordinal))
        {
            if (SplitOf(Path.GetFileName(file)) is { } split)
                Add(splits, split, file);
        }

        foreach (var child in Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal))
        {
            if (Known(Path.GetFileName(child)) is { } split && !splits.ContainsKey(split))
            {
                foreach (var file in Directory.EnumerateFiles(child).Where(IsData).Order(StringComparer.Ordinal))
                    Add(splits, split, file);
            }
        }

        foreach (var (split, files) in splits)
            CheckShards(split, files);
        return splits.ToImmutableSortedDictionary(entry => entry.Key, entry => entry.Value.ToImmutableArray(), StringComparer.Ordinal);
    }

    private static void Add(SortedDictionary<string, List<string>> splits, string split, string file)
    {
        if (!splits.TryGetValue(split, out var files))
            splits.Add(split, files = []);
        files.Add(file);
    }

    private static bool IsData(string file) =>
        Endings.Contains(DataFiles.FormatOf(file)) && Path.GetFileName(file) is not ("dataset_info.json" or "dataset_infos.json" or "state.json" or "dataset_dict.json");

    private static string? SplitOf(string name)
    {
        var stem = name.Split('.', 2)[0];
        return Shard().Match(stem) is { Success: true } shard
            ? Known(shard.Groups["split"].Value) ?? shard.Groups["split"].Value
            : Known(stem) ?? stem.Split(['-', '_']).Select(Known).FirstOrDefault(split => split is not null);
    }

    private static string? Known(string? word) => Names.FirstOrDefault(names => names.Contains(word, StringComparer.OrdinalIgnoreCase))?[0];

    private static void CheckShards(string split, List<string> files)
    {
        foreach (var group in files.Select(file => Shard().Match(Path.GetFileName(file))).Where(match => match.Success).GroupBy(match => match.Groups["count"].Value))
        {
            var expected = int.Parse(group.Key, CultureInfo.InvariantCulture);
            var numbers = group.Select(match => int.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture)).ToHashSet();
            var missing = Enumerable.Range(0, expected).Where(number => !numbers.Contains(number)).Take(10).ToArray();
            if (missing.Length > 0)
                throw new HoneException($"The split '{split}' in {Path.GetDirectoryName(files[0])} has {numbers.Count} of {expected} files; missing: number {string.Join(", ", missing)}. Download them again.");
        }
    }

    [GeneratedRegex(@"^(?:.*[-_])?(?<split>[A-Za-z][\w.]*?)-(?<number>\d{5})-of-(?<count>\d{5})")]
    private static partial Regex Shard();
}
