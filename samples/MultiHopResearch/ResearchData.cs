using System.Collections.Immutable;
using MultiHopResearch.Hover;

namespace MultiHopResearch;

/// <summary>Claims that no training touches, and the program that searches where their articles are.</summary>
/// <param name="Key">What they are called in <c>result.json</c>.</param>
/// <param name="Name">What they are called in print.</param>
/// <param name="Title">What they are called in the report.</param>
/// <param name="Program">The program.</param>
/// <param name="Claims">The claims.</param>
internal sealed record HeldOut(string Key, string Name, string Title, ResearchHop Program, IReadOnlyList<Example<Claim, Research>> Claims);

/// <summary>What a run learns from, chooses by and reports.</summary>
internal interface IResearchData : IDisposable
{
    /// <summary>Which articles and claims there are.</summary>
    string Description { get; }

    /// <summary>What a reader of the report should know.</summary>
    string Note { get; }

    /// <summary>The program that is trained.</summary>
    ResearchHop Program { get; }

    IReadOnlyList<Example<Claim, Research>> Train { get; }

    IReadOnlyList<Example<Claim, Research>> Validation { get; }

    /// <summary>What is reported; the first counts.</summary>
    ImmutableArray<HeldOut> HeldOut { get; }
}

/// <summary>Opens what the command line asks for.</summary>
internal static class ResearchData
{
    /// <summary>Recall of the titles to find.</summary>
    public static Metric<Claim, Research> Recall { get; } = Metric.From<Claim, Research>((example, research) => ResearchHop.Recall(example, research));

    /// <exception cref="HoneException">HoVer without a corpus, or a corpus without HoVer; or a file is not what it should be.</exception>
    public static async Task<IResearchData> OpenAsync(Settings settings, CancellationToken cancellationToken) => (settings.Data, settings.Corpus) switch
    {
        (null, null) => new Worlds(settings.Hops, settings.StopsEarly),
        (null, _) => throw new HoneException("--corpus needs --data: the HoVer file whose claims are looked up in it."),
        (_, null) => throw new HoneException("--data needs --corpus: the file of the articles that HoVer's claims are looked up in."),
        var (data, corpus) => await HoverData.OpenAsync(data, corpus, settings, cancellationToken),
    };
}
