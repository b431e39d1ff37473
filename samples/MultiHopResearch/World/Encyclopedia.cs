using Hone.Retrieval;

namespace MultiHopResearch;

/// <summary>A made-up encyclopedia and the claims that can be checked in it. Equal seeds give equal worlds.</summary>
public sealed class Encyclopedia
{
    private readonly Dictionary<string, Article> articlesByTitle;

    private Encyclopedia(IReadOnlyList<Article> articles, IReadOnlyDictionary<Region, IReadOnlyList<ResearchTask>> tasks)
    {
        Articles = articles;
        Tasks = tasks;
        articlesByTitle = articles.ToDictionary(article => article.Title, StringComparer.Ordinal);
    }

    /// <summary>Every article, regions mixed.</summary>
    public IReadOnlyList<Article> Articles { get; }

    /// <summary>The claims of each region; no entity of one region is named in another.</summary>
    public IReadOnlyDictionary<Region, IReadOnlyList<ResearchTask>> Tasks { get; }

    /// <summary>Builds a world.</summary>
    /// <param name="seed">Any number; seeds below 100 are kept for the demonstration and never used to train the embedded model.</param>
    /// <param name="size">How many articles and claims; null takes about 2,000 articles with 400, 100 and 150 claims.</param>
    public static Encyclopedia Create(long seed, EncyclopediaSize? size = null)
    {
        size ??= new();
        var stream = new SeedStream(seed).Derive("encyclopedia");
        var names = new NameSource(stream.Derive("names").CreateRandom());
        var articles = new List<Article>();
        var tasks = new Dictionary<Region, IReadOnlyList<ResearchTask>>();
        foreach (var region in Enum.GetValues<Region>())
        {
            var land = new RegionBuilder(region, size.ArticlesIn(region), names, stream.Derive("facts", (long)region).CreateRandom());
            articles.AddRange(land.Articles());
            tasks[region] = ClaimWriter.Write(land, size.ClaimsIn(region), stream.Derive("claims", (long)region).CreateRandom());
        }

        stream.Derive("order").CreateRandom().Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(articles));
        return new(articles, tasks);
    }

    /// <summary>The article of that title.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public Article Find(string title) => articlesByTitle[title];

    /// <summary>An in-memory index of all articles.</summary>
    public LuceneRetriever CreateRetriever()
    {
        var retriever = new LuceneRetriever();
        retriever.Add(Articles.Select(article => new SearchDocument(article.Title, article.Text)));
        return retriever;
    }
}

/// <summary>Parts of the world without common entities.</summary>
public enum Region
{
    /// <summary>Claims to learn from.</summary>
    Train,

    /// <summary>Claims to choose by.</summary>
    Validation,

    /// <summary>Claims to report on.</summary>
    Test,
}

/// <summary>How large a world is.</summary>
public sealed record EncyclopediaSize
{
    /// <summary>About how many articles in all.</summary>
    public int Articles { get; init; } = 2000;

    /// <summary>Claims of the training region.</summary>
    public int TrainClaims { get; init; } = 400;

    /// <summary>Claims of the validation region.</summary>
    public int ValidationClaims { get; init; } = 100;

    /// <summary>Claims of the test region.</summary>
    public int TestClaims { get; init; } = 150;

    internal int ArticlesIn(Region region) => Articles * region switch { Region.Train => 50, Region.Validation => 22, _ => 28 } / 100;

    internal int ClaimsIn(Region region) => region switch { Region.Train => TrainClaims, Region.Validation => ValidationClaims, _ => TestClaims };
}

/// <summary>One article: a title and one or two short sentences, each of which states one relation.</summary>
public sealed record Article(string Title, IReadOnlyList<string> Sentences)
{
    /// <summary>The sentences in a row.</summary>
    public string Text { get; } = string.Join(' ', Sentences);
}

/// <summary>A claim with what it takes to check it. It names <see cref="First"/> and properties of <see cref="Third"/>, never the two last.</summary>
/// <param name="Claim">What the program is given.</param>
/// <param name="First">The entity that the claim names.</param>
/// <param name="Second">What the first leads to.</param>
/// <param name="Third">What the second leads to.</param>
/// <param name="FirstFact">The sentence about <paramref name="First"/> that names <paramref name="Second"/>.</param>
/// <param name="SecondFact">The sentence about <paramref name="Second"/> that names <paramref name="Third"/>.</param>
/// <param name="Tail">The claim's description of <paramref name="Third"/>.</param>
/// <param name="Kind">Which relations lead from first to third.</param>
public sealed record ResearchTask(Claim Claim, string First, string Second, string Third, string FirstFact, string SecondFact, string Tail, string Kind)
{
    /// <summary>The titles to find.</summary>
    public IReadOnlyList<string> GoldTitles => [First, Second, Third];

    /// <summary>The task as a row of a data set.</summary>
    public Example<Claim, Research> ToExample() => new(Claim, new(GoldTitles, [FirstFact, SecondFact])) { Id = First + " / " + Kind };
}
