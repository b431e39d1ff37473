using System.Text.Json;
using System.Text.RegularExpressions;

namespace Hone.Conformance;

/// <summary>Where reading a signature string answers otherwise on purpose.</summary>
internal static partial class SignatureDifferences
{
    private static readonly HashSet<string> PythonWords = new(StringComparer.Ordinal)
    {
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except", "finally", "for", "from",
        "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    };

    // Spellings of .NET and JSON that Python does not know as types.
    private static readonly HashSet<string> OwnSpellings = new(StringComparer.Ordinal)
    {
        "string", "String", "long", "integer", "double", "number", "decimal", "boolean", "any", "object", "null", "uuid", "guid", "Guid", "uri", "Uri", "date", "datetime",
        "DateOnly", "DateTime", "DateTimeOffset", "IList", "IReadOnlyList", "IEnumerable", "HashSet", "IReadOnlySet", "Dictionary", "IDictionary", "IReadOnlyDictionary",
        "enum", "History", "Decimal", "UUID", "byte", "short", "uint", "ulong", "char", "BigInteger", "TimeSpan", "TimeOnly", "timedelta", "duration", "time", "ImmutableArray",
        "Nullable", "ISet", "Image", "Audio", "File", "Attachment", "Document", "Reasoning", "Code", "Citations", "Tool", "ToolCalls", "ToolResults",
    };

    public static IReadOnlyList<DifferenceRule<SignatureAttempt>> Rules { get; } =
    [
        new("signature-duplicate", "a name declared twice is refused, with its position", attempt => Refused(attempt, "is already declared at position") && HasDuplicate(attempt.Text)),
        new("signature-default", "a default value in the text is refused instead of dropped", attempt => Refused(attempt, "default values are not supported") && attempt.Text.Contains('=', StringComparison.Ordinal)),
        new("signature-parameter-marker", "Python's * and / markers are refused instead of dropping fields", attempt => Refused(attempt, "markers are not supported") && StrayMarker().IsMatch(attempt.Text)),
        new("signature-trailing-code", "text behind a closing parenthesis is refused instead of ignored", attempt => Refused(attempt, "found ')'") && attempt.Text.Contains(')', StringComparison.Ordinal)),
        new("signature-closed-types", "only known and registered types; nothing is imported by name", attempt => IsRefusedType(attempt)),
        new("signature-any-name", "a word of Python's, or a member name of its signature class, is an ordinary field name", IsOrdinaryName),
        new("signature-arrow-in-literal", "an arrow inside quotes belongs to the literal", attempt => attempt is { Signature: not null } && !attempt.Recorded.IsOk() && QuotedArrow().IsMatch(attempt.Text)),
        new("signature-csharp-tuple", "C#'s spelling of a tuple, (int, str), is known", IsTuple),
        new("signature-own-spelling", ".NET and JSON spellings of types are known", IsOwnSpelling),
    ];

    private static bool Refused(SignatureAttempt attempt, string reason) =>
        attempt.Recorded.IsOk() && attempt.Error is SignatureFormatException error && error.Message.Contains(reason, StringComparison.Ordinal) && error.Position <= attempt.Text.Length;

    private static bool HasDuplicate(string text) =>
        FieldName().Matches(text).Select(match => match.Groups[1].Value).GroupBy(name => name).Any(group => group.Count() > 1);

    private static bool IsRefusedType(SignatureAttempt attempt) =>
        (Refused(attempt, "there is no type") || Refused(attempt, "expected a type") || Refused(attempt, "takes "))
        && attempt.Recorded.GetProperty("result") is var result
        && result.Items("inputs").Concat(result.Items("outputs")).Any(field => VectorTypes.Type(field.GetProperty("type")) is null);

    private static bool IsOrdinaryName(SignatureAttempt attempt) => attempt.Signature is { } signature && !attempt.Recorded.IsOk()
        && (attempt.Recorded.Text("error") == "SyntaxError" ? signature.Fields.Any(field => PythonWords.Contains(field.Name)) : IsMemberClash(attempt.Recorded))
        && signature.Fields.Select(field => field.Name).SequenceEqual(FieldName().Matches(attempt.Text).Select(match => match.Groups[1].Value));

    private static bool IsMemberClash(JsonElement recorded) =>
        recorded.Text("message") is { } message && (message.Contains("'NoneType' object", StringComparison.Ordinal) || message.Contains("shadows", StringComparison.Ordinal));

    private static bool IsTuple(SignatureAttempt attempt) => attempt.Signature is { } signature && !attempt.Recorded.IsOk()
        && ParenthesizedTuple().IsMatch(attempt.Text) && signature.Fields.Any(field => field.Type.ToString().Contains("tuple[", StringComparison.Ordinal));

    private static bool IsOwnSpelling(SignatureAttempt attempt) => attempt.Signature is not null && !attempt.Recorded.IsOk()
        && Word().Matches(attempt.Text[attempt.Text.IndexOf(':', StringComparison.Ordinal)..]).Any(match => OwnSpellings.Contains(match.Value));

    [GeneratedRegex(@"(?:^|,|->)\s*(\w+)\s*(?=[,:]|->|$)")]
    private static partial Regex FieldName();

    [GeneratedRegex(@"(^|,|->)\s*[*/]")]
    private static partial Regex StrayMarker();

    [GeneratedRegex(@"['""][^'""]*->[^'""]*['""]")]
    private static partial Regex QuotedArrow();

    [GeneratedRegex(@":\s*\([^()]*,[^()]*\)")]
    private static partial Regex ParenthesizedTuple();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();
}
