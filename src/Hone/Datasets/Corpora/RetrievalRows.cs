namespace Hone;

/// <summary>Rows of HoVer, PUPA and Banking77.</summary>
internal static class RetrievalRows
{
    private const string DetailMark = "||";

    public static Example<FieldMap, FieldMap> FromHover(DataRow row)
    {
        var titles = ClrValues.List(CorpusRows.Titles(row.Value("supporting_facts"), row).Distinct(StringComparer.Ordinal));
        var labels = FieldMap.Empty;
        foreach (var name in (string[])["label", "num_hops"])
        {
            if (row.Fields.TryGetValue(name, out var value))
                labels = labels.With(name, value);
        }

        return new(FieldMap.Of(("claim", row.Text("claim"))), FieldMap.Of(("titles", titles))) { Labels = labels, Id = CorpusRows.Id(row, "uid", "id") };
    }

    public static Example<FieldMap, FieldMap> FromPupa(DataRow row)
    {
        var details = row.Text("pii_units").Split(DetailMark, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var labels = FieldMap.Of(("pii", ClrValues.List(details.Distinct(StringComparer.Ordinal))));
        foreach (var (inFile, name) in ((string, string)[])[("redacted_query", "redacted_query"), ("predicted_category", "category")])
        {
            if (row.Fields.TryGetValue(inFile, out var value))
                labels = labels.With(name, value);
        }

        return new(FieldMap.Of(("user_query", row.Text("user_query"))), FieldMap.Of(("response", row.Text("target_response"))))
        {
            Labels = labels,
            Id = CorpusRows.Id(row, "conversation_hash"),
        };
    }

    // Tables have the intent as a class label, which a hub directory with its names turns into text.
    public static Example<FieldMap, FieldMap> FromBanking(DataRow row)
    {
        var name = row.Fields.ContainsKey("category") ? "category" : row.Fields.ContainsKey("label_text") ? "label_text" : "label";
        var category = row.Value(name) is long
            ? throw new DataFileException($"the field '{name}' is the number of a class; read it through a HubDataset whose dataset_info.json has the names", row.Place)
            : row.Text(name);
        return new(FieldMap.Of(("text", row.Text("text"))), FieldMap.Of(("category", category)));
    }
}
