using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Hone;

/// <summary>
/// Makes metrics from plain functions: over the example and the returned value, at once or asynchronously, giving a number, true or false, or a
/// <see cref="Score"/> with parts and feedback.
/// </summary>
public static class Metric
{
    /// <summary>A metric that looks at the example and the returned value.</summary>
    [OverloadResolutionPriority(1)]
    public static Metric<TIn, TOut> From<TIn, TOut>(Func<Example<TIn, TOut>, TOut, Score> score)
    {
        ArgumentNullException.ThrowIfNull(score);
        return (example, prediction, _) => ValueTask.FromResult(score(example, prediction.Value));
    }

    /// <summary>A metric that says right or wrong.</summary>
    public static Metric<TIn, TOut> From<TIn, TOut>(Func<Example<TIn, TOut>, TOut, bool> passes)
    {
        ArgumentNullException.ThrowIfNull(passes);
        return (example, prediction, _) => ValueTask.FromResult<Score>(passes(example, prediction.Value));
    }

    /// <summary>A metric that gives a number.</summary>
    public static Metric<TIn, TOut> From<TIn, TOut>(Func<Example<TIn, TOut>, TOut, double> score)
    {
        ArgumentNullException.ThrowIfNull(score);
        return (example, prediction, _) => ValueTask.FromResult<Score>(score(example, prediction.Value));
    }

    /// <summary>A metric that waits for something, e.g. for a judge.</summary>
    [OverloadResolutionPriority(1)]
    public static Metric<TIn, TOut> From<TIn, TOut>(Func<Example<TIn, TOut>, TOut, CancellationToken, Task<Score>> score)
    {
        ArgumentNullException.ThrowIfNull(score);
        return (example, prediction, token) => new(score(example, prediction.Value, token));
    }

    /// <summary>A metric that waits for something and says right or wrong.</summary>
    public static Metric<TIn, TOut> From<TIn, TOut>(Func<Example<TIn, TOut>, TOut, CancellationToken, Task<bool>> passes)
    {
        ArgumentNullException.ThrowIfNull(passes);
        return async (example, prediction, token) => await passes(example, prediction.Value, token).ConfigureAwait(false);
    }

    /// <summary>A metric that waits for something and gives a number.</summary>
    public static Metric<TIn, TOut> From<TIn, TOut>(Func<Example<TIn, TOut>, TOut, CancellationToken, Task<double>> score)
    {
        ArgumentNullException.ThrowIfNull(score);
        return async (example, prediction, token) => await score(example, prediction.Value, token).ConfigureAwait(false);
    }

    /// <summary>A metric that looks at the whole run: its value, its trace, what it cost.</summary>
    public static Metric<TIn, TOut> FromPrediction<TIn, TOut>(Func<Example<TIn, TOut>, Prediction<TOut>, Score> score)
    {
        ArgumentNullException.ThrowIfNull(score);
        return (example, prediction, _) => ValueTask.FromResult(score(example, prediction));
    }

    /// <summary>
    /// Several metrics as one: the score is their weighted mean, and each is a part of it under its name. Feedback is joined, a line a metric.
    /// </summary>
    /// <param name="metrics">Name, metric and weight of each.</param>
    /// <exception cref="HoneException">There is no metric, a name is there twice, or the weights are negative or all zero.</exception>
    public static Metric<TIn, TOut> Combine<TIn, TOut>(params IReadOnlyList<(string Name, Metric<TIn, TOut> Metric, double Weight)> metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        var total = metrics.Sum(entry => entry.Weight);
        if (!(total > 0) || metrics.Any(entry => !(entry.Weight >= 0)))
            throw new HoneException($"Combined metrics need weights that are not negative and have a sum above zero, got {total} for {metrics.Count} metrics.");
        if (metrics.GroupBy(entry => entry.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new HoneException($"Two combined metrics are named '{twice.Key}'. Give each its own name: it becomes a part of the score.");
        return (example, prediction, token) => CombinedAsync(metrics, total, example, prediction, token);
    }

    private static async ValueTask<Score> CombinedAsync<TIn, TOut>(
        IReadOnlyList<(string Name, Metric<TIn, TOut> Metric, double Weight)> metrics,
        double total,
        Example<TIn, TOut> example,
        Prediction<TOut> prediction,
        CancellationToken cancellationToken)
    {
        var parts = ImmutableSortedDictionary.CreateBuilder<string, double>(StringComparer.Ordinal);
        var feedback = new List<string>();
        var sum = 0.0;
        foreach (var (name, metric, weight) in metrics)
        {
            var score = await metric(example, prediction, cancellationToken).ConfigureAwait(false);
            parts[name] = score.Value;
            foreach (var (part, value) in score.Parts)
                parts[$"{name}.{part}"] = value;
            if (score.Feedback is { Length: > 0 } words)
                feedback.Add($"{name}: {words}");
            sum += weight * score.Value;
        }

        return new(sum / total) { Parts = parts.ToImmutable(), Feedback = feedback.Count == 0 ? null : string.Join('\n', feedback) };
    }
}
