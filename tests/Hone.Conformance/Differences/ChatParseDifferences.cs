using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Hone.Conformance;

/// <summary>Where reading a completion answers otherwise on purpose. Each rule derives Hone's promised answer in a second, simpler way.</summary>
internal static partial class ChatParseDifferences
{
    public static IReadOnlyList<DifferenceRule<ParseAttempt>> Rules { get; } =
    [
        new("chat-indented-marker", "blanks before a marker do not shift the value", IsIndentedMarker),
        new("chat-unknown-marker", "only markers of the signature's own fields and the end marker count; others are part of the value", IsUnknownMarker),
        new("chat-decorated-marker", "markers in bold, quotes or bullets count when plain ones leave a field without value", IsDecoratedMarker),
        new("chat-thinking", "a leading reasoning block is skipped", IsThinking),
        new("chat-line-separators", "line separators other than newline stay in the value", IsLineSeparator),
        new("chat-bounds", "declared bounds are enforced", IsBound),
        new("chat-null", "null and None are null: in containers, and for optional text", IsNull),
        new("chat-choice-by-value", "numbers and booleans of a literal or enumeration are recognised by their text", IsChoiceByText),
        new("chat-choice-case", "a choice may differ in letter case or quotes when only one fits", IsChoiceCase),
        new("chat-markup", "markdown around a single value is taken off", IsMarkup),
        new("chat-thousands", "commas between thousands are allowed in numbers", IsThousands),
        new("chat-prose-with-brackets", "prose with brackets stays text when the type allows text", IsProse),
    ];

    private static bool IsIndentedMarker(ParseAttempt attempt) =>
        IndentedMarker().IsMatch(attempt.Completion) && SameAs(attempt, IndentedMarker().Replace(attempt.Completion, "[[ ## "));

    private static bool IsUnknownMarker(ParseAttempt attempt)
    {
        var known = attempt.Signature.Fields.Select(field => field.Name).Append("completed").ToHashSet();
        var hidden = Marker().Replace(attempt.Completion, match => known.Contains(match.Groups[1].Value) ? match.Value : $"\uE000{match.Groups[1].Value}\uE001");
        if (hidden == attempt.Completion || attempt.Fields is not { } fields || attempt.With(hidden).Fields is not { } plain)
            return false;
        var restored = Map(plain, text => Regex.Replace(text, "\uE000(.*?)\uE001", "[[ ## $1 ## ]]"));
        return VectorValues.Same(restored, fields);
    }

    private static bool IsDecoratedMarker(ParseAttempt attempt) => attempt.RecordedKind == "missing_fields"
        && DecoratedMarker().IsMatch(attempt.Completion)
        && SameAs(attempt, DecoratedMarker().Replace(attempt.Completion, "[[ ## $1 ## ]]"));

    private static bool IsThinking(ParseAttempt attempt)
    {
        var end = attempt.Completion.IndexOf("</think>", StringComparison.Ordinal);
        return end >= 0 && attempt.Completion.TrimStart().StartsWith("<think>", StringComparison.Ordinal) && SameAs(attempt, attempt.Completion[(end + 8)..]);
    }

    private static bool IsLineSeparator(ParseAttempt attempt) => attempt.WasRead && attempt.Fields is { } fields
        && Separator().IsMatch(attempt.Completion)
        && VectorValues.Same(attempt.RecordedFields, Map(fields, text => Separator().Replace(text, "\n").Trim()));

    private static bool IsBound(ParseAttempt attempt) => attempt is { WasRead: true, Error.Kind: ParseFailureKind.Constraint }
        && attempt.Signature.Outputs.Any(field => FieldConstraints.Check(field.Constraints, attempt.RecordedFields.GetValueOrDefault(field.Name)) is not null
            && attempt.Error.Message.Contains($"'{field.Name}'", StringComparison.Ordinal));

    private static bool IsNull(ParseAttempt attempt)
    {
        if (!attempt.WasRead || !Regex.IsMatch(attempt.Completion, @"\b(None|null)\b"))
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
        && Choices(attempt).All(each => IsWritten(each.Field, each.Value, Section(attempt, each.Field)));

    private static bool IsWritten(SignatureField field, object? value, string section) => value switch
    {
        string text => text == section || NameOf(field, value) == section,
        bool or null => string.Equals(JsonText.Write(value), section, StringComparison.OrdinalIgnoreCase),
        _ => double.TryParse(section, out var number) && Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture) == number,
    };

    private static bool IsChoiceCase(ParseAttempt attempt) => BadValue(attempt) && Choices(attempt).Count > 0 && Choices(attempt).All(each =>
        new[] { each.Value as string, NameOf(each.Field, each.Value) }.Any(text =>
            string.Equals(text, Section(attempt, each.Field).Trim('"', '\'', ' '), StringComparison.OrdinalIgnoreCase)));

    private static bool IsMarkup(ParseAttempt attempt)
    {
        if (!BadValue(attempt))
            return false;
        var plain = attempt.Completion;
        foreach (var field in attempt.Signature.Outputs)
        {
            var section = Section(attempt, field);
            var inner = Regex.Replace(section, @"^```\w*\s*(.*?)\s*```$", "$1", RegexOptions.Singleline);
            inner = Regex.Replace(inner, @"^(\*\*|\*|`|__)(.+)\1$", "$2", RegexOptions.Singleline);
            plain = section.Length > 0 ? plain.Replace(section, inner, StringComparison.Ordinal) : plain;
        }

        return plain != attempt.Completion && SameAs(attempt, plain);
    }

    private static bool IsThousands(ParseAttempt attempt) => BadValue(attempt) && Thousands().IsMatch(attempt.Completion)
        && SameAs(attempt, Thousands().Replace(attempt.Completion, match => match.Value.Replace(",", string.Empty, StringComparison.Ordinal)));

    private static bool IsProse(ParseAttempt attempt) => BadValue(attempt) && attempt.Signature.Outputs.Any(field =>
        field.Type.Kind == FieldTypeKind.Union && field.Type.Arguments.Contains(FieldType.String) && Equals(attempt.Fields![field.Name], Section(attempt, field)));

    private static bool BadValue(ParseAttempt attempt) => attempt is { RecordedKind: "bad_value", Fields: not null };

    private static List<(SignatureField Field, object? Value)> Choices(ParseAttempt attempt) =>
        [.. attempt.Signature.Outputs.Where(field => field.Type.Kind is FieldTypeKind.Literal or FieldTypeKind.Enum).Select(field => (field, attempt.Fields![field.Name]))];

    private static string? NameOf(SignatureField field, object? value) => field.Type.Members.FirstOrDefault(member => Equals(member.Value, value))?.Name;

    private static string Section(ParseAttempt attempt, SignatureField field) =>
        Regex.Match(attempt.Completion, $@"^\[\[ ## {field.Name} ## \]\](.*?)(?=^\[\[ ## |\z)", RegexOptions.Singleline | RegexOptions.Multiline).Groups[1].Value.Trim();

    private static bool SameAs(ParseAttempt attempt, string plainer)
    {
        var reference = attempt.With(plainer);
        return reference.Fields is { } fields ? attempt.Fields is { } own && VectorValues.Same(fields, own) : attempt.Error is { } error && error.Kind == reference.Error!.Kind;
    }

    private static FieldMap Map(FieldMap fields, Func<string, string> change) =>
        FieldMap.Create(fields.Select(entry => KeyValuePair.Create(entry.Key, entry.Value is string text ? (object?)change(text) : entry.Value)));

    [GeneratedRegex(@"^[^\S\n]+\[\[ ## ", RegexOptions.Multiline)]
    private static partial Regex IndentedMarker();

    [GeneratedRegex(@"\[\[ ## (.+?) ## \]\]")]
    private static partial Regex Marker();

    [GeneratedRegex(@"^[\s*_`>\-#""'\u200B\uFEFF]+\[\[ ## (\w+) ## \]\][*_`""']*", RegexOptions.Multiline)]
    private static partial Regex DecoratedMarker();

    [GeneratedRegex(@"[\u2028\u2029\u0085\u000B\u000C\u001C-\u001F]")]
    private static partial Regex Separator();

    [GeneratedRegex(@"\b\d{1,3}(,\d{3})+\b")]
    private static partial Regex Thousands();
}
