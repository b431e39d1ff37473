using System.Collections.Immutable;

namespace Hone;

/// <summary>A module that runs another several times and takes the best result: what <see cref="BestOfN{TIn,TOut}"/> and <see cref="Refine{TIn,TOut}"/> have in common.</summary>
/// <typeparam name="TIn">What goes in.</typeparam>
/// <typeparam name="TOut">What comes out.</typeparam>
public abstract class AttemptingModule<TIn, TOut> : Module<TIn, TOut>
{
    private readonly Func<TIn, TOut, CancellationToken, ValueTask<Score>> reward;

    private protected AttemptingModule(
        Module<TIn, TOut> module, int attempts, Func<TIn, TOut, CancellationToken, ValueTask<Score>> reward, double? threshold, AttemptOptions? options)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(reward);
        ArgumentOutOfRangeException.ThrowIfLessThan(attempts, 1);
        if (threshold is double.NaN)
            throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "The threshold is a number, or null: no reward would ever reach it.");
        (Inner, Attempts, this.reward, Threshold, Options) = (module, attempts, reward, threshold, options ?? new());
    }

    /// <summary>Most attempts at one input.</summary>
    public int Attempts { get; }

    /// <summary>A reward that ends the attempts; null makes all of them.</summary>
    public double? Threshold { get; }

    /// <summary>How attempts are made.</summary>
    public AttemptOptions Options { get; }

    /// <summary>The module that is run.</summary>
    private protected Module<TIn, TOut> Inner { get; }

    private string Name => GetType().Name.Split('`')[0];

    /// <summary>As <c>CallAsync</c>, with every attempt and its reward.</summary>
    /// <param name="input">The inputs.</param>
    /// <param name="cancellationToken">Stops the attempts.</param>
    /// <exception cref="HoneException">All attempts failed, or more than <see cref="AttemptOptions.MaxFailures"/>; the inner exception holds the causes.</exception>
    public Task<AttemptsResult<TOut>> AttemptAsync(TIn input, CancellationToken cancellationToken = default) => Observation.IsOn(HoneScope.Current)
        ? ObserveAsync(input, () => TryAllAsync(input, cancellationToken))
        : TryAllAsync(input, cancellationToken);

    /// <inheritdoc/>
    protected internal override IEnumerable<KeyValuePair<string, Module>> GetChildren() => [new("module", Inner)];

    /// <inheritdoc/>
    protected sealed override async Task<TOut> ForwardAsync(TIn input, CancellationToken cancellationToken) =>
        (await TryAllAsync(input, cancellationToken).ConfigureAwait(false)).Best;

    private protected abstract Task MakeAsync(TIn input, AttemptSeries<TOut> series, CancellationToken cancellationToken);

    /// <summary>One attempt, in a branch of the run.</summary>
    private protected Task<Attempt<TOut>> TryAsync(TIn input, ScopeBranch branch, CancellationToken cancellationToken) =>
        AttemptSeries<TOut>.TryAsync(
            branch,
            async () =>
            {
                var output = await Inner.CallAsync(input, cancellationToken).ConfigureAwait(false);
                var worth = await reward(input, output, cancellationToken).ConfigureAwait(false)
                    ?? throw new HoneException($"The reward of {Name} is null. Return a number.");
                return double.IsNaN(worth.Value)
                    ? throw new HoneException($"The reward of {Name} is not a number (NaN), so nothing can be better or worse. Return a number.")
                    : (output, worth);
            },
            cancellationToken);

    private async Task<AttemptsResult<TOut>> TryAllAsync(TIn input, CancellationToken cancellationToken)
    {
        var series = new AttemptSeries<TOut>(Name, Attempts, Threshold, Options);
        try
        {
            await MakeAsync(input, series, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception)
        {
            series.Abandon();
            throw;
        }

        return await series.SettleAsync(cancellationToken).ConfigureAwait(false);
    }
}
