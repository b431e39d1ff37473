using System.Runtime.ExceptionServices;

namespace Hone;

/// <summary>
/// Runs a module up to a number of times, each time with samples of its own, and takes the result with the highest reward. Stops at the first that reaches
/// the threshold.
/// </summary>
/// <typeparam name="TIn">What goes in.</typeparam>
/// <typeparam name="TOut">What comes out.</typeparam>
public sealed class BestOfN<TIn, TOut> : AttemptingModule<TIn, TOut>
{
    /// <summary>Creates the module.</summary>
    /// <param name="module">What is run; its predictors are below <c>module</c>.</param>
    /// <param name="attempts">Most attempts at one input; at least 1.</param>
    /// <param name="reward">What an output is worth; higher is better.</param>
    /// <param name="threshold">A reward that is enough; null makes every attempt.</param>
    /// <param name="options">Failures, temperature, parallelism; the defaults when null.</param>
    public BestOfN(Module<TIn, TOut> module, int attempts, Func<TIn, TOut, Score> reward, double? threshold = null, AttemptOptions? options = null)
        : base(module, attempts, Reward.Of(reward), threshold, options)
    {
    }

    /// <summary>Creates the module with a reward that may wait, e.g. for a judge.</summary>
    /// <param name="module">What is run; its predictors are below <c>module</c>.</param>
    /// <param name="attempts">Most attempts at one input; at least 1.</param>
    /// <param name="reward">What an output is worth; higher is better.</param>
    /// <param name="threshold">A reward that is enough; null makes every attempt.</param>
    /// <param name="options">Failures, temperature, parallelism; the defaults when null.</param>
    public BestOfN(
        Module<TIn, TOut> module,
        int attempts,
        Func<TIn, TOut, CancellationToken, ValueTask<Score>> reward,
        double? threshold = null,
        AttemptOptions? options = null)
        : base(module, attempts, reward, threshold, options)
    {
    }

    private protected override Task MakeAsync(TIn input, AttemptSeries<TOut> series, CancellationToken cancellationToken) =>
        Options.MaxParallelism == 1 ? OneByOneAsync(input, series, cancellationToken) : SideBySideAsync(input, series, cancellationToken);

    private async Task OneByOneAsync(TIn input, AttemptSeries<TOut> series, CancellationToken cancellationToken)
    {
        for (var i = 0; i < series.Count; i++)
        {
            var attempt = await TryAsync(input, series.Open(i), cancellationToken).ConfigureAwait(false);
            if (series.Keep(i, attempt) || series.HasFailed())
                return;
        }
    }

    // An attempt that is good enough stops those behind it, never those before: they might be good enough as well.
    private async Task SideBySideAsync(TIn input, AttemptSeries<TOut> series, CancellationToken cancellationToken)
    {
        var stops = new CancellationTokenSource[series.Count];
        for (var i = 0; i < stops.Length; i++)
            stops[i] = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            int[] order = [.. Enumerable.Range(0, series.Count)];
            var results = await ParallelRunner.RunAsync(order, RunAsync, new() { MaxParallelism = Options.MaxParallelism, MaxErrors = series.Count }, cancellationToken)
                .ConfigureAwait(false);
            foreach (var result in results)
            {
                if (result is { Succeeded: true, Value: true })
                    break;
                if (result.Error is { } final)
                    ExceptionDispatchInfo.Throw(final);
            }
        }
        finally
        {
            foreach (var stop in stops)
                stop.Dispose();
        }

        async Task<bool> RunAsync(int index, int _, CancellationToken token)
        {
            if (stops[index].IsCancellationRequested)
                return false;
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stops[index].Token, token);
            if (!series.Keep(index, await TryAsync(input, series.Open(index), either.Token).ConfigureAwait(false)))
                return false;
            foreach (var behind in stops.Skip(index + 1))
                await behind.CancelAsync().ConfigureAwait(false);
            return true;
        }
    }
}

/// <summary>Rewards that do not wait, as those that may.</summary>
internal static class Reward
{
    public static Func<TIn, TOut, CancellationToken, ValueTask<Score>> Of<TIn, TOut>(Func<TIn, TOut, Score> reward)
    {
        ArgumentNullException.ThrowIfNull(reward);
        return (input, output, _) => ValueTask.FromResult(reward(input, output));
    }
}
