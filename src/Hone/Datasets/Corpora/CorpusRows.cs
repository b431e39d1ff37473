using System.Collections.Immutable;

namespace Hone;

/// <summary>What rows of several sets have in common.</summary>
internal static class CorpusRows
{
    /// <summary>Titles of supporting facts: pairs, records with key or title, or columns.</summary>
    public static IEnumerable<string> Titles(object? facts, DataRow row) => facts switch
    {
        FieldMap columns when columns.TryGetValue("title", out var titles) && titles is ImmutableArray<object?> list => list.Select(title => $"{title}"),
        ImmutableArray<object?> items => items.Select(item => item switch
        {
            ImmutableArray<object?> and [string title, ..] => title,
            FieldMap fact when fact.TryGetValue("key", out var key) || fact.TryGetValue("title", out key) => $"{key}",
            _ => throw Unfit(row, "supporting_facts", "pairs of title and sentence"),
        }),
        _ => throw Unfit(row, "supporting_facts", "pairs of title and sentence"),
    };

    /// <summary>The first of the fields that is there, as the name of the row.</summary>
    public static string? Id(DataRow row, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (row.Fields.TryGetValue(name, out var value) && value is not null)
                return $"{value}";
        }

        return null;
    }

    public static DataFileException Unfit(DataRow row, string field, string expected) =>
        new($"the field '{field}' should hold {expected}, found {FieldConstraints.Shorten(row.Value(field))}", row.Place);
}
