using System.Text.Json;

namespace Hone.Conformance;

/// <summary>One completion: what was recorded and what Hone read.</summary>
internal sealed record ParseAttempt(Signature Signature, string Completion, JsonElement Recorded, FieldMap? Fields, AdapterParseException? Error)
{
    public bool WasRead => Recorded.IsOk();

    public string? RecordedKind => Recorded.Text("kind");

    public FieldMap RecordedFields => (FieldMap)VectorValues.Read(Recorded.GetProperty("fields"), FieldType.Any)!;

    /// <summary>Reads another text with the same signature.</summary>
    public ParseAttempt With(string completion) => Read(Signature, completion, Recorded);

    public static ParseAttempt Read(Signature signature, string completion, JsonElement recorded)
    {
        try
        {
            return new(signature, completion, recorded, new ChatAdapter().Parse(signature, completion), null);
        }
        catch (AdapterParseException exception)
        {
            return new(signature, completion, recorded, null, exception);
        }
    }
}

/// <summary>chat_parse.json: completions through the chat adapter.</summary>
internal sealed class ChatParseSuite : IVectorSuite
{
    public string Name => "chat_parse";

    public IEnumerable<CaseResult> Run(string vectors)
    {
        var file = VectorFile.Open(vectors, Name);
        var signatures = file.GetProperty("signatures").EnumerateObject().ToDictionary(each => each.Name, each => VectorTypes.Signature(each.Value));
        return file.Items("cases").Select(recorded =>
        {
            var attempt = ParseAttempt.Read(signatures[recorded.Text("signature")!], recorded.Text("completion")!, recorded);
            return CaseResult.From(recorded.Id(), Mismatch(attempt), attempt, ChatParseDifferences.Rules);
        });
    }

    /// <summary>What differs from the recorded answer, or null.</summary>
    public static string? Mismatch(ParseAttempt attempt)
    {
        if (attempt.Fields is { } fields)
            return attempt.WasRead ? Mismatch(attempt.Recorded.GetProperty("fields"), fields, attempt.Signature) : $"expected {attempt.RecordedKind}, got {JsonText.Write(fields)}";
        if (attempt.WasRead)
            return attempt.Error!.Message;
        var kind = attempt.Error!.Kind == ParseFailureKind.Constraint ? "bad_value" : "missing_fields";
        if (kind != attempt.RecordedKind)
            return $"expected {attempt.RecordedKind}, got {kind}";
        return attempt.Recorded.TryGetProperty("parsed", out var parsed) && kind == "missing_fields" ? Mismatch(parsed, attempt.Error.Parsed, attempt.Signature) : null;
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
