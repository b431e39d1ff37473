using System.Collections.Concurrent;
using System.Collections.Immutable;
using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>Scores the policy on the validation set (and the training set when asked), always with the same seeds.</summary>
internal sealed class GrpoValidator<TIn, TOut>(Metric<TIn, TOut> metric, GrpoOptions options, GrpoData<TIn, TOut> data, SpendingMeter meter, OutageWatch watch)
{
    public async Task<GrpoValidated> ValidateAsync(Program<TIn, TOut> policy, int step, CancellationToken cancellationToken)
    {
        meter.ThrowIfExhausted();
        var validation = data.Validation!;
        var examples = options.ReportTrainScores ? [.. validation, .. data.DistinctTrain] : validation;
        var sampling = options.ValidationTemperature is { } temperature ? options.Sampling with { Temperature = temperature } : options.Sampling;
        var runs = options.ValidationSamples * validation.Count;
        var result = await EvaluateAsync(policy, step, examples, sampling, 0, examples.Count + runs, cancellationToken).ConfigureAwait(false);
        double[] scores = [.. result.Scores.Take(validation.Count)];
        double? trainScore = options.ReportTrainScores ? result.Scores.Skip(scores.Length).Average() : null;
        var report = new GrpoValidation(step, scores.Average(), Bootstrap.OfMean(scores, options.Seed), trainScore, result.FormatFailureCount, false, scores);
        var validated = new GrpoValidated(report) { Answers = options.Progress is null ? [] : [.. result.Rows.Take(validation.Count).Select(AnswerOf)] };
        if (options.ValidationSamples == 0)
            return validated;

        // One set of all repetitions: each position has a seed of its own.
        Example<TIn, TOut>[] repeated = [.. Enumerable.Range(0, options.ValidationSamples).SelectMany(_ => validation)];
        var sampled = await EvaluateAsync(policy, step, repeated, options.Sampling, examples.Count, examples.Count + runs, cancellationToken).ConfigureAwait(false);
        return validated with
        {
            Validation = report with
            {
                SampledScore = sampled.Mean,
                BestOfSamples = Enumerable.Range(0, validation.Count)
                    .Average(example => Enumerable.Range(0, options.ValidationSamples).Max(sample => sampled.Scores[(sample * validation.Count) + example])),
            },
        };
    }

    private static GrpoAnswer AnswerOf(EvaluationRow<TIn, TOut> row) => new(
        ValueText.Of(row.Example.Input), row.Value is null ? null : ValueText.Of(row.Value), row.Score.Value)
    {
        Feedback = row.Score.Feedback,
        Error = row.Error?.Message,
    };

    private async Task<EvaluationResult<TIn, TOut>> EvaluateAsync(
        Program<TIn, TOut> policy,
        int step,
        IReadOnlyList<Example<TIn, TOut>> examples,
        CallOptions sampling,
        int done,
        int total,
        CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var counted = new ConcurrentDictionary<Trace, bool>(ReferenceEqualityComparer.Instance);
        var evaluator = new Evaluator<TIn, TOut>(Counting(counted, limit), new()
        {
            MaxParallelism = options.MaxParallelism,
            MaxErrors = 10 * examples.Count,
            FailureScore = options.FailureScore,
            Options = sampling,
            Recovery = RecoveryPolicy.None,
            ExampleTimeout = options.RunTimeout,
            Time = options.Time,
            Seed = new SeedStream(options.Seed).Derive(done == 0 ? "validation" : "sampled validation").Seed,
            Progress = options.Progress is { } progress
                ? new SynchronousProgress<EvaluationProgress>(each => progress.Report(new GrpoValidationProgress(step, done + each.Completed, total)))
                : null,
        });
        try
        {
            var result = await evaluator.EvaluateAsync(policy, examples, limit.Token).ConfigureAwait(false);
            watch.ThrowIfAny(); // scores of an outage would choose the wrong weights
            Count(result.Rows, counted);
            meter.ThrowIfExceeded();
            return result;
        }
        catch (EvaluationCanceledException<TIn, TOut> ended)
        {
            // What was asked until then is paid for, whoever stopped it.
            Count(ended.Finished.Rows, counted);
            if (!cancellationToken.IsCancellationRequested)
                meter.ThrowIfExceeded();
            throw;
        }
    }

    // A validation that goes beyond a limit is dropped, however many runs were under way: there is no sense in making the rest of them.
    private Metric<TIn, TOut> Counting(ConcurrentDictionary<Trace, bool> counted, CancellationTokenSource limit) => async (example, prediction, cancellationToken) =>
    {
        counted[prediction.Trace] = true;
        meter.Add(prediction.Trace);
        try
        {
            return await metric(example, prediction, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (meter.IsExceeded)
                await limit.CancelAsync().ConfigureAwait(false);
        }
    };

    // Runs that ended before their metric was asked.
    private void Count(ImmutableArray<EvaluationRow<TIn, TOut>> rows, ConcurrentDictionary<Trace, bool> counted)
    {
        foreach (var row in rows)
        {
            if (!counted.ContainsKey(row.Trace))
                meter.Add(row.Trace);
        }

        if (rows.Select(row => BudgetSpentException.In(row.Error)).FirstOrDefault(spent => spent is not null) is { } ended)
            throw ended;
    }
}
