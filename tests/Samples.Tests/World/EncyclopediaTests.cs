using Hone.Retrieval;

namespace Samples.Tests.World;

public sealed class EncyclopediaTests : IDisposable
{
    private readonly Encyclopedia world = Encyclopedia.Create(seed: 50);
    private readonly LuceneRetriever search;

    public EncyclopediaTests() => search = world.CreateRetriever();

    private ResearchTask[] AllTasks => [.. world.Tasks.Values.SelectMany(tasks => tasks)];

    public void Dispose() => search.Dispose();

    [Fact]
    public void Create_SameSeed_SameWorld()
    {
        var again = Encyclopedia.Create(seed: 50);
        Assert.Equal(world.Articles.Select(article => (article.Title, article.Text)), again.Articles.Select(article => (article.Title, article.Text)));
        foreach (var region in Enum.GetValues<Region>())
            Assert.Equal(world.Tasks[region], again.Tasks[region]);
    }

    [Fact]
    public void Create_OtherSeed_SharesSomeTitlesAndNoArticle()
    {
        var other = Encyclopedia.Create(seed: 51).Articles;
        var (titles, texts) = (other.Select(article => article.Title).ToHashSet(), other.Select(article => article.Text).ToHashSet());
        Assert.InRange(world.Articles.Count(article => titles.Contains(article.Title)) / (double)world.Articles.Count, 0, 0.25);
        Assert.DoesNotContain(world.Articles, article => texts.Contains(article.Text));
    }

    [Fact]
    public void Create_DefaultSize_HasTheDocumentedCounts()
    {
        Assert.InRange(world.Articles.Count, 1900, 2100);
        Assert.Equal([400, 100, 150], Enum.GetValues<Region>().Select(region => world.Tasks[region].Count));
        Assert.True(AllTasks.CountBy(task => task.Kind).Count() >= 5);
        Assert.All(world.Articles, article => Assert.InRange(article.Sentences.Count, 1, 2));
        Assert.Equal(world.Articles.Count, world.Articles.DistinctBy(article => article.Title).Count());
    }

    [Fact]
    public void Create_TooFewArticles_SaysSo() =>
        Assert.Contains("more articles", Assert.Throws<ArgumentException>(() => Encyclopedia.Create(1, new() { Articles = 150 })).Message, StringComparison.Ordinal);

    [Fact]
    public void Regions_Entities_AreDisjoint()
    {
        var named = world.Tasks.ToDictionary(region => region.Key, region => region.Value.SelectMany(task => task.GoldTitles).ToHashSet());
        Assert.Empty(named[Region.Train].Intersect(named[Region.Validation]));
        Assert.Empty(named[Region.Train].Intersect(named[Region.Test]));
        Assert.Empty(named[Region.Validation].Intersect(named[Region.Test]));
    }

    [Fact]
    public void Tasks_Claim_NamesTheFirstEntityOnly()
    {
        Assert.All(AllTasks, task =>
        {
            Assert.Contains(task.First, task.Claim.Text, StringComparison.Ordinal);
            Assert.DoesNotContain(task.Second, task.Claim.Text, StringComparison.Ordinal);
            Assert.DoesNotContain(task.Third, task.Claim.Text, StringComparison.Ordinal);
            Assert.EndsWith($"{task.Tail}.", task.Claim.Text, StringComparison.Ordinal);
            Assert.Equal(3, task.GoldTitles.Distinct().Count());
        });
    }

    [Fact]
    public void Tasks_Facts_LeadFromFirstToThird()
    {
        Assert.All(AllTasks, task =>
        {
            Assert.Contains(task.FirstFact, world.Find(task.First).Sentences);
            Assert.Contains(task.SecondFact, world.Find(task.Second).Sentences);
            Assert.EndsWith($" {task.Second}.", task.FirstFact, StringComparison.Ordinal);
            Assert.EndsWith($" {task.Third}.", task.SecondFact, StringComparison.Ordinal);
            Assert.NotNull(world.Find(task.Third));
        });
    }

    [Fact]
    public void Search_Claim_FindsTheFirstEntityAndHardlyEverTheOthers()
    {
        Assert.InRange(Share(task => task.Claim.Text, task => task.First), 0.97, 1);
        Assert.InRange(Share(task => task.Claim.Text, task => task.Second), 0, 0.03);
        Assert.InRange(Share(task => task.Claim.Text, task => task.Third), 0, 0.03);
    }

    [Fact]
    public void Search_Name_FindsItsArticle()
    {
        Assert.InRange(Share(task => task.Second, task => task.Second), 0.99, 1);
        Assert.InRange(Share(task => task.Third, task => task.Third), 0.99, 1);
    }

    [Fact]
    public void Search_LastWordsOfTheClaim_SeldomFindTheThirdEntity() => Assert.InRange(Share(task => task.Tail, task => task.Third), 0, 0.2);

    private double Share(Func<ResearchTask, string> query, Func<ResearchTask, string> title) =>
        AllTasks.Average(task => search.Search(query(task), 2).Any(passage => passage.Title == title(task)) ? 1.0 : 0);
}
