using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Hone.Conformance;

/// <summary>
/// Where reading the value of a field answers otherwise on purpose, whatever the format. Each rule derives Hone's promised answer in a second,
/// simpler way.
/// </summary>
internal static partial class ParseDifferences
{
    public static IReadOnlyList<DifferenceRule<ParseAttempt>> Rules { get; } =
    [
        new("leading-thoughts", "a leading reasoning block is skipped", IsThinking),
        new("value-bounds", "declared bounds are enforced", IsBound),
        new("value-null", "null and None are null, never the text \"None\": in containers, and where null is allowed", IsNull),
        new("value-choice-by-text", "numbers and booleans of a literal or enumeration are recognised by their text", IsChoiceByText),
        new("value-choice-exact", "a literal gives the very value that was declared: true is not taken for 1, nor 1.0", IsChoiceExact),
        new("value-choice-case", "a choice may differ in letter case or quotes when only one fits", IsChoiceCase),
        new("value-markup", "markdown around a single value is taken off", IsMarkup),
        new("value-thousands", "commas between thousands are allowed in numbers", IsThousands),
        new("value-prose-with-brackets", "prose with brackets stays text when the type allows text", IsProse),
        new("value-container-as-text", "a list or object given for a text field is kept as JSON", IsContainerText),
    ];

    private static bool IsThinking(ParseAttempt attempt)
    {
        var end = attempt.Completion.IndexOf("</think>", StringComparison.Ordinal);
        return end >= 0 && attempt.Completion.TrimStart().StartsWith("<think>", StringComparison.Ordinal) && attempt.ReadsAs(attempt.Completion[(end + 8)..]);
    }

    private static bool IsBound(ParseAttempt attempt) => attempt is { WasRead: true, Error.Kind: ParseFailureKind.Constraint }
        && attempt.Signature.Outputs.Any(field => FieldConstraints.Check(field.Constraints, attempt.RecordedFields.GetValueOrDefault(field.Name)) is not null
            && attempt.Error.Message.Contains($"'{field.Name}'", StringComparison.Ordinal));

    private static bool IsNull(ParseAttempt attempt)
    {
        if (!attempt.WasRead || !NullWord().IsMatch(attempt.Completion))
            return false;
        var expected = (FieldMap)NullWords(attempt.RecordedFields)!;
        return attempt.Fields is { } fields
            ? VectorValues.Same(expected, fields)
            : attempt.Error!.Message.Contains("found null", StringComparison.Ordinal) && !VectorValues.Same(expected, attempt.RecordedFields);
    }

    private static object? NullWords(object? value) => value switch
    {
        "None" or "null" => null,
        FieldMap map => FieldMap.Create(map.Select(entry => KeyValuePair.Create(entry.Key, NullWords(entry.Value)))),
        ImmutableArray<object?> list => list.Select(NullWords).ToImmutableArray(),
        _ => value,
    };

    // Every choice in the answer is what the model wrote, and one of them is no text.
    private static bool IsChoiceByText(ParseAttempt attempt) => BadValue(attempt)
        && Choices(attempt).Any(each => each.Value is not string)
        && Choices(attempt).All(each => IsWritten(each.Field, each.Value, attempt.TextOf(each.Field)));

    private static bool IsWritten(SignatureField field, object? value, string text) => value switch
    {
        string word => word == text || NameOf(field, value) == text,
        bool or null => string.Equals(JsonText.Write(value), text, StringComparison.OrdinalIgnoreCase) || (value is null && text == "None"),
        _ => double.TryParse(text, CultureInfo.InvariantCulture, out var number) && Convert.ToDouble(value, CultureInfo.InvariantCulture) == number,
    };

    // The recorded value is not among the declared ones, though Python holds it equal to one of them.
    private static bool IsChoiceExact(ParseAttempt attempt) => attempt.WasRead && attempt.Signature.Outputs.Any(field =>
        field.Type.Kind is FieldTypeKind.Literal
        && attempt.RecordedFields.GetValueOrDefault(field.Name) is bool or double
        && !field.Type.Literals.Contains(attempt.RecordedFields[field.Name])
        && (attempt.Fields is { } fields ? field.Type.Literals.Contains(fields[field.Name]) : attempt.Error is { Kind: ParseFailureKind.Constraint }));

    private static bool IsChoiceCase(ParseAttempt attempt) => BadValue(attempt) && Choices(attempt).Count > 0 && Choices(attempt).All(each =>
        new[] { each.Value as string, NameOf(each.Field, each.Value) }.Any(text =>
            string.Equals(text, attempt.TextOf(each.Field).Trim('"', '\'', ' '), StringComparison.OrdinalIgnoreCase)));

    private static bool IsMarkup(ParseAttempt attempt)
    {
        if (!BadValue(attempt))
            return false;
        var plain = attempt.Format.Rewrite(attempt, (_, text) =>
        {
            var inner = Regex.Replace(text, @"^```\w*\s*(.*?)\s*```$", "$1", RegexOptions.Singleline);
            return Regex.Replace(inner, @"^(\*\*|\*|`|__)(.+)\1$", "$2", RegexOptions.Singleline);
        });
        return plain != attempt.Completion && attempt.ReadsAs(plain);
    }

    private static bool IsThousands(ParseAttempt attempt) => BadValue(attempt) && Thousands().IsMatch(attempt.Completion)
        && attempt.ReadsAs(Thousands().Replace(attempt.Completion, match => match.Value.Replace(",", string.Empty, StringComparison.Ordinal)));

    private static bool IsProse(ParseAttempt attempt) => BadValue(attempt) && attempt.Signature.Outputs.Any(field =>
        field.Type.Kind == FieldTypeKind.Union && field.Type.Arguments.Contains(FieldType.String) && Equals(attempt.Fields![field.Name], attempt.TextOf(field)));

    // Both are text, and Hone's is JSON of a container.
    private static bool IsContainerText(ParseAttempt attempt) => attempt is { WasRead: true, Fields: { } fields }
        && attempt.Signature.Outputs.Any(field => IsContainer(attempt, field))
        && attempt.Signature.Outputs.All(field => IsContainer(attempt, field)
            ? fields[field.Name] is string text && text == attempt.TextOf(field) && JsonRepair.Parse(text).Value is FieldMap or ImmutableArray<object?>
            : VectorValues.Same(attempt.RecordedFields[field.Name], fields[field.Name]));

    private static bool IsContainer(ParseAttempt attempt, SignatureField field) =>
        field.Type.Kind == FieldTypeKind.String && attempt.TextOf(field) is ['[' or '{', ..];

    private static bool BadValue(ParseAttempt attempt) => attempt is { RecordedKind: "bad_value", Fields: not null };

    private static List<(SignatureField Field, object? Value)> Choices(ParseAttempt attempt) =>
        [.. attempt.Signature.Outputs.Where(field => field.Type.Kind is FieldTypeKind.Literal or FieldTypeKind.Enum).Select(field => (field, attempt.Fields![field.Name]))];

    private static string? NameOf(SignatureField field, object? value) => field.Type.Members.FirstOrDefault(member => Equals(member.Value, value))?.Name;

    [GeneratedRegex(@"\b(None|null)\b")]
    private static partial Regex NullWord();

    [GeneratedRegex(@"\b\d{1,3}(,\d{3})+\b")]
    private static partial Regex Thousands();
}
