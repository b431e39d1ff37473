using System.Collections.Immutable;
using Hone.Retrieval;

namespace MultiHopResearch;

/// <summary>The two encyclopedias of the demonstration: one to learn, validate and test in, one that is only tested in.</summary>
internal sealed class Worlds : IResearchData
{
    /// <summary>Searches a claim.</summary>
    public const int DefaultHops = 3;

    private const long HomeSeed = 1;
    private const long UnseenSeed = 2;

    private readonly LuceneRetriever homeSearch;
    private readonly LuceneRetriever unseenSearch;
    private readonly Encyclopedia home = Encyclopedia.Create(HomeSeed);

    public Worlds(int hops = DefaultHops, bool stopsEarly = false)
    {
        var unseen = Encyclopedia.Create(UnseenSeed);
        (homeSearch, unseenSearch) = (home.CreateRetriever(), unseen.CreateRetriever());
        Program = new ResearchHop(homeSearch, hops: hops, stopsEarly: stopsEarly);
        HeldOut =
        [
            new("held", "held-out claims", "Held-out claims", Program, Examples(home, Region.Test)),
            new("unseen", "unseen world", "A world that training never saw", new ResearchHop(unseenSearch, hops: hops, stopsEarly: stopsEarly), Examples(unseen, Region.Test)),
        ];
    }

    public string Description =>
        $"{home.Articles.Count:N0} articles indexed · {Train.Count} training, {Validation.Count} validation, {HeldOut[0].Claims.Count} test claims, {HeldOut[1].Claims.Count} in an unseen world";

    public string Note =>
        "Recall of gold titles, greedy decoding. A toy model on a synthetic encyclopedia: the gain shows that the method works, not that the model knows anything.";

    /// <summary>The program searching the first encyclopedia.</summary>
    public ResearchHop Program { get; }

    public IReadOnlyList<Example<Claim, Research>> Train => Examples(home, Region.Train);

    public IReadOnlyList<Example<Claim, Research>> Validation => Examples(home, Region.Validation);

    public ImmutableArray<HeldOut> HeldOut { get; }

    public void Dispose()
    {
        homeSearch.Dispose();
        unseenSearch.Dispose();
    }

    private static IReadOnlyList<Example<Claim, Research>> Examples(Encyclopedia world, Region region) => [.. world.Tasks[region].Select(task => task.ToExample())];
}
