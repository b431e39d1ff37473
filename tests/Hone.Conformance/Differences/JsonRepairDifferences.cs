using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Hone.Conformance;

/// <summary>Where the JSON repair answers otherwise on purpose.</summary>
internal static partial class JsonRepairDifferences
{
    public static IReadOnlyList<DifferenceRule<JsonRepairAttempt>> Rules { get; } =
    [
        new("json-none", "a bare None is null, not the text \"None\"", IsNone),
        new("json-chat-markers", "marker lines of the chat format are not taken for arrays", IsMarker),
        new("json-triple-quotes", "a triple-quoted text is one string", IsTripleQuoted),
        new("json-backticks", "backticks quote a string", IsBackticked),
        new("json-inner-quotes", "a quote inside a string stays, the last quote before the delimiter closes", IsInnerQuote),
        new("json-braced-word", "a bare word in braces does not swallow the closing brace", IsBracedWord),
    ];

    private static bool IsNone(JsonRepairAttempt attempt) =>
        BareNone().IsMatch(attempt.Text) && attempt.Actual.Found && VectorValues.Same(NoneToNull(attempt.Expected), attempt.Actual.Value);

    /// <summary>The value with each text "None" replaced by null.</summary>
    public static object? NoneToNull(object? value) => value switch
    {
        "None" => null,
        FieldMap map => FieldMap.Create(map.Select(entry => KeyValuePair.Create(entry.Key, NoneToNull(entry.Value)))),
        ImmutableArray<object?> list => list.Select(NoneToNull).ToImmutableArray(),
        _ => value,
    };

    private static bool IsMarker(JsonRepairAttempt attempt) =>
        Marker().IsMatch(attempt.Text) && IsRepairOf(attempt, Marker().Replace(attempt.Text, " "));

    private static bool IsTripleQuoted(JsonRepairAttempt attempt) =>
        TripleQuoted().IsMatch(attempt.Text) && IsRepairOf(attempt, TripleQuoted().Replace(attempt.Text, match => JsonText.Write(match.Groups[2].Value)));

    private static bool IsBackticked(JsonRepairAttempt attempt) =>
        Backticked().IsMatch(attempt.Text) && IsRepairOf(attempt, Backticked().Replace(attempt.Text, match => JsonText.Write(match.Groups[1].Value)));

    // Writing the value back without escapes gives the text, blanks aside.
    private static bool IsInnerQuote(JsonRepairAttempt attempt) => attempt.Actual.Found && attempt.Text.Count(c => c == '"') % 2 == 1
        && Squeeze(JsonText.Write(attempt.Actual.Value).Replace("\\\"", "\"", StringComparison.Ordinal)) == Squeeze(attempt.Text);

    private static bool IsBracedWord(JsonRepairAttempt attempt) =>
        BracedWord().Match(attempt.Text) is { Success: true } match && IsRepairOf(attempt, $"[\"{match.Groups[1].Value}\"]");

    private static bool IsRepairOf(JsonRepairAttempt attempt, string plainer)
    {
        var reference = JsonRepair.Parse(plainer);
        return reference.Found == attempt.Actual.Found && VectorValues.Same(reference.Value, attempt.Actual.Value);
    }

    private static string Squeeze(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));

    [GeneratedRegex(@"\bNone\b")]
    private static partial Regex BareNone();

    [GeneratedRegex(@"\[\[ ## [^\n]*? ## \]\]")]
    private static partial Regex Marker();

    [GeneratedRegex("(\"\"\"|''')(.*?)\\1", RegexOptions.Singleline)]
    private static partial Regex TripleQuoted();

    [GeneratedRegex("`([^`]*)`")]
    private static partial Regex Backticked();

    [GeneratedRegex(@"^\{(\w+)\}$")]
    private static partial Regex BracedWord();
}
