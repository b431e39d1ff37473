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

    private readonly RunCallBudget? outer;

    /// <param name="limits">Limits of all calls together.</param>
    /// <param name="roles">Limits by role.</param>
    /// <param name="time">The clock.</param>
    /// <param name="outer">The budget of a run that this one is part of: its calls count there, too. Not disposed with this one.</param>
    public RunCallBudget(CallBudgetLimits limits, IReadOnlyDictionary<string, CallBudgetLimits> roles, TimeProvider time, RunCallBudget? outer = null)
    {
        this.outer = outer;
        total = new(limits, time: time);
        byRole = roles.ToImmutableSortedDictionary(role => role.Key, role => new CallBudget(role.Value, time: time), StringComparer.Ordinal);
    }

    /// <summary>How many calls were refused so far.</summary>
    public int RefusalCount => Own.Sum(budget => budget.RefusalCount) + (outer?.RefusalCount ?? 0);

    /// <summary>What was spent, by role.</summary>
    public ImmutableSortedDictionary<string, Spending> SpentByRole => total.GetByRole().Spent;

    /// <summary>What was spent and what running calls may cost at most, by role.</summary>
    public (ImmutableSortedDictionary<string, Spending> Spent, ImmutableSortedDictionary<string, Spending> Reserved) ByRole => total.GetByRole();

    /// <summary>Called before each call, and each further attempt, with what it may cost reserved already.</summary>
    public Action? Reserved
    {
        get => total.Reserved;
        set => total.Reserved = value;
    }

    /// <summary>The budgets, each with its limits, those around this one included; that of all calls of the run first.</summary>
    public IEnumerable<CallBudget> All => outer is null ? Own : Own.Concat(outer.All);

    private IEnumerable<CallBudget> Own => byRole.Values.Prepend(total);

    /// <summary>Counts what an earlier process had spent.</summary>
    public void ContinueFrom(string role, Spending spent)
    {
        total.ContinueFrom(spent, role);
        byRole.GetValueOrDefault(role)?.ContinueFrom(spent, role);
    }

    /// <summary>The model's client under this budget; made once a model.</summary>
    public IChatClient PipelineOf(LM model) => pipelines.GetOrAdd(
        model, static (added, self) => LMPipeline.Build(added, [.. self.Around(added.Role)]), this);

    public void Dispose()
    {
        foreach (var budget in Own)
            budget.Dispose();
    }

    // The outermost last.
    private IEnumerable<CallBudget> Around(string role)
    {
        CallBudget[] own = byRole.GetValueOrDefault(role) is { } limited ? [limited, total] : [total];
        return outer is null ? own : own.Concat(outer.Around(role));
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
