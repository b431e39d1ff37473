using System.Text.Json;

namespace Hone.Conformance;

/// <summary>One signature string (or edit): what was recorded, what Hone made of it.</summary>
internal sealed record SignatureAttempt(string Text, JsonElement Recorded, Signature? Signature, HoneException? Error);

/// <summary>signatures.json: strings, edits, equality.</summary>
internal sealed class SignatureSuite : IVectorSuite
{
    public string Name => "signatures";

    public IEnumerable<CaseResult> Run(string vectors)
    {
        var file = VectorFile.Open(vectors, Name);
        var results = file.Items("cases").Select(Parse);
        if (file.TryGetProperty("base", out var recordedBase))
        {
            var signature = VectorTypes.Signature(recordedBase);
            results = results.Concat(file.Items("edits").Select(edit => SignatureEdits.Evaluate(signature, edit)));
        }

        return results.Concat(file.Items("equality").Select(SignatureEdits.Equality));
    }

    private static CaseResult Parse(JsonElement recorded)
    {
        var text = recorded.Text("signature")!;
        var attempt = Attempt(text, recorded, () => Signature.Parse(text, recorded.Text("instructions")));
        return CaseResult.From(recorded.Id(), Mismatch(attempt), attempt, SignatureDifferences.Rules);
    }

    public static SignatureAttempt Attempt(string text, JsonElement recorded, Func<Signature> make)
    {
        try
        {
            return new(text, recorded, make(), null);
        }
        catch (HoneException exception)
        {
            return new(text, recorded, null, exception);
        }
    }

    public static string? Mismatch(SignatureAttempt attempt)
    {
        if (attempt.Signature is not { } signature)
            return attempt.Recorded.IsOk() ? attempt.Error!.Message : null;
        if (!attempt.Recorded.IsOk())
            return $"'{attempt.Text}': expected {attempt.Recorded.Text("error")}, got {signature}";
        var result = attempt.Recorded.GetProperty("result");
        return result.Text("instructions") is { } instructions && instructions != signature.Instructions ? $"expected instructions '{instructions}', got '{signature.Instructions}'"
            : Mismatch(result.Items("inputs"), signature.Inputs) ?? Mismatch(result.Items("outputs"), signature.Outputs);
    }

    private static string? Mismatch(IEnumerable<JsonElement> recorded, IReadOnlyList<SignatureField> fields)
    {
        var expected = recorded.ToList();
        if (!expected.Select(field => field.Text("name")).SequenceEqual(fields.Select(field => field.Name)))
            return $"expected fields {string.Join(", ", expected.Select(field => field.Text("name")))}, got {string.Join(", ", fields.Select(field => field.Name))}";
        return expected.Zip(fields).Select(pair => Mismatch(pair.First, pair.Second)).FirstOrDefault(mismatch => mismatch is not null);
    }

    private static string? Mismatch(JsonElement recorded, SignatureField field)
    {
        var type = VectorTypes.Type(recorded.GetProperty("type"));
        if (!field.Type.Equals(type))
            return $"{field.Name}: expected type {recorded.GetProperty("type").GetRawText()}, got {field.Type}";
        var isUndefined = recorded.TryGetProperty("type_undefined", out var undefined) && undefined.GetBoolean();
        if (field.Direction == FieldDirection.Input && isUndefined != field.IsTypeUndefined)
            return $"{field.Name}: expected the type to be {(isUndefined ? "undefined" : "defined")}";
        var label = field.Prefix ?? NamingRules.Label(field.Name) + ":";
        return recorded.Text("prefix") is { } prefix && prefix != label ? $"{field.Name}: expected label '{prefix}', got '{label}'" : null;
    }
}
