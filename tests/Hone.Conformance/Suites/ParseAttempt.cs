using System.Text.Json;

namespace Hone.Conformance;

/// <summary>A format whose answers are read.</summary>
/// <param name="Adapter">The adapter.</param>
/// <param name="TextOf">The raw text that an answer gives a field, cut out in a simple way; empty when it has none.</param>
/// <param name="Rewrite">The answer with the raw texts of its fields changed.</param>
internal sealed record AnswerFormat(
    Adapter Adapter, Func<ParseAttempt, SignatureField, string> TextOf, Func<ParseAttempt, Func<SignatureField, string, string>, string> Rewrite);

/// <summary>One completion: what was recorded and what Hone read.</summary>
internal sealed record ParseAttempt(
    AnswerFormat Format, Signature Signature, string Completion, JsonElement Recorded, FieldMap? Fields, AdapterParseException? Error)
{
    public bool WasRead => Recorded.IsOk();

    public string? RecordedKind => Recorded.Text("kind");

    public FieldMap RecordedFields => FieldMap.Create(Recorded.GetProperty("fields").EnumerateObject().Select(entry =>
        KeyValuePair.Create(entry.Name, VectorValues.Read(entry.Value, Signature.Find(entry.Name)?.Type ?? FieldType.Any))));

    /// <summary>The raw text of a field in the answer; empty when it has none.</summary>
    public string TextOf(SignatureField field) => Format.TextOf(this, field);

    /// <summary>Reads another text with the same signature.</summary>
    public ParseAttempt With(string completion) => Read(Format, Signature, completion, Recorded);

    /// <summary>True when another text gives the very same answer.</summary>
    public bool ReadsAs(string completion)
    {
        var other = With(completion);
        return other.Fields is { } fields ? Fields is { } own && VectorValues.Same(fields, own) : Error is { } error && error.Kind == other.Error!.Kind;
    }

    public static ParseAttempt Read(AnswerFormat format, Signature signature, string completion, JsonElement recorded)
    {
        try
        {
            return new(format, signature, completion, recorded, format.Adapter.Parse(signature, completion), null);
        }
        catch (AdapterParseException exception)
        {
            return new(format, signature, completion, recorded, null, exception);
        }
    }
}
