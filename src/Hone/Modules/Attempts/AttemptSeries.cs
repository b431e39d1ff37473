using System.Collections.Immutable;

namespace Hone;

/// <summary>
/// The attempts at one input. Which of them count is decided by their order alone, never by which was faster: those up to the first that reaches the
/// threshold.
/// </summary>
internal sealed class AttemptSeries<TOut>
{
    private readonly string module;
    private readonly double? threshold;
    private readonly int maxFailures;
    private readonly ScopeBranch?[] branches;
    private readonly Attempt<TOut>?[] attempts;
    private readonly CallOptions baseOptions;
    private readonly HoneScope? scope = HoneScope.Current;
    private readonly long? seed = ScopeBranch.SeedOfGroup("attempts");

    public AttemptSeries(string module, int count, double? threshold, AttemptOptions options)
    {
        (this.module, this.threshold, maxFailures) = (module, threshold, options.MaxFailures ?? count);
        (branches, attempts) = (new ScopeBranch?[count], new Attempt<TOut>?[count]);
        baseOptions = new CallOptions { Temperature = options.Temperature }.Overlay(scope?.Options);
    }

    public int Count => branches.Length;

    /// <summary>The branch of the run in which an attempt is made: its samples are apart from those of every other.</summary>
    public ScopeBranch Open(int index, IReadOnlyDictionary<object, string>? hints = null) =>
        branches[index] = new(baseOptions, seed, hints, new SampleSpread(Count, index, scope?.Samples));

    /// <summary>Keeps an attempt. True when it is good enough.</summary>
    public bool Keep(int index, Attempt<TOut> attempt)
    {
        attempts[index] = attempt;
        return IsGoodEnough(attempt);
    }

    /// <summary>Makes one attempt. What fails for good fails here; what another attempt may do better is an attempt that failed.</summary>
    public static async Task<Attempt<TOut>> TryAsync(ScopeBranch branch, Func<Task<(TOut, Score)>> work, CancellationToken cancellationToken)
    {
        try
        {
            var (output, reward) = await branch.RunAsync(work).ConfigureAwait(false);
            return new(output, reward, null, branch.Trace);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception error) when (!AttemptErrors.IsFinal(error))
        {
            return new(default, null, error, branch.Trace);
        }
    }

    /// <summary>True when more attempts have failed than may.</summary>
    public bool HasFailed() => attempts.Count(attempt => attempt?.Error is not null) > maxFailures;

    /// <summary>The best attempt; what it did becomes part of the run, the others only of its cost.</summary>
    /// <exception cref="HoneException">Too many attempts failed.</exception>
    public async Task<AttemptsResult<TOut>> SettleAsync(CancellationToken cancellationToken)
    {
        var counted = ImmutableArray.CreateBuilder<Attempt<TOut>>();
        var (best, failures) = (-1, 0);
        foreach (var attempt in attempts)
        {
            if (attempt is null)
                break;
            counted.Add(attempt);
            if (attempt.Error is not null && ++failures > maxFailures)
                break;
            if (attempt.Reward is { } reward && (best < 0 || reward.Value > counted[best].Reward!.Value))
                best = counted.Count - 1;
            if (IsGoodEnough(attempt))
                break;
        }

        var isLost = failures > maxFailures || best < 0;
        for (var i = 0; i < branches.Length; i++)
        {
            if (branches[i] is not { } branch)
                continue;

            // Of a series without a result all that counted is shown: somebody will want to know why.
            if (isLost ? i < counted.Count : i == best)
                await branch.AdoptAsync(cancellationToken).ConfigureAwait(false);
            else
                branch.Discard();
        }

        return isLost ? throw Lost(counted, failures) : new(counted[best].Output!, best, counted.ToImmutable());
    }

    /// <summary>The series was broken off: what it cost is kept.</summary>
    public void Abandon()
    {
        foreach (var branch in branches)
            branch?.Discard();
    }

    private bool IsGoodEnough(Attempt<TOut> attempt) => threshold is { } least && attempt.Reward is { } reward && reward.Value >= least;

    private HoneException Lost(IEnumerable<Attempt<TOut>> counted, int failures)
    {
        Exception[] causes = [.. counted.Select(attempt => attempt.Error).OfType<Exception>()];
        return new(
            $"{module}: {failures} of {Count} attempts failed, so there is no result"
            + $"{(failures > maxFailures ? $" ({nameof(AttemptOptions.MaxFailures)} is {maxFailures})" : string.Empty)}. The last failed with: {causes[^1].Message}",
            new AggregateException(causes));
    }
}

/// <summary>Which failures end a series of attempts.</summary>
internal static class AttemptErrors
{
    /// <summary>True for wrong credentials or a spent budget: they do not get better by trying again.</summary>
    public static bool IsFinal(Exception error) => error is LMConfigurationException or LMAuthException or LMBillingException
        or LMUnsupportedModelException or LMUnsupportedFeatureException or BudgetExceededException;
}
