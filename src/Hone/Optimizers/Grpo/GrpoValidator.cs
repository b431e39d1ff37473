using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>Scores the policy on the validation set (and the training set when asked), always with the same seeds.</summary>
internal sealed class GrpoValidator<TIn, TOut>(Metric<TIn, TOut> metric, GrpoOptions options, GrpoData<TIn, TOut> data, OutageWatch watch)
{
    public async Task<GrpoValidation> ValidateAsync(Program<TIn, TOut> policy, int step, CancellationToken cancellationToken)
    {
        var examples = options.ReportTrainScores ? [.. data.Validation!, .. data.DistinctTrain] : data.Validation!;
        var sampling = options.ValidationTemperature is { } temperature ? options.Sampling with { Temperature = temperature } : options.Sampling;
        var evaluator = new Evaluator<TIn, TOut>(metric, new()
        {
            MaxParallelism = options.MaxParallelism,
            MaxErrors = 10 * examples.Count,
            FailureScore = options.FailureScore,
            Options = sampling,
            Recovery = RecoveryPolicy.None,
            Seed = new SeedStream(options.Seed).Derive("validation").Seed,
            Progress = options.Progress is { } progress
                ? new SynchronousProgress<EvaluationProgress>(each => progress.Report(new GrpoValidationProgress(step, each.Completed, examples.Count)))
                : null,
        });
        var result = await evaluator.EvaluateAsync(policy, examples, cancellationToken).ConfigureAwait(false);
        watch.ThrowIfAny(); // scores of an outage would choose the wrong weights
        double[] scores = [.. result.Scores.Take(data.Validation!.Count)];
        double? trainScore = options.ReportTrainScores ? result.Scores.Skip(scores.Length).Average() : null;
        return new(step, scores.Average(), Bootstrap.OfMean(scores, options.Seed), trainScore, result.FormatFailureCount, false, scores);
    }
}
