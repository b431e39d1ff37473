namespace Hone;

/// <summary>The outcome of one item: a value or the exception that it ended with.</summary>
internal readonly record struct ItemResult<T>(T? Value, Exception? Error)
{
    public bool Succeeded => Error is null;
}

/// <summary>Runs work items side by side; results come back in item order, whatever the parallelism.</summary>
internal static class ParallelRunner
{
    /// <summary>Runs every item; stops with the collected causes once more than <paramref name="maxErrors"/> have failed.</summary>
    /// <exception cref="AggregateException">The error budget is spent.</exception>
    public static async Task<ItemResult<TResult>[]> RunAsync<TItem, TResult>(
        IReadOnlyList<TItem> items,
        Func<TItem, int, CancellationToken, Task<TResult>> work,
        int maxParallelism,
        int maxErrors,
        Action<int>? onCompleted,
        CancellationToken cancellationToken)
    {
        var results = new ItemResult<TResult>[items.Count];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var slots = new SemaphoreSlim(maxParallelism);
        var errors = 0;
        var completed = 0;

        async Task RunItemAsync(int index)
        {
            try
            {
                results[index] = new(await work(items[index], index, stop.Token).ConfigureAwait(false), null);
                onCompleted?.Invoke(Interlocked.Increment(ref completed));
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                throw;
            }
            catch (Exception error)
            {
                results[index] = new(default, error);
                if (Interlocked.Increment(ref errors) > maxErrors)
                    await stop.CancelAsync().ConfigureAwait(false);
                onCompleted?.Invoke(Interlocked.Increment(ref completed));
            }
            finally
            {
                slots.Release();
            }
        }

        var running = new List<Task>(items.Count);
        try
        {
            for (var i = 0; i < items.Count; i++)
            {
                await slots.WaitAsync(stop.Token).ConfigureAwait(false);
                running.Add(RunItemAsync(i));
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ThrowCauses(results, errors, maxErrors, cancellationToken);
            throw;
        }

        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ThrowCauses(results, errors, maxErrors, cancellationToken);
        return results;
    }

    private static void ThrowCauses<T>(ItemResult<T>[] results, int errors, int maxErrors, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (errors <= maxErrors)
            return;
        var causes = results.Where(result => result.Error is not null).Select(result => result.Error!).ToArray();
        throw new AggregateException(
            $"{errors} of {results.Length} items failed, more than the {maxErrors} that MaxErrors allows. First cause: {causes[0].Message}", causes);
    }
}
