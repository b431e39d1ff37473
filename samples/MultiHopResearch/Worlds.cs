using Hone.Retrieval;

namespace MultiHopResearch;

/// <summary>The two encyclopedias of the demonstration: one to learn, validate and test in, one that is only tested in.</summary>
internal sealed class Worlds : IDisposable
{
    private const long HomeSeed = 1;
    private const long UnseenSeed = 2;

    private readonly LuceneRetriever homeSearch;
    private readonly LuceneRetriever unseenSearch;

    public Worlds(int hops = 3, bool stopsEarly = false)
    {
        Home = Encyclopedia.Create(HomeSeed);
        Unseen = Encyclopedia.Create(UnseenSeed);
        (homeSearch, unseenSearch) = (Home.CreateRetriever(), Unseen.CreateRetriever());
        HomeProgram = new ResearchHop(homeSearch, hops: hops, stopsEarly: stopsEarly);
        UnseenProgram = new ResearchHop(unseenSearch, hops: hops, stopsEarly: stopsEarly);
    }

    public Encyclopedia Home { get; }

    public Encyclopedia Unseen { get; }

    /// <summary>The program searching the first encyclopedia.</summary>
    public ResearchHop HomeProgram { get; }

    /// <summary>The same program searching the second.</summary>
    public ResearchHop UnseenProgram { get; }

    public static Metric<Claim, Research> Recall { get; } = Metric.From<Claim, Research>((example, research) => ResearchHop.Recall(example, research));

    public IReadOnlyList<Example<Claim, Research>> Train => Examples(Home, Region.Train);

    public IReadOnlyList<Example<Claim, Research>> Validation => Examples(Home, Region.Validation);

    public IReadOnlyList<Example<Claim, Research>> Test => Examples(Home, Region.Test);

    public IReadOnlyList<Example<Claim, Research>> UnseenTest => Examples(Unseen, Region.Test);

    public void Dispose()
    {
        homeSearch.Dispose();
        unseenSearch.Dispose();
    }

    private static IReadOnlyList<Example<Claim, Research>> Examples(Encyclopedia world, Region region) => [.. world.Tasks[region].Select(task => task.ToExample())];
}
