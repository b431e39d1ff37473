namespace Hone.Optimizers;

/// <summary>How a run ended.</summary>
public enum TracedStatus
{
    /// <summary>With a value.</summary>
    Ok,

    /// <summary>An answer could not be read.</summary>
    ParseFailed,

    /// <summary>The program, or the metric, threw.</summary>
    Crashed,
}

/// <summary>One example's run with everything that its predictors did: data for tuning, whatever the outcome.</summary>
/// <param name="Index">Position in the set.</param>
/// <param name="Example">The example.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Score">The metric's score, the failure score, or partial credit for an answer that could be read in part; null without a metric.</param>
/// <param name="Value">What the program returned; the type's default when it failed.</param>
/// <param name="Trace">The calls, that of an unreadable answer with its raw text included.</param>
/// <param name="Error">Why it failed; null when it did not.</param>
public sealed record TracedRun<TIn, TOut>(int Index, Example<TIn, TOut> Example, TracedStatus Status, Score? Score, TOut? Value, Trace Trace, Exception? Error);

/// <summary>Settings of <see cref="TracedRuns"/>.</summary>
public sealed record TracedRunOptions
{
    /// <summary>How many examples run at once.</summary>
    /// <value>8 by default.</value>
    public int MaxParallelism
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxParallelism)); field = value; }
    } = 8;

    /// <summary>Score of a run that crashed, and of one whose answer lacks nothing but could not be used.</summary>
    public double FailureScore { get; init; }

    /// <summary>Score of an answer with no readable field; partly readable ones earn between this and <see cref="FailureScore"/>.</summary>
    /// <value>-1 by default.</value>
    public double FormatFailureScore { get; init; } = -1;

    /// <summary>Options over the model's, e.g. a temperature.</summary>
    public CallOptions? Options { get; init; }

    /// <summary>Seed; each example derives its own.</summary>
    public long Seed { get; init; }
}

/// <summary>Runs programs on examples and keeps every trace.</summary>
public static class TracedRuns
{
    /// <summary>One run an example, in the set's order; a failure is a record like any other.</summary>
    /// <param name="program">The program.</param>
    /// <param name="examples">The examples.</param>
    /// <param name="metric">Scores the runs; null leaves scores out.</param>
    /// <param name="options">Parallelism and failure scores.</param>
    /// <param name="cancellationToken">Abandons the work.</param>
    public static async Task<IReadOnlyList<TracedRun<TIn, TOut>>> CollectAsync<TIn, TOut>(
        Program<TIn, TOut> program,
        IReadOnlyList<Example<TIn, TOut>> examples,
        Metric<TIn, TOut>? metric = null,
        TracedRunOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        options ??= new();
        var results = await ParallelRunner.RunAsync(
            examples,
            (example, index, token) => RunAsync(program, example, index, metric, options, token),
            new() { MaxParallelism = options.MaxParallelism, MaxErrors = 0 },
            cancellationToken).ConfigureAwait(false);
        return [.. results.Select(result => result.Value!)];
    }

    private static async Task<TracedRun<TIn, TOut>> RunAsync<TIn, TOut>(
        Program<TIn, TOut> program, Example<TIn, TOut> example, int index, Metric<TIn, TOut>? metric, TracedRunOptions options, CancellationToken cancellationToken)
    {
        var run = new RunOptions { Options = options.Options, Seed = new SeedStream(options.Seed).Derive("traced", index).Seed };
        var outcome = await program.TryRunAsync(example.Input, run, cancellationToken).ConfigureAwait(false);
        if (outcome.Error?.SourceException is { } error)
            return Failed(error, outcome.Trace);
        try
        {
            var score = metric is null ? null : await metric(example, new(outcome.Value!, outcome.Trace), cancellationToken).ConfigureAwait(false);
            return new(index, example, TracedStatus.Ok, score, outcome.Value, outcome.Trace, null);
        }
        catch (Exception fault) when (fault is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return Failed(new HoneException($"The metric failed on example {example.Id ?? $"#{index}"}: {fault.Message}", fault), outcome.Trace);
        }

        TracedRun<TIn, TOut> Failed(Exception cause, Trace trace)
        {
            var (status, score) = cause is AdapterParseException parse
                ? (TracedStatus.ParseFailed, Hone.Reinforcement.FormatReward.Of(parse, options.FailureScore, options.FormatFailureScore))
                : (TracedStatus.Crashed, options.FailureScore);
            return new(index, example, status, metric is null ? null : new Score(score), default, trace, cause);
        }
    }
}
