namespace MultiHopResearch;

/// <summary>A statement to gather evidence for.</summary>
public sealed record Claim(string Text);

/// <summary>What was found: titles of retrieved articles in the order found, and the notes taken.</summary>
public sealed record Research(IReadOnlyList<string> Titles, IReadOnlyList<string> KeyFacts);

/// <summary>Gathers the articles that a claim rests on: search, take notes, ask for what is missing, search again.</summary>
/// <param name="search">Finds articles.</param>
/// <param name="docsPerHop">Articles a search.</param>
/// <param name="hops">Most searches.</param>
/// <param name="stopsEarly">True ends with the first search that finds nothing new: runs then differ in how often they call the model.</param>
public sealed partial class ResearchHop(IRetriever search, int docsPerHop = 2, int hops = 3, bool stopsEarly = false) : Module<Claim, Research>
{
    /// <summary>Share of the titles to find that were retrieved, whatever their case and punctuation.</summary>
    public static double Recall(Example<Claim, Research> example, Research research)
    {
        var found = research.Titles.Select(title => TextMetrics.Normalize(title)).ToHashSet(StringComparer.Ordinal);
        return example.Expected.Titles.Count(title => found.Contains(TextMetrics.Normalize(title))) / (double)example.Expected.Titles.Count;
    }

    [ChainOfThought("Write a query for the next article to find.")]
    private partial Task<string> GenerateQuery(string claim, IReadOnlyList<string> keyFacts, CancellationToken cancellationToken);

    [Predict("Note the facts that help to check the claim.", Output = "new_key_facts")]
    private partial Task<IReadOnlyList<string>> AppendNotes(
        string claim, IReadOnlyList<string> keyFacts, IReadOnlyList<string> newSearchResults, CancellationToken cancellationToken);

    /// <inheritdoc/>
    protected override async Task<Research> ForwardAsync(Claim input, CancellationToken cancellationToken)
    {
        var titles = new List<string>();
        var keyFacts = new List<string>();
        var query = input.Text;
        for (var hop = 0; ; hop++)
        {
            var passages = await search.SearchAsync(query, docsPerHop, cancellationToken);
            string[] found = [.. passages.Select(passage => passage.Title).Except(titles)];
            titles.AddRange(found);
            if (hop == hops - 1 || (stopsEarly && found.Length == 0))
                return new(titles, keyFacts);

            var results = passages.Select(passage => $"{passage.Title} | {passage.Text}").ToArray();
            keyFacts.AddRange(await AppendNotes(input.Text, keyFacts, results, cancellationToken));
            query = await GenerateQuery(input.Text, keyFacts, cancellationToken);
        }
    }
}
