using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>What a custom proposer is asked.</summary>
/// <param name="Iteration">The iteration, from 1.</param>
/// <param name="Parent">Number of the candidate that is changed.</param>
/// <param name="Texts">All its texts, by component.</param>
/// <param name="Data">The texts that are to be changed, with what happened under them.</param>
public sealed record InstructionProposalRequest(
    int Iteration, int Parent, ImmutableSortedDictionary<string, string> Texts, ImmutableArray<ReflectionData> Data);

/// <summary>
/// Writes new texts in place of GEPA's own reflection: with length limits, from guidelines, several texts that belong together. What it gives is journaled,
/// so it is asked once. The reflection model is in scope: run programs of its own, or be a <see cref="Module"/> with predictors, and what they cost is counted.
/// </summary>
public interface IInstructionProposer
{
    /// <summary>Name with all settings: part of a run's identity.</summary>
    string Name { get; }

    /// <summary>New texts by component; components without one stay as they are. What it throws is a failed proposal.</summary>
    /// <param name="request">What is to be changed.</param>
    /// <param name="cancellationToken">Abandons the proposal.</param>
    Task<IReadOnlyDictionary<string, string>> ProposeAsync(InstructionProposalRequest request, CancellationToken cancellationToken = default);
}

/// <summary>Lets a custom proposer run as a program does: in a scope with a model, with its calls counted.</summary>
internal sealed class CustomProposal(IInstructionProposer proposer) : Module<InstructionProposalRequest, ProposedTexts>
{
    protected internal override IEnumerable<KeyValuePair<string, Module>> GetChildren() =>
        proposer is Module module ? [KeyValuePair.Create("proposer", module)] : [];

    protected override async Task<ProposedTexts> ForwardAsync(InstructionProposalRequest input, CancellationToken cancellationToken) =>
        new(new Dictionary<string, string>(await proposer.ProposeAsync(input, cancellationToken).ConfigureAwait(false), StringComparer.Ordinal));
}
