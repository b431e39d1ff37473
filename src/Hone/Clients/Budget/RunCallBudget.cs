using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>What all model calls of one run may cost, in total and by role; every model is called under it, whatever budget it has of its own.</summary>
internal sealed class RunCallBudget : IDisposable
{
    private readonly CallBudget total;
    private readonly ImmutableSortedDictionary<string, CallBudget> byRole;
    private readonly ConcurrentDictionary<LM, IChatClient> pipelines = new(ReferenceEqualityComparer.Instance);

    public RunCallBudget(CallBudgetLimits limits, IReadOnlyDictionary<string, CallBudgetLimits> roles, TimeProvider time)
    {
        total = new(limits, time: time);
        byRole = roles.ToImmutableSortedDictionary(role => role.Key, role => new CallBudget(role.Value, time: time), StringComparer.Ordinal);
    }

    /// <summary>How many calls were refused so far.</summary>
    public int RefusalCount => total.RefusalCount + byRole.Values.Sum(budget => budget.RefusalCount);

    /// <summary>What was spent, by role.</summary>
    public ImmutableSortedDictionary<string, Spending> SpentByRole => total.GetSnapshot().ByRole;

    /// <summary>The budgets, each with its limits.</summary>
    public IEnumerable<CallBudget> All => byRole.Values.Prepend(total);

    /// <summary>Counts what an earlier process had spent.</summary>
    public void ContinueFrom(string role, Spending spent)
    {
        total.ContinueFrom(spent, role);
        byRole.GetValueOrDefault(role)?.ContinueFrom(spent, role);
    }

    /// <summary>The model's client under this budget; made once a model.</summary>
    public IChatClient PipelineOf(LM model) => pipelines.GetOrAdd(
        model, static (added, self) => LMPipeline.Build(added, self.byRole.GetValueOrDefault(added.Role) is { } own ? [own, self.total] : [self.total]), this);

    public void Dispose()
    {
        foreach (var budget in All)
            budget.Dispose();
    }
}

/// <summary>One unit of work under a run's budget: remembers that a call was refused, whatever the program does with the error.</summary>
internal sealed class RunCallTicket(RunCallBudget budget)
{
    private BudgetExceededException? refusal;

    /// <summary>The first refusal; null when every call was let through.</summary>
    public BudgetExceededException? Refusal => Volatile.Read(ref refusal);

    /// <summary>Makes a call under the budget.</summary>
    public async Task<ChatResponse> SendAsync(LM model, Func<IChatClient, Task<ChatResponse>> send)
    {
        try
        {
            return await send(budget.PipelineOf(model)).ConfigureAwait(false);
        }
        catch (BudgetExceededException error)
        {
            Interlocked.CompareExchange(ref refusal, error, null);
            throw;
        }
    }
}
