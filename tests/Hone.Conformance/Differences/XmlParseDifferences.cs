using System.Collections.Immutable;
using System.Net;
using System.Text.RegularExpressions;

namespace Hone.Conformance;

/// <summary>Where reading an answer in XML answers otherwise on purpose.</summary>
internal static partial class XmlParseDifferences
{
    public static AnswerFormat Format { get; } = new(XmlAdapter.Default, Section, Rewrite);

    public static IReadOnlyList<DifferenceRule<ParseAttempt>> Rules { get; } =
    [
        new("xml-stray-signs", "a stray & or <, or a tag that is none, is text and does not cost the answer", IsStraySign),
        new("xml-repeated-tag", "of a tag given several times the first counts, unless it is a list's", IsRepeated),
        new("xml-empty-text", "an element without content is empty text where text is allowed; a self-closing tag is null", IsEmptyText),
        new("xml-wrapped", "one element around all fields is passed over", IsWrapped),
        new("xml-untyped-items", "text without a type is read as JSON inside lists and objects, too, as it is at the top", IsUntyped),
        .. ParseDifferences.Rules,
    ];

    // With the signs of no tag escaped, the answer is read alike.
    private static bool IsStraySign(ParseAttempt attempt)
    {
        if (attempt.RecordedKind != "not_parseable")
            return false;
        var names = string.Join('|', attempt.Signature.Outputs.Select(field => field.Name));
        var plain = Regex.Replace(attempt.Completion, $@"<(?!/?({names})\b)", "&lt;");
        plain = Regex.Replace(plain, @"&(?!(lt|gt|amp|quot|apos|#\w+);)", "&amp;");
        return plain != attempt.Completion && attempt.ReadsAs(plain);
    }

    private static bool IsWrapped(ParseAttempt attempt) => attempt.RecordedKind == "missing_fields"
        && Regex.Match(attempt.Completion.Trim(), @"^<(\w+)[^>]*>(.*)</\1\s*>$", RegexOptions.Singleline) is { Success: true } match
        && attempt.Signature.Find(match.Groups[1].Value) is null
        && attempt.ReadsAs(match.Groups[2].Value);

    // The recorded texts, each read as JSON where it is JSON, are Hone's values.
    private static bool IsUntyped(ParseAttempt attempt) => attempt is { WasRead: true, Fields: { } fields }
        && !VectorValues.Same(attempt.RecordedFields, fields)
        && VectorValues.Same(Typed(attempt.RecordedFields), fields);

    private static object? Typed(object? value) => value switch
    {
        string text => JsonRepair.Parse(text) is { Found: true, Value: var read } ? read : text,
        FieldMap map => FieldMap.Create(map.Select(entry => KeyValuePair.Create(entry.Key, Typed(entry.Value)))),
        ImmutableArray<object?> list => list.Select(Typed).ToImmutableArray(),
        _ => value,
    };

    private static bool IsRepeated(ParseAttempt attempt)
    {
        var plain = attempt.Completion;
        foreach (var field in attempt.Signature.Outputs)
        {
            var tags = Regex.Matches(plain, $@"<{field.Name}\b[^>]*>.*?</{field.Name}\s*>", RegexOptions.Singleline);
            foreach (var tag in tags.Skip(1).Reverse())
                plain = plain.Remove(tag.Index, tag.Length);
        }

        return plain != attempt.Completion && attempt.ReadsAs(plain);
    }

    private static bool IsEmptyText(ParseAttempt attempt) => attempt is { WasRead: true, Fields: { } fields }
        && attempt.Signature.Outputs.Any(field => fields[field.Name] is "")
        && attempt.Signature.Outputs.All(field => VectorValues.Same(attempt.RecordedFields[field.Name], fields[field.Name])
            || (attempt.RecordedFields[field.Name] is null && fields[field.Name] is "" && field.Type.AdmitsNull
                && Regex.IsMatch(attempt.Completion, $@"<{field.Name}>\s*</{field.Name}>")));

    private static string Section(ParseAttempt attempt, SignatureField field) =>
        WebUtility.HtmlDecode(Regex.Match(attempt.Completion, $@"<{field.Name}\b[^>]*>(.*?)</{field.Name}\s*>", RegexOptions.Singleline).Groups[1].Value.Trim());

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
}
