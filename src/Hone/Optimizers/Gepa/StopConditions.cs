using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>How far a search has come; looked at between iterations.</summary>
/// <param name="Pool">What was found so far.</param>
/// <param name="Iteration">Iterations done.</param>
/// <param name="MetricCalls">Evaluations of an example that were asked for.</param>
/// <param name="Proposals">New texts that were tried.</param>
/// <param name="ReflectionUsage">What reflection has cost.</param>
/// <param name="SinceImprovement">Iterations since the best mean grew.</param>
public sealed record GepaProgress(GepaPool Pool, int Iteration, long MetricCalls, int Proposals, Usage ReflectionUsage, int SinceImprovement);

/// <summary>Ends a search. Must depend on the progress alone, never on a clock: then a resumed run ends alike.</summary>
public interface IStopCondition
{
    /// <summary>Why the search ends; null when it goes on.</summary>
    StopReason? Check(GepaProgress progress);
}

/// <summary>Reasons to end a search.</summary>
public static class StopConditions
{
    /// <summary>So many evaluations were asked for.</summary>
    public static IStopCondition MetricCalls(long most) => When(progress => progress.MetricCalls >= most, StopReason.Completed);

    /// <summary>
    /// Reflection has cost so much. Looked at between iterations; for a limit that is never exceeded, set one for the role <c>reflection</c> in
    /// <see cref="OptimizationBudget.ByRole"/>.
    /// </summary>
    public static IStopCondition ReflectionCost(decimal most) => When(progress => progress.ReflectionUsage.Cost >= most, StopReason.CostBudget);

    /// <summary>The best mean has reached a score.</summary>
    public static IStopCondition Score(double least) => When(progress => progress.Pool.Mean(progress.Pool.Best) >= least, StopReason.TargetReached);

    /// <summary>So many iterations brought no better mean.</summary>
    public static IStopCondition NoImprovement(int iterations) => When(progress => progress.SinceImprovement >= iterations, StopReason.NoImprovement);

    /// <summary>There are so many candidates, the program as it came included.</summary>
    public static IStopCondition Candidates(int most) => When(progress => progress.Pool.Candidates.Count >= most, StopReason.Completed);

    /// <summary>So many new texts were tried.</summary>
    public static IStopCondition Proposals(int most) => When(progress => progress.Proposals >= most, StopReason.Completed);

    /// <summary>One of them is met.</summary>
    public static IStopCondition Any(params IEnumerable<IStopCondition> conditions) => new AnyOf([.. conditions]);

    /// <summary>All of them are met.</summary>
    public static IStopCondition All(params IEnumerable<IStopCondition> conditions) => new AllOf([.. conditions]);

    private static Single When(Func<GepaProgress, bool> isMet, StopReason reason) => new(isMet, reason);

    private sealed class Single(Func<GepaProgress, bool> isMet, StopReason reason) : IStopCondition
    {
        public StopReason? Check(GepaProgress progress) => isMet(progress) ? reason : null;
    }

    private sealed class AnyOf(ImmutableArray<IStopCondition> conditions) : IStopCondition
    {
        public StopReason? Check(GepaProgress progress) => conditions.Select(condition => condition.Check(progress)).FirstOrDefault(reason => reason is not null);
    }

    private sealed class AllOf(ImmutableArray<IStopCondition> conditions) : IStopCondition
    {
        public StopReason? Check(GepaProgress progress)
        {
            var reasons = conditions.Select(condition => condition.Check(progress)).ToArray();
            return reasons.Length > 0 && Array.TrueForAll(reasons, reason => reason is not null) ? reasons[0] : null;
        }
    }
}
