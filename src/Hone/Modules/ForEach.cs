namespace Hone;

/// <summary>
/// Runs a module on every item of a list, side by side; the results are in the order of the items. Ordinals, seeds and the trace depend on that order
/// alone, so that a run repeats whatever the parallelism.
/// </summary>
/// <typeparam name="TIn">What goes in.</typeparam>
/// <typeparam name="TOut">What comes out.</typeparam>
/// <param name="module">What is run; its predictors are below <c>module</c>.</param>
/// <param name="options">Parallelism, error budget, time-out of one item; by default 8 at once, and the first failure ends it.</param>
public sealed class ForEach<TIn, TOut>(Module<TIn, TOut> module, ParallelRunnerOptions? options = null) : Module<IReadOnlyList<TIn>, IReadOnlyList<ItemResult<TOut>>>
{
    private static readonly ParallelRunnerOptions Strict = new() { MaxErrors = 0 };

    /// <inheritdoc/>
    protected internal override IEnumerable<KeyValuePair<string, Module>> GetChildren() => [new(nameof(module), module)];

    /// <inheritdoc/>
    /// <exception cref="BatchStoppedException{T}">More items failed than the error budget allows.</exception>
    protected override async Task<IReadOnlyList<ItemResult<TOut>>> ForwardAsync(IReadOnlyList<TIn> input, CancellationToken cancellationToken) =>
        await module.CallManyAsync(input, options ?? Strict, cancellationToken).ConfigureAwait(false);
}

/// <summary>Calls several modules, or one several times, side by side.</summary>
public static class ParallelModuleExtensions
{
    /// <summary>Runs the module on many inputs side by side, inside the current scope; the results are in input order.</summary>
    /// <param name="module">The module.</param>
    /// <param name="inputs">The inputs.</param>
    /// <param name="options">Parallelism, error budget, time-out of one item, progress; the defaults when null.</param>
    /// <param name="cancellationToken">Stops everything.</param>
    /// <exception cref="BatchStoppedException{T}">More items failed than the error budget allows.</exception>
    public static Task<ItemResult<TOut>[]> CallManyAsync<TIn, TOut>(
        this Module<TIn, TOut> module, IReadOnlyList<TIn> inputs, ParallelRunnerOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(inputs);
        return ParallelBranches.RunAsync(inputs, module.CallAsync, options, cancellationToken);
    }

    /// <summary>Runs pairs of a module and its input side by side, inside the current scope; the results are in the order of the pairs.</summary>
    /// <param name="calls">What to call with what.</param>
    /// <param name="options">Parallelism, error budget, time-out of one call, progress; the defaults when null.</param>
    /// <param name="cancellationToken">Stops everything.</param>
    /// <exception cref="BatchStoppedException{T}">More calls failed than the error budget allows.</exception>
    public static Task<ItemResult<TOut>[]> CallAllAsync<TIn, TOut>(
        this IReadOnlyList<(Module<TIn, TOut> Module, TIn Input)> calls, ParallelRunnerOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(calls);
        return ParallelBranches.RunAsync(calls, (call, token) => call.Module.CallAsync(call.Input, token), options, cancellationToken);
    }
}

/// <summary>Work side by side inside one run, each piece in a branch of its own.</summary>
internal static class ParallelBranches
{
    public static async Task<ItemResult<TOut>[]> RunAsync<TItem, TOut>(
        IReadOnlyList<TItem> items, Func<TItem, CancellationToken, Task<TOut>> work, ParallelRunnerOptions? options, CancellationToken cancellationToken)
    {
        options ??= new();
        if (HoneScope.Current is { } scope && options.Time == TimeProvider.System)
            options = options with { Time = scope.Time };
        var branches = ScopeBranch.Open(items.Count);
        TaskCompletionSource[] ended = [.. items.Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))];
        var running = ParallelRunner.RunAsync(
            items,
            async (item, index, token) =>
            {
                try
                {
                    return await branches[index].RunAsync(() => work(item, token)).ConfigureAwait(false);
                }
                finally
                {
                    ended[index].TrySetResult();
                }
            },
            options,
            cancellationToken);

        // What an item did is told as soon as those before it are done.
        var next = 0;
        try
        {
            while (next < branches.Length)
            {
                await Task.WhenAny(ended[next].Task, running).ConfigureAwait(false);
                if (!ended[next].Task.IsCompleted)
                    break;
                await branches[next++].AdoptAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await ((Task)running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            for (; next < branches.Length; next++)
                branches[next].Settle();
        }

        return await running.ConfigureAwait(false);
    }
}
