using System.Threading.Channels;

namespace Hone;

/// <summary>One evaluation while it runs: the rows so far, their sums, the error budget.</summary>
internal sealed class EvaluationRun<TIn, TOut>
{
    private readonly Lock gate = new();
    private readonly Program<TIn, TOut> program;
    private readonly IReadOnlyList<Example<TIn, TOut>> examples;
    private readonly Metric<TIn, TOut> metric;
    private readonly EvaluatorOptions options;
    private readonly ChannelWriter<EvaluationRow<TIn, TOut>>? sink;
    private readonly EvaluationRowFile<TIn, TOut>? file;
    private readonly RunOptions plain;

    // Null where an example is not done.
    private readonly EvaluationRow<TIn, TOut>?[] rows;
    private int next;
    private int completed;
    private int errors;
    private double sum;

    public EvaluationRun(
        Program<TIn, TOut> program,
        IReadOnlyList<Example<TIn, TOut>> examples,
        Metric<TIn, TOut> metric,
        EvaluatorOptions options,
        EvaluationResult<TIn, TOut>? finished,
        ChannelWriter<EvaluationRow<TIn, TOut>>? sink,
        EvaluationRowFile<TIn, TOut>? file)
    {
        (this.program, this.examples, this.metric, this.options, this.sink, this.file) = (program, examples, metric, options, sink, file);
        plain = new() { Options = options.Options, Recovery = options.Recovery };
        rows = new EvaluationRow<TIn, TOut>[examples.Count];
        foreach (var row in finished?.Rows ?? [])
            Take(row);
    }

    public async Task<EvaluationResult<TIn, TOut>> RunAsync(CancellationToken cancellationToken)
    {
        int[]? open = completed == 0 ? null : [.. Enumerable.Range(0, rows.Length).Where(index => rows[index] is null)];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var workers = new Task[Math.Min(options.MaxParallelism, open?.Length ?? rows.Length)];
        for (var i = 0; i < workers.Length; i++)
            workers[i] = Task.Run(() => WorkAsync(open, stop), CancellationToken.None);
        await Task.WhenAll(workers).ConfigureAwait(false);
        if (errors > options.MaxErrors)
        {
            var finished = Result();
            throw new EvaluationStoppedException<TIn, TOut>(finished, rows.Length, options.MaxErrors, [.. finished.Failures.Select(row => row.Error!)]);
        }

        return completed == rows.Length
            ? Result()
            : throw new EvaluationCanceledException<TIn, TOut>(Result(), rows.Length, new OperationCanceledException(cancellationToken), cancellationToken);
    }

    // The budget counts what fails now: what failed before is run again.
    private void Take(EvaluationRow<TIn, TOut> row)
    {
        if (row.Index < 0 || row.Index >= rows.Length || !Equals(row.Example, examples[row.Index]))
            throw new HoneException($"The finished row {row.Name} is not of this set: another example stands at position {row.Index}. Pass the set of the first evaluation.");
        if (row.Error is not null || rows[row.Index] is not null)
            return;
        rows[row.Index] = row;
        completed++;
        sum += row.Score.Value;
    }

    private EvaluationResult<TIn, TOut> Result()
    {
        lock (gate)
        {
            EvaluationRow<TIn, TOut>[] done = [.. rows.Where(row => row is not null).Select(row => row!)];
            return new([.. done], Bootstrap.OfMean([.. done.Select(row => row.Score.Value)]));
        }
    }

    // Takes one example after another. A run is awaited here and not in a method of its own: at many calls a second each asynchronous layer shows.
    private async Task WorkAsync(int[]? open, CancellationTokenSource stop)
    {
        var count = open?.Length ?? rows.Length;

        // Every request registers with its token, often several times: a token of the worker's own is not fought over.
        using var own = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        try
        {
            while (!stop.IsCancellationRequested && Interlocked.Increment(ref next) is var place && place <= count)
            {
                var index = open is null ? place - 1 : open[place - 1];
                var started = options.Time.GetTimestamp();
                EvaluationRow<TIn, TOut> row;
                if (options.ExampleTimeout is { } limit)
                {
                    row = await ScoreWithinAsync(index, limit, started, own.Token).ConfigureAwait(false);
                }
                else
                {
                    var outcome = await program.TryRunAsync(examples[index].Input, SettingsOf(index), own.Token).ConfigureAwait(false);
                    row = await ScoreAsync(index, started, outcome, own.Token).ConfigureAwait(false);
                }

                if (!Keep(row))
                    await stop.CancelAsync().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Cancelled from outside or because the error budget is spent: the caller is told once, for all examples.
            return;
        }
        catch (Exception)
        {
            // A program's or a metric's failure is a row; this is a listener's, and ends the evaluation.
            await stop.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    private RunOptions SettingsOf(int index) =>
        options.Seed is { } root ? plain with { Seed = new SeedStream(root).Derive("evaluate", index).Seed } : plain;

    private async Task<EvaluationRow<TIn, TOut>> ScoreWithinAsync(int index, TimeSpan limit, long started, CancellationToken cancellationToken)
    {
        using var expiry = new CancellationTokenSource(limit, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, expiry.Token);
        var recorder = new TraceRecorder(HoneScope.Current?.Recorder);
        try
        {
            // A program that does not listen to its token is left behind, even one that never gives its thread back.
            var run = Task.Run(() => program.TryRunAsync(examples[index].Input, SettingsOf(index), recorder, either.Token).AsTask(), either.Token);
            var outcome = await run.WaitAsync(either.Token).ConfigureAwait(false);
            return await ScoreAsync(index, started, outcome, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException error) when (expiry.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            var late = new TimeoutException($"Example {NameOf(index)} took longer than {limit}; raise {nameof(EvaluatorOptions.ExampleTimeout)}.", error);

            // What was answered until then is paid for.
            return Row(index, started, new(default, null, recorder.Snapshot()), options.FailureScore, late);
        }
    }

    private async ValueTask<EvaluationRow<TIn, TOut>> ScoreAsync(int index, long started, RunOutcome<TOut> outcome, CancellationToken cancellationToken)
    {
        if (outcome.Error is { } failure)
            return Row(index, started, outcome, options.FailureScore, failure.SourceException);
        try
        {
            var score = await metric(examples[index], new(outcome.Value!, outcome.Trace), cancellationToken).ConfigureAwait(false);
            return score is { Value: not double.NaN }
                ? Row(index, started, outcome, score, null)
                : Row(index, started, outcome, options.FailureScore, MetricFault(index, score is null ? "it returned null" : "it returned a score that is not a number", null));
        }
        catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return Row(index, started, outcome, options.FailureScore, MetricFault(index, error.Message, error));
        }
    }

    private HoneException MetricFault(int index, string what, Exception? cause) => new($"The metric failed on example {NameOf(index)}: {what}", cause);

    private string NameOf(int index) => examples[index].Id ?? $"#{index}";

    // A failure is a row like any other until there are too many of them: then the answer is false.
    private bool Keep(EvaluationRow<TIn, TOut> row)
    {
        lock (gate)
        {
            rows[row.Index] = row;
            completed++;
            if (row.Error is null)
                sum += row.Score.Value;
            else
                errors++;
            sink?.TryWrite(row);
            file?.Append(row);

            // Told inside the lock, so that counts never go back.
            options.Progress?.Report(new(completed, rows.Length) { Errors = errors, Mean = completed > errors ? sum / (completed - errors) : null });
            return errors <= options.MaxErrors;
        }
    }

    private EvaluationRow<TIn, TOut> Row(int index, long started, in RunOutcome<TOut> outcome, Score score, Exception? error)
    {
        var duration = options.Time.GetElapsedTime(started);
        return options.KeepTraces
            ? new(index, examples[index], outcome.Value, score, outcome.Trace, error) { Duration = duration }
            : new(index, examples[index], outcome.Value, score, Trace.Empty, error)
            {
                Usage = outcome.Trace.Usage,
                FormatFailureCount = outcome.Trace.FormatFailureCount,
                Duration = duration,
            };
    }
}
