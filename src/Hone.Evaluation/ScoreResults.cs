using System.Globalization;
using Microsoft.Extensions.AI.Evaluation;

namespace Hone.Evaluation;

/// <summary>A score as an evaluator's results: the whole and its parts as numbers, the feedback as their reason.</summary>
internal static class ScoreResults
{
    public static string[] Names(string name, IEnumerable<string> parts) => [name, .. parts.Select(part => PartOf(name, part))];

    public static EvaluationResult Of(string name, Score score, double? passing, EvaluationContext context)
    {
        var whole = new NumericMetric(name, score.Value, score.Feedback) { Interpretation = passing is { } least ? Interpret(score.Value, least) : null };
        var result = new EvaluationResult([whole, .. score.Parts.Select(part => new NumericMetric(PartOf(name, part.Key), part.Value))]);
        result.AddOrUpdateContextInAllMetrics(context);
        return result;
    }

    // Reports of this kind go on over an evaluator that lacks something, and show what it lacks.
    public static EvaluationResult Without(string name, string what)
    {
        var result = new EvaluationResult(new NumericMetric(name));
        result.AddDiagnosticsToAllMetrics(EvaluationDiagnostic.Error(what));
        return result;
    }

    private static string PartOf(string name, string part) => $"{name}.{part}";

    private static EvaluationMetricInterpretation Interpret(double value, double passing) => value >= passing
        ? new(EvaluationRating.Good)
        : new(EvaluationRating.Unacceptable, failed: true, string.Create(CultureInfo.InvariantCulture, $"Below {passing}."));
}
