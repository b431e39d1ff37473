using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.AI.Evaluation;

namespace Hone.Evaluation;

/// <summary>An evaluator as a metric.</summary>
internal sealed class EvaluatorMetric<TIn, TOut>
{
    // Sums of judges are not exact to the last bit.
    private const double Tolerance = 1e-9;

    private readonly IEvaluator evaluator;
    private readonly EvaluatorMetricOptions<TIn, TOut> options;
    private readonly ChatConfiguration? configuration;

    public EvaluatorMetric(IEvaluator evaluator, EvaluatorMetricOptions<TIn, TOut> options)
    {
        (this.evaluator, this.options) = (evaluator, options);
        configuration = options.Judge is { } judge ? new(judge) : null;
        var unknown = options.Counted.Except(evaluator.EvaluationMetricNames, StringComparer.Ordinal).ToList();
        if (unknown.Count > 0)
        {
            throw new ArgumentException(
                $"{Name} has no result {string.Join(", ", unknown.Select(name => $"'{name}'"))}; it gives {string.Join(", ", evaluator.EvaluationMetricNames)}.", nameof(options));
        }
    }

    private string Name => evaluator.GetType().Name;

    public async ValueTask<Score> ScoreAsync(Example<TIn, TOut> example, Prediction<TOut> prediction, CancellationToken cancellationToken)
    {
        var result = await evaluator.EvaluateAsync(
            options.Messages(example), options.Response(prediction), configuration, options.Context(example, prediction), cancellationToken).ConfigureAwait(false);
        var parts = ImmutableSortedDictionary.CreateBuilder<string, double>(StringComparer.Ordinal);
        var feedback = new List<string>();
        foreach (var metric in result.Metrics.Values.Where(IsCounted))
        {
            var value = ValueOf(metric);
            if (value is { } number)
                parts[metric.Name] = number;
            if (ReasonOf(metric) is { } reason)
                feedback.Add(value is null ? $"{metric.Name}: {reason}" : string.Create(CultureInfo.InvariantCulture, $"{metric.Name} {value:0.##}: {reason}"));
        }

        return parts.Count == 0
            ? throw new HoneException($"{Name} gave nothing that is a number, a truth or a rating: {Given(result)}. Set {nameof(options.Value)} to make a fraction of it.")
            : new(parts.Values.Average()) { Parts = parts.ToImmutable(), Feedback = feedback.Count == 0 ? null : string.Join('\n', feedback) };
    }

    private bool IsCounted(EvaluationMetric metric) => options.Counted.IsEmpty || options.Counted.Contains(metric.Name, StringComparer.Ordinal);

    // An evaluator that failed says so in a diagnostic; without a value that must not count as a bad answer.
    private double? ValueOf(EvaluationMetric metric)
    {
        var value = options.Value is { } rule ? rule(metric) : Usual(metric);
        return value is null && metric.Diagnostics?.FirstOrDefault(each => each.Severity == EvaluationDiagnosticSeverity.Error) is { } error
            ? throw new HoneException($"{Name} has no value for '{metric.Name}': {error.Message}")
            : value;
    }

    private double? Usual(EvaluationMetric metric) => metric switch
    {
        BooleanMetric { Value: { } passed } => passed ? 1 : 0,
        NumericMetric { Value: { } number } => OnScale(metric.Name, number),
        BooleanMetric or NumericMetric => null,
        _ => OfRating(metric.Interpretation?.Rating),
    };

    private double OnScale(string name, double number)
    {
        var (low, high) = options.Scale;
        var fraction = (number - low) / (high - low);
        return fraction is >= -Tolerance and <= 1 + Tolerance
            ? Math.Clamp(fraction, 0, 1)
            : throw new HoneException(string.Create(
                CultureInfo.InvariantCulture,
                $"{Name} gave {number} for '{name}', outside {low} to {high}. Set {nameof(options.Scale)} to the numbers that it gives, e.g. (1, 5), or {nameof(options.Value)}."));
    }

    private static double? OfRating(EvaluationRating? rating) => rating switch
    {
        EvaluationRating.Unacceptable => 0,
        EvaluationRating.Poor => 0.25,
        EvaluationRating.Average => 0.5,
        EvaluationRating.Good => 0.75,
        EvaluationRating.Exceptional => 1,
        _ => null,
    };

    private static string? ReasonOf(EvaluationMetric metric) => new[] { metric.Reason, metric.Interpretation?.Reason }.FirstOrDefault(text => !string.IsNullOrWhiteSpace(text));

    private static string Given(EvaluationResult result) =>
        result.Metrics.Count == 0 ? "no results" : string.Join(", ", result.Metrics.Values.Select(metric => $"'{metric.Name}' ({metric.GetType().Name})"));
}
