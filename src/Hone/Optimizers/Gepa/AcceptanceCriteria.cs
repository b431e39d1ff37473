using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>A changed candidate beside its parent, on the same minibatch, to which confirmation may have added examples.</summary>
/// <param name="Parent">The parent's number.</param>
/// <param name="Before">The parent's scores.</param>
/// <param name="After">The changed candidate's scores.</param>
public sealed record ProposalScores(int Parent, ImmutableArray<double> Before, ImmutableArray<double> After)
{
    /// <summary>By how much the sum has grown.</summary>
    public double Gain => After.Sum() - Before.Sum();
}

/// <summary>Decides by the minibatch whether a changed candidate is worth scoring on the whole validation set.</summary>
public interface IAcceptanceCriterion
{
    /// <summary>Name with all settings: part of a run's identity.</summary>
    string Name { get; }

    /// <summary>Why it is not; null when it is. Asked once a proposal, and again with more scores where <see cref="GepaOptions.ConfirmationExamples"/> is set.</summary>
    string? Reject(ProposalScores scores);
}

/// <summary>Ways to decide whether a change is worth a look.</summary>
public static class AcceptanceCriteria
{
    /// <summary>The sum of scores must grow.</summary>
    public static IAcceptanceCriterion Improvement { get; } = new BySum(false);

    /// <summary>The sum of scores must not shrink.</summary>
    public static IAcceptanceCriterion ImprovementOrEqual { get; } = new BySum(true);

    private sealed class BySum(bool equalWillDo) : IAcceptanceCriterion
    {
        public string Name => equalWillDo ? "no worse" : "better";

        public string? Reject(ProposalScores scores)
        {
            var (before, after) = (scores.Before.Sum(), scores.After.Sum());
            return after > before || (equalWillDo && after == before) ? null
                : equalWillDo ? "worse on the minibatch" : "no better on the minibatch";
        }
    }
}

/// <summary>Which of an iteration's accepted changes are scored on the validation set.</summary>
/// <param name="Most">How many, those with the largest gains; null means all.</param>
public sealed record ProposalSelection(int? Most)
{
    /// <summary>How many, those with the largest gains; null means all.</summary>
    public int? Most { get; } = Most is null or >= 1 ? Most : throw new ArgumentOutOfRangeException(nameof(Most), Most, "At least 1.");

    /// <summary>All of them.</summary>
    public static ProposalSelection All { get; } = new((int?)null);

    /// <summary>The one with the largest gain.</summary>
    public static ProposalSelection Best { get; } = new(1);

    /// <summary>Those with the largest gains.</summary>
    public static ProposalSelection Top(int count) => new(count);
}
