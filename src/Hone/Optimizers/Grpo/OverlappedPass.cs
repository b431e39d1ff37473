using System.Runtime.ExceptionServices;
using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>
/// Learns from a step's examples while rollouts of its others are under way. An example's groups are final as soon as all its rollouts are scored and some group
/// has something to teach; they are learned from in the order of the examples, so that the gradient does not depend on who was done first.
/// </summary>
internal sealed class OverlappedPass : IAsyncDisposable
{
    private readonly ITrainingPass pass;
    private readonly GrpoOptions options;
    private readonly Func<IReadOnlyList<Rollout>, int, GroupingResult> group;
    private readonly CancellationTokenSource failed = new();
    private readonly Lock gate = new();
    private readonly SortedDictionary<int, GroupingResult> groupings = [];
    private readonly List<int> learned = [];
    private IReadOnlyList<int> slots = [];
    private IReadOnlyList<Rollout>?[] done = [];
    private ExceptionDispatchInfo? failure;
    private int next;
    private int added;

    /// <param name="pass">What the data is added to.</param>
    /// <param name="options">Settings of the run.</param>
    /// <param name="group">Groups the rollouts of one example, given its position in the step.</param>
    public OverlappedPass(ITrainingPass pass, GrpoOptions options, Func<IReadOnlyList<Rollout>, int, GroupingResult> group) =>
        (this.pass, this.options, this.group) = (pass, options, group);

    /// <summary>Cancelled when something went wrong in learning: further rollouts would be made for nothing.</summary>
    public CancellationToken Failed => failed.Token;

    /// <summary>Begins a round of rollouts.</summary>
    /// <param name="slots">Positions of its examples in the step, ascending.</param>
    public void Begin(IReadOnlyList<int> slots)
    {
        lock (gate)
            (this.slots, done, next) = (slots, new IReadOnlyList<Rollout>?[slots.Count], 0);
    }

    /// <summary>Takes the rollouts of an example of the round, all of them scored. What fails is thrown by <see cref="ThrowIfFailed"/>.</summary>
    public void Take(int position, IReadOnlyList<Rollout> rollouts)
    {
        try
        {
            lock (gate)
            {
                done[position] = rollouts;
                for (; failure is null && next < slots.Count && done[next] is { } ready; next++)
                    Learn(slots[next], ready);
            }
        }
        catch (Exception error)
        {
            failure = ExceptionDispatchInfo.Capture(error);
            failed.Cancel();
        }
    }

    /// <summary>Throws what went wrong.</summary>
    public void ThrowIfFailed() => failure?.Throw();

    /// <summary>All groups so far and what is learned from them: first what is learned from already, then the rest.</summary>
    public (GroupingResult Grouping, GrpoBatch Batch) Join()
    {
        var all = GroupingResult.Join([.. learned.Select(slot => groupings[slot]), .. groupings.Where(entry => !learned.Contains(entry.Key)).Select(entry => entry.Value)]);
        return (all, new(all.Groups, options));
    }

    /// <summary>Learns from the rest of the step and waits for all of it.</summary>
    public Task<ForwardBackwardResult> CompleteAsync(GrpoBatch batch, CancellationToken cancellationToken)
    {
        if (batch.Data.Count > added)
            pass.Add([.. batch.Data.Skip(added)]);
        return pass.CompleteAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await pass.DisposeAsync().ConfigureAwait(false);
        failed.Dispose();
    }

    // An example that teaches nothing may yet be replaced by another.
    private void Learn(int slot, IReadOnlyList<Rollout> rollouts)
    {
        groupings[slot] = group(rollouts, slot);
        var batch = new GrpoBatch(groupings[slot].Groups, options);
        if (!batch.Teaches(slot))
            return;
        learned.Add(slot);
        if (batch.Data.Count == 0)
            return;
        pass.Add(batch.Data);
        added += batch.Data.Count;
    }
}
