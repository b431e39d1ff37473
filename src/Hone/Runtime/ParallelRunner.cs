namespace Hone;

/// <summary>The outcome of one item: a value or the exception that it ended with.</summary>
/// <param name="Value">What the work gave; the type's default when it failed.</param>
/// <param name="Error">Why it failed; null when it succeeded.</param>
/// <param name="Duration">How long it took.</param>
public readonly record struct ItemResult<T>(T? Value, Exception? Error, TimeSpan Duration)
{
    /// <summary>True when there is a value.</summary>
    public bool Succeeded => Error is null;
}

/// <summary>How work items run side by side.</summary>
public sealed record ParallelRunnerOptions
{
    /// <summary>How many items run at once.</summary>
    /// <value>8 by default; at least 1.</value>
    public int MaxParallelism
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxParallelism)); field = value; }
    } = 8;

    /// <summary>How many items may fail before the rest is given up.</summary>
    /// <value>10 by default; 0 stops at the first failure.</value>
    public int MaxErrors
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaxErrors)); field = value; }
    } = 10;

    /// <summary>An item that takes longer is cancelled and counts as failed; null waits for as long as it takes.</summary>
    public TimeSpan? ItemTimeout { get; init; }

    /// <summary>Told after every item how many are done.</summary>
    public IProgress<int>? Progress { get; init; }

    /// <summary>The clock of durations and time-outs.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>Runs work items side by side; results come back in item order, whatever the parallelism. An item is never started twice.</summary>
public static class ParallelRunner
{
    /// <summary>Runs every item.</summary>
    /// <param name="items">The items.</param>
    /// <param name="work">The work: item, its position, cancellation.</param>
    /// <param name="options">Parallelism, error budget, time-out, progress.</param>
    /// <param name="cancellationToken">Stops everything.</param>
    /// <exception cref="BatchStoppedException{T}">More items failed than the error budget allows; it holds the causes and what was finished.</exception>
    public static async Task<ItemResult<TResult>[]> RunAsync<TItem, TResult>(
        IReadOnlyList<TItem> items,
        Func<TItem, int, CancellationToken, Task<TResult>> work,
        ParallelRunnerOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(work);
        options ??= new();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var batch = new Batch<TItem, TResult>(items, work, options, stop);
        var workers = new Task[Math.Min(options.MaxParallelism, items.Count)];
        for (var i = 0; i < workers.Length; i++)
            workers[i] = Task.Run(batch.WorkAsync, CancellationToken.None);
        await Task.WhenAll(workers).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        batch.ThrowIfOverBudget();
        return batch.Results;
    }

    private sealed class Batch<TItem, TResult>(
        IReadOnlyList<TItem> items, Func<TItem, int, CancellationToken, Task<TResult>> work, ParallelRunnerOptions options, CancellationTokenSource stop)
    {
        private int last = -1;
        private int errors;
        private int completed;

        private readonly bool[] finished = new bool[items.Count];

        public ItemResult<TResult>[] Results { get; } = new ItemResult<TResult>[items.Count];

        public async Task WorkAsync()
        {
            while (!stop.IsCancellationRequested)
            {
                var index = Interlocked.Increment(ref last);
                if (index >= items.Count)
                    return;
                var started = options.Time.GetTimestamp();
                try
                {
                    // Awaited here and not in a method of its own: at many calls a second each asynchronous layer shows.
                    var value = await StartAsync(index).ConfigureAwait(false);
                    Results[index] = new(value, null, options.Time.GetElapsedTime(started));
                }
                catch (OperationCanceledException) when (stop.IsCancellationRequested)
                {
                    // Cancelled from outside or because the error budget is spent: the caller is told once, for all items.
                    return;
                }
                catch (Exception error)
                {
                    Results[index] = new(default, error, options.Time.GetElapsedTime(started));
                    if (Interlocked.Increment(ref errors) > options.MaxErrors)
                        await stop.CancelAsync().ConfigureAwait(false);
                }

                finished[index] = true;
                options.Progress?.Report(Interlocked.Increment(ref completed));
            }
        }

        public void ThrowIfOverBudget()
        {
            if (errors <= options.MaxErrors)
                return;
            var causes = Results.Where(result => result.Error is not null).Select(result => result.Error!).ToArray();
            throw new BatchStoppedException<TResult>(
                $"{errors} of {Results.Length} items failed, more than the {options.MaxErrors} that MaxErrors allows. First cause: {causes[0].Message}",
                [.. Results.Select((result, index) => finished[index] ? result : (ItemResult<TResult>?)null)],
                causes);
        }

        private Task<TResult> StartAsync(int index) =>
            options.ItemTimeout is { } limit ? RunTimedAsync(index, limit) : work(items[index], index, stop.Token);

        private async Task<TResult> RunTimedAsync(int index, TimeSpan limit)
        {
            using var expiry = new CancellationTokenSource(limit, options.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, expiry.Token);
            try
            {
                return await work(items[index], index, either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException error) when (expiry.IsCancellationRequested && !stop.IsCancellationRequested)
            {
                throw new TimeoutException($"Item {index} took longer than {limit}; raise {nameof(ParallelRunnerOptions.ItemTimeout)}.", error);
            }
        }
    }
}
