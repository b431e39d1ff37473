using System.Text.RegularExpressions;

namespace Hone.Conformance;

/// <summary>Where reading a completion answers otherwise on purpose. Each rule derives Hone's promised answer in a second, simpler way.</summary>
internal static partial class ChatParseDifferences
{
    public static AnswerFormat Format { get; } = new(ChatAdapter.Default, Section, Rewrite);

    public static IReadOnlyList<DifferenceRule<ParseAttempt>> Rules { get; } =
    [
        new("chat-indented-marker", "blanks before a marker do not shift the value", IsIndentedMarker),
        new("chat-unknown-marker", "only markers of the signature's own fields and the end marker count; others are part of the value", IsUnknownMarker),
        new("chat-decorated-marker", "markers in bold, quotes or bullets count when plain ones leave a field without value", IsDecoratedMarker),
        new("chat-line-separators", "line separators other than newline stay in the value", IsLineSeparator),
        .. ParseDifferences.Rules,
    ];

    private static bool IsIndentedMarker(ParseAttempt attempt) =>
        IndentedMarker().IsMatch(attempt.Completion) && attempt.ReadsAs(IndentedMarker().Replace(attempt.Completion, "[[ ## "));

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
        && attempt.ReadsAs(DecoratedMarker().Replace(attempt.Completion, "[[ ## $1 ## ]]"));

    private static bool IsLineSeparator(ParseAttempt attempt) => attempt.WasRead && attempt.Fields is { } fields
        && Separator().IsMatch(attempt.Completion)
        && VectorValues.Same(attempt.RecordedFields, Map(fields, text => Separator().Replace(text, "\n").Trim()));

    private static string Section(ParseAttempt attempt, SignatureField field) =>
        Regex.Match(attempt.Completion, $@"^\[\[ ## {field.Name} ## \]\](.*?)(?=^\[\[ ## |\z)", RegexOptions.Singleline | RegexOptions.Multiline).Groups[1].Value.Trim();

    private static string Rewrite(ParseAttempt attempt, Func<SignatureField, string, string> change)
    {
        var completion = attempt.Completion;
        foreach (var field in attempt.Signature.Outputs)
        {
            var section = Section(attempt, field);
            completion = section.Length > 0 ? completion.Replace(section, change(field, section), StringComparison.Ordinal) : completion;
        }

        return completion;
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
}
