using System.Collections.Immutable;

namespace Hone;

/// <summary>Rows of HotPotQA, as the authors publish them (pairs) and as tables have them (columns).</summary>
internal static class HotPotQaRows
{
    public static Example<FieldMap, FieldMap> ToExample(DataRow row)
    {
        var labels = FieldMap.Empty;
        foreach (var name in (string[])["type", "level"])
        {
            if (row.Fields.TryGetValue(name, out var value))
                labels = labels.With(name, value);
        }

        if (row.Fields.TryGetValue("supporting_facts", out var facts))
            labels = labels.With("gold_titles", ClrValues.List(CorpusRows.Titles(facts, row).Distinct(StringComparer.Ordinal)));
        if (row.Fields.TryGetValue("context", out var context))
            labels = labels.With("passages", ClrValues.List(Passages(context, row)));
        return new(FieldMap.Of(("question", row.Text("question"))), FieldMap.Of(("answer", row.Text("answer")))) { Id = CorpusRows.Id(row, "_id", "id"), Labels = labels };
    }

    private static IEnumerable<string> Passages(object? context, DataRow row) => context switch
    {
        FieldMap columns when columns["title"] is ImmutableArray<object?> titles && columns["sentences"] is ImmutableArray<object?> bodies =>
            titles.Zip(bodies, (title, sentences) => Passage(title, sentences, row)),
        ImmutableArray<object?> pairs => pairs.Select(pair => pair is ImmutableArray<object?> and [var title, var sentences]
            ? Passage(title, sentences, row)
            : throw CorpusRows.Unfit(row, "context", "pairs of title and sentences")),
        _ => throw CorpusRows.Unfit(row, "context", "pairs of title and sentences, or columns of both"),
    };

    private static string Passage(object? title, object? sentences, DataRow row) => sentences is ImmutableArray<object?> list
        ? $"{title} | {string.Concat(list)}"
        : throw CorpusRows.Unfit(row, "context", "lists of sentences");
}
