namespace PrivateDelegation.World;

/// <summary>Writes queries: a person with details, who needs one of the office's forms.</summary>
internal static class QueryWriter
{
    private static readonly string[] Openings = ["I am {0} of {1}.", "My name is {0}.", "This is {0} of {2}."];

    private static readonly string[] Needs = ["Which form is for the {3}?", "What is the form of the {3}?", "I need the form for the {3}."];

    /// <summary>The sentence of a query that says what it is about; it holds no personal detail.</summary>
    public static string NeedIn(string query)
    {
        var purpose = Office.Find(query)!.Value.Purpose;
        return Needs.Select(need => need.Replace("{3}", purpose, StringComparison.Ordinal)).First(need => query.Contains(need, StringComparison.Ordinal));
    }

    private static readonly string[] Endings = ["I live in {1}.", "My company is {2}.", "Write to {2}."];

    /// <summary>So many different queries; the same ones for the same seed.</summary>
    public static IReadOnlyList<Example<UserQuery, Delegation>> Write(long seed, int count)
    {
        var random = new SeedStream(seed).Derive("queries").CreateRandom();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var examples = new List<Example<UserQuery, Delegation>>(count);
        while (examples.Count < count)
        {
            var example = Write(random);
            if (seen.Add(example.Input.Text))
                examples.Add(example);
        }

        return examples;
    }

    private static Example<UserQuery, Delegation> Write(Random random)
    {
        var (purpose, form) = Office.Purposes[random.Next(Office.Purposes.Length)];
        string[] details = [Name(Vocabulary.SecondWords, random), Name(Vocabulary.CitySuffixes, random), Name(Vocabulary.CompanySuffixes, random)];
        string[] sentences = [Pick(Openings, random), Pick(Needs, random), Pick(Endings, random)];
        if (random.Next(2) == 0)
            (sentences[1], sentences[2]) = (sentences[2], sentences[1]);
        var text = string.Format(System.Globalization.CultureInfo.InvariantCulture, string.Join(' ', sentences), [.. details, purpose]);
        return new(new(text), new(string.Empty, string.Empty, $"Use form {form}.") { Details = [.. details.Where(text.Contains)] });
    }

    private static string Name(IReadOnlyList<string> ends, Random random) => $"{Pick(Vocabulary.FirstWords, random)} {Pick(ends, random)}";

    private static string Pick(IReadOnlyList<string> choices, Random random) => choices[random.Next(choices.Count)];
}
