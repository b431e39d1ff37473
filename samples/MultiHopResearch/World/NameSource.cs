namespace MultiHopResearch;

/// <summary>Hands out names that were not handed out before.</summary>
internal sealed class NameSource
{
    private readonly Random random;
    private readonly Queue<string> singleWords;
    private readonly string[] firstWords;
    private readonly HashSet<string> used = new(StringComparer.Ordinal);

    public NameSource(Random random)
    {
        this.random = random;
        string[] words = [.. Vocabulary.FirstWords];
        random.Shuffle(words);

        // Rivers and countries take whole words, so that a property names one thing; all other names are pairs of the remaining words.
        var single = words.Length / 4;
        singleWords = new(words[..single]);
        firstWords = words[single..];
    }

    /// <summary>How many one-word names are left.</summary>
    public int SingleWordsLeft => singleWords.Count;

    public string Single() => singleWords.Dequeue();

    public string Pair(IReadOnlyList<string> secondWords)
    {
        while (true)
        {
            var name = $"{firstWords[random.Next(firstWords.Length)]} {secondWords[random.Next(secondWords.Count)]}";
            if (used.Add(name))
                return name;
        }
    }
}
