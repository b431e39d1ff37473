using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>Counts what models other than the policy cost in one run; safe under concurrent use.</summary>
/// <param name="budget">The limits.</param>
/// <param name="policies">Names of the models under training: their calls are no external ones.</param>
internal sealed class SpendingMeter(OptimizationBudget budget, IReadOnlySet<string> policies) : IRolloutWatch
{
    private readonly Lock gate = new();
    private long calls;
    private decimal cost;

    /// <summary>Calls and money so far.</summary>
    public (long Calls, decimal Cost) Spent
    {
        get
        {
            lock (gate)
                return (calls, cost);
        }
    }

    /// <summary>The limit that is spent, or null.</summary>
    public StopReason? Exhausted
    {
        get
        {
            var spent = Spent;
            return budget.MaxExternalCalls is { } most && spent.Calls >= most ? StopReason.ExternalCallBudget
                : budget.MaxCost is { } money && spent.Cost >= money ? StopReason.CostBudget
                : null;
        }
    }

    /// <summary>True when more than a limit is spent.</summary>
    public bool IsExceeded => Exceeded is not null;

    private StopReason? Exceeded
    {
        get
        {
            var spent = Spent;
            return budget.MaxExternalCalls is { } most && spent.Calls > most ? StopReason.ExternalCallBudget
                : budget.MaxCost is { } money && spent.Cost > money ? StopReason.CostBudget
                : null;
        }
    }

    /// <summary>Takes over what an interrupted run had spent.</summary>
    public void ContinueFrom(long spentCalls, decimal spentCost)
    {
        lock (gate)
            (calls, cost) = (spentCalls, spentCost);
    }

    /// <summary>Adds the calls that were not sampled from the policy.</summary>
    public void Add(Trace trace)
    {
        var (count, money) = (0L, 0m);
        foreach (var call in trace.Calls)
            Sum(call);
        foreach (var call in trace.Nested)
            Sum(call);
        foreach (var call in trace.Discarded)
            Sum(call);
        foreach (var call in trace.Direct.Where(call => !policies.Contains(call.Model)))
            (count, money) = (count + call.Usage.Calls, money + call.Usage.Cost);
        lock (gate)
        {
            calls += count;
            cost += money;
        }

        void Sum(PredictorCall call)
        {
            if (call.Tokens is not null || policies.Contains(call.Model))
                return;
            count += call.Usage.Calls;
            money += call.Usage.Cost;
        }
    }

    /// <summary>The metric, with what its judges cost counted.</summary>
    public Metric<TIn, TOut> Wrap<TIn, TOut>(Metric<TIn, TOut> metric) => async (example, prediction, cancellationToken) =>
    {
        using var scope = HoneScope.Use(new ScopeOptions { TraceLimit = int.MaxValue });
        try
        {
            return await metric(example, prediction, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Add(scope.Trace);
        }
    };

    void IRolloutWatch.BeforeRun() => ThrowIfExhausted();

    void IRolloutWatch.AfterRun(Trace trace) => Add(trace);

    Exception? IRolloutWatch.Fatal(Exception error) => BudgetSpentException.In(error);

    /// <summary>
    /// Ends a step or validation that went beyond a limit, also when all its runs had begun in time: what is kept must not depend on how many ran at once.
    /// </summary>
    /// <exception cref="BudgetSpentException">More than a limit is spent.</exception>
    public void ThrowIfExceeded()
    {
        if (Exceeded is { } reason)
            throw new BudgetSpentException(reason);
    }

    /// <exception cref="BudgetSpentException">A limit is spent.</exception>
    public void ThrowIfExhausted()
    {
        if (Exhausted is { } reason)
            throw new BudgetSpentException(reason);
    }
}

/// <summary>Ends a run whose budget is spent; what it has found so far is returned.</summary>
internal sealed class BudgetSpentException(StopReason reason, Exception? innerException = null)
    : HoneException($"The run's budget is spent: {reason}.", innerException)
{
    public StopReason Reason { get; } = reason;

    /// <summary>The budget that an error goes back to, at any depth; null when it has another cause.</summary>
    public static BudgetSpentException? In(Exception? error) => error switch
    {
        null => null,
        BudgetSpentException spent => spent,
        BudgetExceededException => new(StopReason.ModelBudget, error),
        AggregateException many => many.InnerExceptions.Select(In).FirstOrDefault(found => found is not null),
        _ => In(error.InnerException),
    };
}
