using System.Collections.Immutable;
using System.Text.Json;

namespace Hone.Conformance;

/// <summary>A passage match: what was asked, recorded and answered.</summary>
internal sealed record PassageAttempt(ImmutableArray<string> Passages, ImmutableArray<string> Answers, bool Expected, bool Actual);

/// <summary>metrics.json: normalisation, EM, F1, HotPotQA F1, precision, passage match.</summary>
internal sealed class MetricsSuite : IVectorSuite
{
    private static readonly DifferenceRule<PassageAttempt>[] PassageRules =
    [
        new(
            "passage-empty-answer",
            "an answer that normalises to nothing (\"the\") matches no passage instead of every passage",
            attempt => attempt is { Expected: true, Actual: false }
                && attempt.Answers.Any(answer => TextMetrics.Normalize(answer).Length == 0)
                && !TextMetrics.PassageMatch(attempt.Passages, [.. attempt.Answers.Where(answer => TextMetrics.Normalize(answer).Length > 0)])),
    ];

    public string Name => "metrics";

    public IEnumerable<CaseResult> Run(string vectors)
    {
        var file = VectorFile.Open(vectors, Name);
        return file.Items("normalize").Select(Normalize)
            .Concat(file.Items("cases").Select(Pair))
            .Concat(file.Items("multi").Select(Several))
            .Concat(file.Items("answer_exact_match").Select(ExactMatch))
            .Concat(file.Items("passages").Select(Passage));
    }

    private static CaseResult Normalize(JsonElement recorded)
    {
        var text = recorded.Text("text")!;
        var (expected, actual) = (recorded.Text("normalized")!, TextMetrics.Normalize(text));
        var tokens = recorded.Items("dpr_tokens").Select(token => token.GetString()!).ToList();
        var mismatch = expected != actual ? $"'{text}': expected '{expected}', got '{actual}'"
            : !TextNormalizer.PassageTokens(text).SequenceEqual(tokens) ? $"'{text}': expected tokens {string.Join('|', tokens)}, got {string.Join('|', TextNormalizer.PassageTokens(text))}"
            : null;
        return mismatch is null ? CaseResult.Pass(recorded.Id()) : CaseResult.Fail(recorded.Id(), mismatch);
    }

    private static CaseResult Pair(JsonElement recorded)
    {
        var (prediction, truth) = (recorded.Text("prediction")!, recorded.Text("truth")!);
        var mismatch = Compare(recorded, "em", () => TextMetrics.ExactMatch(prediction, truth))
            ?? Compare(recorded, "f1", () => TextMetrics.F1(prediction, truth))
            ?? Compare(recorded, "hotpot_f1", () => TextMetrics.HotPotF1(prediction, truth))
            ?? Compare(recorded, "precision", () => TextMetrics.Precision(prediction, truth));
        return Result(recorded, mismatch);
    }

    private static CaseResult Several(JsonElement recorded)
    {
        var prediction = recorded.Text("prediction")!;
        var answers = recorded.Items("answers").Select(answer => answer.GetString()!).ToList();
        var mismatch = Compare(recorded, "EM", () => TextMetrics.ExactMatch(prediction, answers))
            ?? Compare(recorded, "F1", () => TextMetrics.F1(prediction, answers))
            ?? Compare(recorded, "HotPotF1", () => TextMetrics.HotPotF1(prediction, answers));
        return Result(recorded, mismatch);
    }

    private static CaseResult ExactMatch(JsonElement recorded)
    {
        var example = FieldMap.Of(("answer", VectorValues.Read(recorded.GetProperty("answer"), FieldType.Any)));
        var prediction = FieldMap.Of(("answer", VectorValues.Read(recorded.GetProperty("prediction"), FieldType.Any)));
        var fraction = Convert.ToDouble(VectorValues.Read(recorded.GetProperty("frac"), FieldType.Any), System.Globalization.CultureInfo.InvariantCulture);
        return Result(recorded, Compare(recorded, "match", () => TextMetrics.AnswerExactMatch(example, prediction, fraction)));
    }

    private static CaseResult Passage(JsonElement recorded)
    {
        var given = recorded.GetProperty("answer");
        ImmutableArray<string> answers = given.ValueKind == JsonValueKind.Array ? [.. given.EnumerateArray().Select(each => each.GetString()!)] : [given.GetString()!];
        var passages = recorded.Items("context").Select(each => each.GetString()!).ToImmutableArray();
        var mismatch = Compare(recorded, "match", () => TextMetrics.PassageMatch(passages, answers));
        var expected = recorded.GetProperty("match").ValueKind == JsonValueKind.True;
        return CaseResult.From(recorded.GetRawText(), mismatch, new(passages, answers, expected, TextMetrics.PassageMatch(passages, answers)), PassageRules);
    }

    private static CaseResult Result(JsonElement recorded, string? mismatch) =>
        mismatch is null ? CaseResult.Pass(recorded.Id()) : CaseResult.Fail(recorded.Id(), mismatch);

    private static string? Compare(JsonElement recorded, string name, Func<object> measure)
    {
        if (!recorded.TryGetProperty(name, out var expected))
            return null;
        var raises = expected.ValueKind == JsonValueKind.Object && expected.TryGetProperty("$error", out _);
        try
        {
            var actual = measure();
            if (raises)
                return $"{name}: expected an error, got {actual}";
            var value = VectorValues.Read(expected, FieldType.Any);
            var wanted = value is long whole && actual is double ? (double)whole : value;
            return Equals(wanted, actual) ? null : $"{name}: expected {wanted}, got {actual}";
        }
        catch (HoneException exception)
        {
            return raises ? null : $"{name}: {exception.Message}";
        }
    }
}
