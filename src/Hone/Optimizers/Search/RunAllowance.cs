namespace Hone.Optimizers;

/// <summary>What the budget of a sequence leaves to one of its steps. The step's calls count in the sequence's budget as they are made.</summary>
/// <param name="programRuns">Runs of the program; null without such a limit.</param>
/// <param name="calls">The sequence's budget of calls, less what is kept for scoring; null without one.</param>
/// <param name="isOutOfTime">True when the sequence's time is spent.</param>
internal sealed class RunAllowance(long? programRuns, RunCallBudget? calls, Func<bool> isOutOfTime) : IDisposable
{
    private readonly int refusedBefore = calls?.RefusalCount ?? 0;

    public long? ProgramRuns => programRuns;

    public RunCallBudget? Calls => calls;

    public bool IsOutOfTime => isOutOfTime();

    /// <summary>True when it is this, and no limit of the step's own, that has ended a step.</summary>
    /// <param name="reason">Why the step has ended.</param>
    /// <param name="own">The step's own budget.</param>
    public bool HasEnded(StopReason reason, OptimizationBudget own) => reason switch
    {
        StopReason.ProgramRunBudget => programRuns is { } runs && !(own.MaxProgramRuns <= runs),
        StopReason.TimeBudget => isOutOfTime(),
        StopReason.CallBudget or StopReason.TokenBudget or StopReason.CostBudget => calls?.RefusalCount > refusedBefore,
        _ => false,
    };

    public void Dispose() => calls?.Dispose();
}
