using System.Threading.Channels;

namespace Hone;

/// <summary>
/// One of several pieces of work in a run whose order must not show: attempts, items side by side, tools called together. It counts its calls by
/// itself, so that ordinals and seeds do not depend on timing; the run takes it over afterwards, or only its cost.
/// </summary>
internal sealed class ScopeBranch
{
    private readonly HoneScope? outer = HoneScope.Current;
    private readonly TraceRecorder recorder = new();
    private readonly CallOptions? options;
    private readonly long? seed;
    private readonly IReadOnlyDictionary<object, string>? hints;
    private readonly SampleSpread? samples;
    private readonly HeldEvents? events;

    /// <summary>Creates a branch of the scope that is open now.</summary>
    /// <param name="options">Options of the scope inside.</param>
    /// <param name="seed">Seed of the scope inside.</param>
    /// <param name="hints">Advice for predictors; null leaves it as it is around.</param>
    /// <param name="samples">What tells the branch's samples apart; null leaves it as it is around.</param>
    public ScopeBranch(CallOptions? options, long? seed, IReadOnlyDictionary<object, string>? hints = null, SampleSpread? samples = null)
    {
        (this.options, this.seed, this.hints, this.samples) = (options, seed, hints, samples);
        events = outer?.Events is { } around ? new(around) : null;
    }

    /// <summary>What was done so far.</summary>
    public Trace Trace => recorder.Snapshot();

    /// <summary>Branches with the surrounding options, told apart from each other by their seeds alone.</summary>
    public static ScopeBranch[] Open(int count)
    {
        var scope = HoneScope.Current;
        var seed = SeedOfGroup("branch");
        return [.. Enumerable.Range(0, count).Select(index => new ScopeBranch(scope?.Options, seed is { } one ? new SeedStream(one).Derive("item", index).Seed : null))];
    }

    /// <summary>A seed for the next group of branches: each counts its calls from 0, so without one two groups would repeat each other's seeds.</summary>
    public static long? SeedOfGroup(string purpose) => HoneScope.Current is { Seed: { } seed } scope
        ? new SeedStream(seed).Derive(purpose, scope.Recorder?.BeginGroup() ?? 0).Seed
        : null;

    /// <summary>Runs work inside the branch.</summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        if (outer is null)
            return await work().ConfigureAwait(false);
        using var scope = HoneScope.Branch(recorder, events, options, seed, hints, samples);
        return await work().ConfigureAwait(false);
    }

    /// <summary>Makes what the branch did part of the run, and tells what was held back.</summary>
    public async ValueTask AdoptAsync(CancellationToken cancellationToken)
    {
        var run = outer?.Recorder;
        var told = events is null ? [] : events.Take(path => run?.CountOf(path) ?? 0);
        run?.Adopt(Trace);
        foreach (var happened in told)
            await outer!.Events!.WriteAsync(happened, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As <see cref="AdoptAsync"/>, when nobody listens any more.</summary>
    public void Settle() => outer?.Recorder?.Adopt(Trace);

    /// <summary>Keeps what the branch cost; nothing else of it was taken.</summary>
    public void Discard() => outer?.Recorder?.Discard(Trace);

    /// <summary>Keeps events until it is clear whether they hold. Messages for people pass at once.</summary>
    private sealed class HeldEvents(ChannelWriter<RunEvent> outer) : ChannelWriter<RunEvent>
    {
        private readonly List<RunEvent> held = [];

        public override bool TryWrite(RunEvent item) => false;

        public override ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult(true);

        public override ValueTask WriteAsync(RunEvent item, CancellationToken cancellationToken = default)
        {
            if (item is StatusMessage)
                return outer.WriteAsync(item, cancellationToken);
            lock (held)
                held.Add(item);
            return ValueTask.CompletedTask;
        }

        /// <summary>What was held, its calls counted on from those of the run.</summary>
        public IReadOnlyList<RunEvent> Take(Func<string, int> countOf)
        {
            lock (held)
                return [.. held.Select(item => Renumbered(item, countOf))];
        }

        private static RunEvent Renumbered(RunEvent item, Func<string, int> countOf) => item switch
        {
            CallCompleted done => new CallCompleted(done.Record with { Ordinal = done.Record.Ordinal + countOf(done.Path) }),
            PredictorEvent of => of with { Call = of.Call + countOf(of.Path) },
            _ => item,
        };
    }
}
