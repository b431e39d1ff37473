using System.Collections.Immutable;
using Hone.Retrieval;

namespace MultiHopResearch.Hover;

/// <summary>HoVer (Jiang et al. 2020, arXiv 2011.03088) as DSPy's tutorial takes it: claims over three articles, searched in a corpus of abstracts.</summary>
internal sealed class HoverData : IResearchData
{
    /// <summary>Searches a claim.</summary>
    public const int Hops = 2;

    private const int DocsPerHop = 4;
    private readonly LuceneRetriever search;

    private HoverData(HoverSplit split, LuceneRetriever search, Settings settings)
    {
        this.search = search;
        (Train, Validation) = (split.Train, split.Validation);
        Program = new(search, DocsPerHop, settings.Hops, settings.StopsEarly);
        HeldOut = [new("held", "held-out claims", "Held-out claims", Program, split.Test)];
    }

    public string Description => $"{search.Count:N0} articles indexed · {Train.Count} training, {Validation.Count} validation, {HeldOut[0].Claims.Count} test claims of HoVer";

    public string Note => "Recall of gold titles on claims of HoVer over three articles, greedy decoding.";

    public ResearchHop Program { get; }

    public IReadOnlyList<Example<Claim, Research>> Train { get; }

    public IReadOnlyList<Example<Claim, Research>> Validation { get; }

    public ImmutableArray<HeldOut> HeldOut { get; }

    /// <summary>Reads the claims, and opens the index of the articles or makes it.</summary>
    /// <exception cref="HoneException">A file is not what it should be.</exception>
    public static async Task<HoverData> OpenAsync(string data, string corpus, Settings settings, CancellationToken cancellationToken)
    {
        var split = await HoverSplit.ReadAsync(data, cancellationToken);
        return new(split, CorpusIndex.Open(corpus, settings.Index ?? corpus + ".index", cancellationToken), settings);
    }

    public void Dispose() => search.Dispose();
}
