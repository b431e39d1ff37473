using Hone;

namespace NativeAot;

/// <summary>A claim and what a search has found for it.</summary>
public sealed record Findings(string Claim, IReadOnlyList<string> Passages);

/// <summary>A step of the research program in samples/MultiHopResearch: the embedded model has learned it, but not these names.</summary>
public sealed partial class NoteTaker : Module<Findings, IReadOnlyList<string>>
{
    [Predict("Note the facts that help to check the claim.", Output = "new_key_facts")]
    private partial Task<IReadOnlyList<string>> AppendNotes(
        string claim, IReadOnlyList<string> keyFacts, IReadOnlyList<string> newSearchResults, CancellationToken cancellationToken);

    /// <inheritdoc/>
    protected override Task<IReadOnlyList<string>> ForwardAsync(Findings input, CancellationToken cancellationToken) =>
        AppendNotes(input.Claim, [], input.Passages, cancellationToken);
}
