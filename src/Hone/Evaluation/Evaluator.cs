using System.Runtime.CompilerServices;

namespace Hone;

/// <summary>Settings of <see cref="Evaluator{TIn,TOut}"/>.</summary>
public sealed record EvaluatorOptions
{
    /// <summary>How many examples run at once.</summary>
    /// <value>8 by default; at least 1.</value>
    public int MaxParallelism
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxParallelism)); field = value; }
    } = 8;

    /// <summary>How many examples may fail before the evaluation stops with their causes.</summary>
    /// <value>10 by default.</value>
    public int MaxErrors
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaxErrors)); field = value; }
    } = 10;

    /// <summary>Score of an example whose run or metric failed.</summary>
    /// <value>0 by default.</value>
    public double FailureScore { get; init; }

    /// <summary>Options over the model's, e.g. temperature 0.</summary>
    public CallOptions? Options { get; init; }

    /// <summary>Seed; each example derives its own. Null sends no seed.</summary>
    /// <value>0 by default.</value>
    public long? Seed { get; init; } = 0;

    /// <summary>What happens when an answer cannot be read; null leaves it to the program.</summary>
    public RecoveryPolicy? Recovery { get; init; }

    /// <summary>
    /// True to keep what the predictors did for every row: prompts, answers, failures. False keeps the sums only, which spares memory and time on large
    /// sets.
    /// </summary>
    /// <value>True by default.</value>
    public bool KeepTraces { get; init; } = true;

    /// <summary>Told after every example: how many are done.</summary>
    public IProgress<EvaluationProgress>? Progress { get; init; }
}

/// <summary>How far an evaluation is.</summary>
/// <param name="Completed">Examples done.</param>
/// <param name="Total">Examples in the set.</param>
public readonly record struct EvaluationProgress(int Completed, int Total);

/// <summary>Makes evaluators without naming their types.</summary>
public static class Evaluator
{
    /// <summary>An evaluator for a metric.</summary>
    public static Evaluator<TIn, TOut> Create<TIn, TOut>(Metric<TIn, TOut> metric, EvaluatorOptions? options = null) => new(metric, options);
}

/// <summary>Scores programs on a set of examples, side by side and in order.</summary>
public sealed class Evaluator<TIn, TOut>
{
    private readonly Metric<TIn, TOut> metric;
    private readonly EvaluatorOptions options;

    /// <summary>Creates an evaluator.</summary>
    public Evaluator(Metric<TIn, TOut> metric, EvaluatorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(metric);
        this.metric = metric;
        this.options = options ?? new();
    }

    /// <summary>Runs the program on every example and scores it.</summary>
    /// <exception cref="HoneException">The set is empty.</exception>
    /// <exception cref="AggregateException">More examples failed than <see cref="EvaluatorOptions.MaxErrors"/>.</exception>
    public async Task<EvaluationResult<TIn, TOut>> EvaluateAsync(
        Program<TIn, TOut> program, IReadOnlyList<Example<TIn, TOut>> examples, CancellationToken cancellationToken = default)
    {
        if (examples.Count == 0)
            throw new HoneException("There is nothing to evaluate: the set of examples is empty.");
        return Observation.IsOn(HoneScope.Current)
            ? await Observation.RunAsync(
                CallKind.Evaluation, program.Module.GetType().Name, examples, () => ScoreAllAsync(program, examples, cancellationToken)).ConfigureAwait(false)
            : await ScoreAllAsync(program, examples, cancellationToken).ConfigureAwait(false);
    }

    private async Task<EvaluationResult<TIn, TOut>> ScoreAllAsync(
        Program<TIn, TOut> program, IReadOnlyList<Example<TIn, TOut>> examples, CancellationToken cancellationToken)
    {
        var errors = new StrongBox<int>();
        var results = await ParallelRunner.RunAsync(
            examples,
            (example, index, token) => ScoreAsync(program, example, index, errors, token),
            new()
            {
                MaxParallelism = options.MaxParallelism,
                MaxErrors = 0,
                Progress = new SynchronousProgress<int>(completed => options.Progress?.Report(new(completed, examples.Count))),
            },
            cancellationToken).ConfigureAwait(false);
        EvaluationRow<TIn, TOut>[] rows = [.. results.Select(result => result.Value!)];
        return new([.. rows], Bootstrap.OfMean([.. rows.Select(row => row.Score.Value)]));
    }

    private async Task<EvaluationRow<TIn, TOut>> ScoreAsync(
        Program<TIn, TOut> program, Example<TIn, TOut> example, int index, StrongBox<int> errors, CancellationToken cancellationToken)
    {
        var seed = options.Seed is { } root ? new SeedStream(root).Derive("evaluate", index).Seed : (long?)null;
        var run = new RunOptions { Options = options.Options, Seed = seed, Recovery = options.Recovery };
        var outcome = await program.TryRunAsync(example.Input, run, cancellationToken).ConfigureAwait(false);
        if (outcome.Error is { } failure)
            return Failed(Row(index, example, outcome, options.FailureScore, failure.SourceException), errors);
        try
        {
            var score = await metric(example, new(outcome.Value!, outcome.Trace), cancellationToken).ConfigureAwait(false);
            return Row(index, example, outcome, score, null);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            var named = new HoneException($"The metric failed on example {example.Id ?? $"#{index}"}: {error.Message}", error);
            return Failed(Row(index, example, outcome, options.FailureScore, named), errors);
        }
    }

    // A failure is a row like any other until there are too many of them.
    private EvaluationRow<TIn, TOut> Failed(EvaluationRow<TIn, TOut> row, StrongBox<int> errors) =>
        Interlocked.Increment(ref errors.Value) > options.MaxErrors ? throw row.Error! : row;

    private EvaluationRow<TIn, TOut> Row(int index, Example<TIn, TOut> example, in RunOutcome<TOut> outcome, Score score, Exception? error) => options.KeepTraces
        ? new(index, example, outcome.Value, score, outcome.Trace, error)
        : new(index, example, outcome.Value, score, Trace.Empty, error)
        {
            Usage = outcome.Trace.Usage,
            FormatFailureCount = outcome.Trace.FormatFailureCount,
        };
}
