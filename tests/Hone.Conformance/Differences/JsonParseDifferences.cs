using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Hone.Conformance;

/// <summary>Where reading an answer in JSON answers otherwise on purpose.</summary>
internal static class JsonParseDifferences
{
    public static AnswerFormat Format { get; } = new(JsonAdapter.Default, Raw, Rewrite);

    public static IReadOnlyList<DifferenceRule<ParseAttempt>> Rules { get; } =
    [
        new("json-several-objects", "of several objects in an answer the one with most of the outputs is read, of equal ones the last", IsSeveralObjects),
        new("json-text-is-text", "a text in quotes stays text where the type allows text, as it does inside lists and objects", IsText),
        new("json-in-json", "an object that is written as JSON text once more is read", IsEncodedTwice),
        .. ParseDifferences.Rules,
        .. JsonRepairDifferences.Rules.Select(rule => new DifferenceRule<ParseAttempt>(rule.Code, rule.Reason, attempt => IsRepair(rule, attempt))),
    ];

    // The object that the rule promises, given alone, is read alike.
    private static bool IsSeveralObjects(ParseAttempt attempt)
    {
        var objects = Objects(attempt.Completion);
        if (objects.Count < 2)
            return false;
        int Outputs(string text) => attempt.Signature.Outputs.Count(field => Regex.IsMatch(text, $@"[""']{field.Name}[""']\s*:"));
        var most = objects.Max(Outputs);
        return attempt.ReadsAs(objects.Last(text => Outputs(text) == most));
    }

    // What was recorded is the text read once more as JSON.
    private static bool IsText(ParseAttempt attempt) => attempt is { WasRead: true, Fields: { } fields }
        && attempt.Signature.Outputs.Any(field => fields[field.Name] is string text && attempt.RecordedFields[field.Name] is not string && IsReadOnceMore(attempt, field, text))
        && attempt.Signature.Outputs.All(field => VectorValues.Same(attempt.RecordedFields[field.Name], fields[field.Name])
            || (fields[field.Name] is string text && IsReadOnceMore(attempt, field, text)));

    private static bool IsReadOnceMore(ParseAttempt attempt, SignatureField field, string text) =>
        text == attempt.TextOf(field) && VectorValues.Same(JsonRepair.Parse(text).Value, attempt.RecordedFields[field.Name]);

    private static bool IsEncodedTwice(ParseAttempt attempt) => !attempt.WasRead
        && JsonRepair.Parse(attempt.Completion).Value is string text
        && attempt.ReadsAs(text);

    // The rules of the repair alone, where the repaired object is the answer.
    private static bool IsRepair(DifferenceRule<JsonRepairAttempt> rule, ParseAttempt attempt) => attempt.Fields is { } fields
        && JsonRepair.Parse(attempt.Completion) is { Found: true, Value: FieldMap map } repaired
        && VectorValues.Same(attempt.With(JsonText.Write(map)).Fields, fields)
        && rule.Explains(new(attempt.Completion, attempt.WasRead ? attempt.RecordedFields : null, repaired));

    // Stretches in balanced braces on the outermost level; braces in quotes do not count.
    private static List<string> Objects(string text)
    {
        var objects = new List<string>();
        var (depth, start, inQuotes) = (0, 0, false);
        for (var i = 0; i < text.Length; i++)
        {
            inQuotes ^= depth > 0 && text[i] == '"' && text[i - 1] != '\\';
            if (inQuotes || text[i] is not ('{' or '}'))
                continue;
            if (text[i] == '{')
                start = depth++ == 0 ? i : start;
            else if (depth > 0 && --depth == 0)
                objects.Add(text[start..(i + 1)]);
        }

        return objects;
    }

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
}
