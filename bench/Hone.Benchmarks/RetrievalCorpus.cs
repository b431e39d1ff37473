using System.Text;

namespace Hone.Benchmarks;

/// <summary>
/// The corpus of the bm25s figures: documents of 20 to 60 words out of 50,000 whose frequency falls as 1 / rank, queries of 3 to 10 words drawn alike. The words are
/// made of syllables, so that the stemmer has something to look at.
/// </summary>
internal sealed class RetrievalCorpus
{
    private const int Words = 50_000;

    private static readonly string[] Syllables = ["ba", "cor", "den", "fi", "gal", "hu", "jin", "ka", "lem", "mor", "na", "pol", "ri", "sun", "ta", "vel", "wo", "zer"];
    private static readonly string[] Endings = ["", "s", "ing", "ed", "ation", "ly", "er"];

    private readonly Random random = new(1);
    private readonly string[] words = new string[Words];
    private readonly double[] cumulative = new double[Words];

    public RetrievalCorpus()
    {
        var sum = 0d;
        for (var i = 0; i < Words; i++)
        {
            words[i] = Word(i);
            cumulative[i] = sum += 1.0 / (i + 1);
        }
    }

    public IEnumerable<SearchDocument> Documents(int count) => Enumerable.Range(0, count).Select(i => new SearchDocument($"t{i}", Text(random.Next(20, 61))));

    public string[] Queries(int count) => [.. Enumerable.Range(0, count).Select(_ => Text(random.Next(3, 11)))];

    private static string Word(int number)
    {
        var word = new StringBuilder();
        var rest = number / Endings.Length;
        do
        {
            word.Append(Syllables[rest % Syllables.Length]);
            rest /= Syllables.Length;
        }
        while (rest > 0);
        return word.Append("ox").Append(Endings[number % Endings.Length]).ToString();
    }

    private string Text(int length)
    {
        var text = new StringBuilder();
        for (var i = 0; i < length; i++)
        {
            var place = Array.BinarySearch(cumulative, random.NextDouble() * cumulative[^1]);
            text.Append(i == 0 ? "" : " ").Append(words[Math.Min(Words - 1, place < 0 ? ~place : place)]);
        }

        return text.ToString();
    }
}
