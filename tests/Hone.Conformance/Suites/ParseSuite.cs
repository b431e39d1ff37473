using System.Text.Json;

namespace Hone.Conformance;

/// <summary>chat_parse.json, json_parse.json, xml_parse.json: completions through an adapter.</summary>
internal sealed class ParseSuite(string name, AnswerFormat format, IReadOnlyList<DifferenceRule<ParseAttempt>> rules) : IVectorSuite
{
    public string Name => name;

    public IEnumerable<CaseResult> Run(string vectors)
    {
        var file = VectorFile.Open(vectors, Name);
        var signatures = file.GetProperty("signatures").EnumerateObject().ToDictionary(each => each.Name, each => VectorTypes.Signature(each.Value));
        return file.Items("cases").Select(recorded =>
        {
            var attempt = ParseAttempt.Read(format, signatures[recorded.Text("signature")!], recorded.Text("completion")!, recorded);
            return CaseResult.From(recorded.Id(), Mismatch(attempt), attempt, rules);
        });
    }

    /// <summary>What differs from the recorded answer, or null.</summary>
    private static string? Mismatch(ParseAttempt attempt)
    {
        if (attempt.Fields is { } fields)
            return attempt.WasRead ? Mismatch(attempt.Recorded.GetProperty("fields"), fields, attempt.Signature) : $"expected {attempt.RecordedKind}, got {JsonText.Write(fields)}";
        if (attempt.WasRead)
            return attempt.Error!.Message;

        // An answer without any structure and one without some field are both "fields are missing" to a caller.
        var kind = attempt.Error!.Kind == ParseFailureKind.Constraint ? "bad_value" : "missing_fields";
        if (kind != attempt.RecordedKind && !(kind == "missing_fields" && attempt.RecordedKind == "not_parseable"))
            return $"expected {attempt.RecordedKind}, got {kind}";
        var hasParsed = attempt.Recorded.TryGetProperty("parsed", out var parsed) && parsed.ValueKind == JsonValueKind.Object;
        return hasParsed && kind == "missing_fields" ? Mismatch(parsed, attempt.Error.Parsed, attempt.Signature) : null;
    }

    private static string? Mismatch(JsonElement recorded, FieldMap actual, Signature signature)
    {
        var expected = recorded.EnumerateObject().ToList();
        if (expected.Count != actual.Count)
            return $"expected fields {string.Join(", ", expected.Select(each => each.Name))}, got {string.Join(", ", actual.Keys)}";
        return expected.Select(each => !actual.TryGetValue(each.Name, out var value) ? $"no field {each.Name}"
            : VectorValues.Mismatch(each.Value, value, signature.Find(each.Name)!.Type) is { } mismatch ? $"{each.Name}: {mismatch}" : null)
            .FirstOrDefault(mismatch => mismatch is not null);
    }
}
