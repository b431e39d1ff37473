using System.Globalization;
using System.Text.Json;

namespace Hone.Conformance;

/// <summary>The edits and equality parts of signatures.json.</summary>
internal static class SignatureEdits
{
    private static readonly DifferenceRule<SignatureAttempt>[] Rules =
    [
        new(
            "edit-taken-name",
            "adding a field under a name that is taken throws, instead of keeping one of the two by position",
            attempt => attempt.Error is { } error
                && attempt.Recorded.Text("op") is "append" or "prepend" or "insert"
                && attempt.Recorded.GetProperty("args").Text("name") is { } name
                && attempt.Recorded.GetProperty("result").GetRawText().Contains($"\"{name}\"", StringComparison.Ordinal)
                && error.Message.Contains($"the field '{name}' twice", StringComparison.Ordinal)),
    ];

    public static CaseResult Evaluate(Signature signature, JsonElement edit)
    {
        var args = edit.GetProperty("args");
        var id = $"edit {edit.Text("op")} {args.GetRawText()}";
        if (Apply(signature, edit.Text("op")!, args) is not { } apply)
            return CaseResult.NotYet(id);
        var before = signature.ToString();
        var attempt = SignatureSuite.Attempt(id, edit, apply);
        return before != signature.ToString() ? CaseResult.Fail(id, "the edit changed the original") : CaseResult.From(id, SignatureSuite.Mismatch(attempt), attempt, Rules);
    }

    /// <summary>Two signatures and whether they are equal. Hone also compares types, and does not mind whether a type was written out.</summary>
    public static CaseResult Equality(JsonElement recorded)
    {
        var id = recorded.GetRawText();
        var sides = recorded.EnumerateObject().Where(each => each.Name is not ("id" or "note" or "name") && each.Value.ValueKind is JsonValueKind.String or JsonValueKind.Object)
            .Select(each => each.Value).Take(2).ToList();
        var expected = recorded.EnumerateObject().FirstOrDefault(each => each.Value.ValueKind is JsonValueKind.True or JsonValueKind.False).Value;
        if (sides.Count != 2 || expected.ValueKind == JsonValueKind.Undefined)
            return CaseResult.NotYet(id);
        var (left, right) = (Side(sides[0]), Side(sides[1]));
        var mismatch = left.Equals(right) == expected.GetBoolean() ? null : $"expected {expected}, got {left.Equals(right)}";
        return CaseResult.From(id, mismatch, (left, right), EqualityRules);
    }

    private static IEnumerable<DifferenceRule<(Signature Left, Signature Right)>> EqualityRules { get; } =
    [
        new(
            "equality-types",
            "equality compares the types of fields",
            pair => !pair.Left.Equals(pair.Right) && !Types(pair.Left).SequenceEqual(Types(pair.Right))),
        new(
            "equality-written-type",
            "a field without a type equals one declared as text",
            pair => pair.Left.Equals(pair.Right) && !pair.Left.Fields.Select(field => field.IsTypeUndefined).SequenceEqual(pair.Right.Fields.Select(field => field.IsTypeUndefined))),
    ];

    private static IEnumerable<(string, string)> Types(Signature signature) => signature.Fields.Select(field => (field.Name, field.Type.ToString()));

    private static Signature Side(JsonElement side) => side.ValueKind == JsonValueKind.String ? Signature.Parse(side.GetString()!)
        : side.Text("signature") is { } text ? Signature.Parse(text, side.Text("instructions")) : VectorTypes.Signature(side);

    private static Func<Signature>? Apply(Signature signature, string operation, JsonElement args) => operation switch
    {
        "append" => () => signature.Append(Field(args)),
        "prepend" => () => signature.Prepend(Field(args)),
        "insert" => () => signature.Insert(args.GetProperty("index").GetInt32(), Field(args)),
        "delete" => () => signature.Delete(args.Text("name")!),
        "with_instructions" => () => signature.WithInstructions(Instructions(args)),
        "append_instructions" => () => signature.AppendInstructions(Instructions(args)),
        "with_updated_fields" => () => signature.WithUpdatedField(args.Text("name")!, field => Updated(field, args)),
        _ => null,
    };

    private static string Instructions(JsonElement args) => args.Text("instructions") ?? args.Text("text") ?? string.Empty;

    private static SignatureField Field(JsonElement args)
    {
        var direction = args.Text("field") == "input" ? FieldDirection.Input : FieldDirection.Output;
        return new SignatureField(args.Text("name")!, Type(args) ?? FieldType.String, direction);
    }

    private static SignatureField Updated(SignatureField field, JsonElement args) => field with
    {
        Description = args.Text("desc") ?? args.Text("description") ?? field.Description,
        Prefix = args.Text("prefix") ?? field.Prefix,
        Type = Type(args) ?? field.Type,
    };

    private static FieldType? Type(JsonElement args) => (args.Text("type") ?? args.Text("type_")) is { } text && text != "none given"
        ? Signature.Parse(string.Create(CultureInfo.InvariantCulture, $"-> x: {text}")).Outputs[0].Type
        : null;
}
