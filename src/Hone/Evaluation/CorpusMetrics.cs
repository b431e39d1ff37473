using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace Hone;

/// <summary>The usual metrics of the sets that <see cref="Corpus"/> reads.</summary>
public static partial class CorpusMetrics
{
    /// <summary>GSM8K: the last integer of the answer's first line is that of the reference.</summary>
    public static Metric<FieldMap, FieldMap> Gsm8k { get; } = Metric.From<FieldMap, FieldMap>((example, output) =>
        LastInteger(Text(output["answer"])) is { } number && number == LastInteger(Text(example.Expected["answer"])));

    /// <summary>MATH: the answer, or what its last box holds, is the reference after both are freed of LaTeX that does not change the value.</summary>
    public static Metric<FieldMap, FieldMap> Math { get; } = Metric.From<FieldMap, FieldMap>((example, output) =>
        PlainMath(Text(output["answer"])) == PlainMath(Text(example.Expected["answer"])));

    /// <summary>HotPotQA: exact match of the normalised answers.</summary>
    public static Metric<FieldMap, FieldMap> HotPotQA { get; } = Metric.From<FieldMap, FieldMap>((example, output) =>
        TextMetrics.AnswerExactMatch(example.Expected, output));

    /// <summary>HoVer: the share of the reference's titles that were found, whatever else was.</summary>
    public static Metric<FieldMap, FieldMap> Hover { get; } = Metric.From<FieldMap, FieldMap>((example, output) =>
    {
        var wanted = Titles(example.Expected);
        var missing = wanted.Except(Titles(output), StringComparer.Ordinal).ToArray();
        return new Score(wanted.Count == 0 ? 1 : 1 - ((double)missing.Length / wanted.Count))
        {
            Feedback = missing.Length == 0 ? "All articles were found." : $"These articles were not found: {string.Join(", ", missing)}.",
        };
    });

    /// <summary>Banking77: the category is the reference; case, blanks and underscores do not count.</summary>
    public static Metric<FieldMap, FieldMap> Banking77 { get; } = Metric.From<FieldMap, FieldMap>((example, output) =>
        Label(Text(output["category"])) == Label(Text(example.Expected["category"])));

    /// <summary>The last integer of a text's first line, without separators of thousands and decimals; null without a digit.</summary>
    public static BigInteger? LastInteger(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var line = text.Trim().Split('\n')[0];
        return Number().Matches(line) is { Count: > 0 } numbers
            ? BigInteger.Parse(numbers[^1].Groups["whole"].Value.Replace(",", "", StringComparison.Ordinal), CultureInfo.InvariantCulture)
            : null;
    }

    /// <summary>An answer in LaTeX reduced to what decides its value: the last box, without blanks, dollars, sizes and units in words.</summary>
    public static string PlainMath(string answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var text = MathRows.Boxed(answer) ?? answer;
        text = Words().Replace(text, match => match.Value.StartsWith(@"\text", StringComparison.Ordinal) && match.Index > 0 ? "" : match.Groups["words"].Value);
        text = Sizes().Replace(text, "").Replace(@"\dfrac", @"\frac", StringComparison.Ordinal).Replace(@"\tfrac", @"\frac", StringComparison.Ordinal);
        text = text.Replace(@"^\circ", "", StringComparison.Ordinal).Replace(@"^{\circ}", "", StringComparison.Ordinal);
        text = Thousands().Replace(text, "$1");
        text = string.Concat(text.Where(sign => !char.IsWhiteSpace(sign) && sign is not '$')).Replace(@"\%", "", StringComparison.Ordinal).Replace("%", "", StringComparison.Ordinal);
        text = ShortFraction().Replace(text, @"\frac{$1}{$2}").TrimEnd('.');
        return text.StartsWith('.') ? "0" + text : text;
    }

    private static HashSet<string> Titles(FieldMap fields) => fields["titles"] is ImmutableArray<object?> titles
        ? [.. titles.Select(title => TextMetrics.Normalize($"{title}"))]
        : throw new HoneException($"The field 'titles' should be a list of texts, found {FieldConstraints.Shorten(fields["titles"])}.");

    private static string Text(object? value) => value as string ?? EvaluationTable.Text(value);

    private static string Label(string text) => text.Replace('_', ' ').Trim().ToLowerInvariant();

    [GeneratedRegex(@"(?<whole>(?<!\d)-?\d[\d,]*)(\.\d+)?")]
    private static partial Regex Number();

    [GeneratedRegex(@"\\(?:text|mbox|mathrm|textbf|mathbf)\s*\{(?<words>[^{}]*)\}")]
    private static partial Regex Words();

    [GeneratedRegex(@"\\left|\\right|\\!|\\,|\\;|\\ |\\\$")]
    private static partial Regex Sizes();

    [GeneratedRegex(@"(?<=\d),(\d{3})(?!\d)")]
    private static partial Regex Thousands();

    [GeneratedRegex(@"\\frac(\d)(\d)")]
    private static partial Regex ShortFraction();
}
