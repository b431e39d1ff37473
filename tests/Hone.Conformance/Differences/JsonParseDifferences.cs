using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Hone.Conformance;

/// <summary>Where reading an answer in JSON answers otherwise on purpose.</summary>
internal static partial class JsonParseDifferences
{
    public static AnswerFormat Format { get; } = new(JsonAdapter.Default, Raw, Rewrite);

    public static IReadOnlyList<DifferenceRule<ParseAttempt>> Rules { get; } =
    [
        new("json-several-objects", "of several objects in an answer the one with most of the outputs is read, of equal ones the last", IsSeveralObjects),
        new("json-thinking", "a leading reasoning block is skipped", IsThinking),
        new("json-triple-quotes", "a triple-quoted text is one string", IsTripleQuoted),
        .. ParseDifferences.Rules,
    ];

    // The object that the rule promises, given alone, is read alike.
    private static bool IsSeveralObjects(ParseAttempt attempt)
    {
        var objects = FlatObject().Matches(attempt.Completion).Select(match => match.Value).ToList();
        if (objects.Count < 2)
            return false;
        int Outputs(string text) => attempt.Signature.Outputs.Count(field => Regex.IsMatch(text, $@"[""']{field.Name}[""']\s*:"));
        var most = objects.Max(Outputs);
        return attempt.ReadsAs(objects.Last(text => Outputs(text) == most));
    }

    private static bool IsThinking(ParseAttempt attempt)
    {
        var end = attempt.Completion.IndexOf("</think>", StringComparison.Ordinal);
        return end >= 0 && attempt.Completion.TrimStart().StartsWith("<think>", StringComparison.Ordinal) && attempt.ReadsAs(attempt.Completion[(end + 8)..]);
    }

    private static bool IsTripleQuoted(ParseAttempt attempt) => TripleQuoted().IsMatch(attempt.Completion)
        && attempt.ReadsAs(TripleQuoted().Replace(attempt.Completion, match => JsonText.Write(match.Groups[2].Value)));

    private static string Raw(ParseAttempt attempt, SignatureField field) =>
        Map(attempt).TryGetValue(field.Name, out var value) ? value as string ?? JsonText.Write(value) : string.Empty;

    private static string Rewrite(ParseAttempt attempt, Func<SignatureField, string, string> change)
    {
        var entries = Map(attempt).Select(entry => KeyValuePair.Create(
            entry.Key, entry.Value is string text && attempt.Signature.Find(entry.Key) is { } field ? (object?)change(field, text) : entry.Value));
        return JsonText.Write(FieldMap.Create(entries));
    }

    private static FieldMap Map(ParseAttempt attempt) => JsonRepair.Parse(attempt.Completion).Value switch
    {
        FieldMap map => map,
        ImmutableArray<object?> list => list.OfType<FieldMap>().LastOrDefault() ?? FieldMap.Empty,
        _ => FieldMap.Empty,
    };

    [GeneratedRegex(@"\{[^{}]*\}")]
    private static partial Regex FlatObject();

    [GeneratedRegex("(\"\"\"|''')(.*?)\\1", RegexOptions.Singleline)]
    private static partial Regex TripleQuoted();
}
