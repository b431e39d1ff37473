namespace PrivateDelegation.World;

/// <summary>Writes queries: a person with details, who needs one of the office's forms.</summary>
internal static class QueryWriter
{
    private static readonly string[] FirstNames =
        ["Marta", "Jonas", "Elif", "Pavel", "Ingrid", "Tomas", "Leila", "Oskar", "Nadia", "Viktor", "Sofia", "Emil", "Hana", "Bruno", "Clara", "Ivan"];

    private static readonly string[] LastNames =
        ["Olsen", "Keller", "Novak", "Silva", "Berg", "Rossi", "Haddad", "Lind", "Moreau", "Petrov", "Sato", "Weber", "Duarte", "Falk", "Horvat", "Quist"];

    private static readonly string[] Openings = ["This is {0}.", "My name is {0}.", "I am {0}."];

    private static readonly string[] Contacts = ["Write to {1}.", "Call {2}.", "My account is {3}."];

    private static readonly string[] Needs = ["I have a question on the {4}.", "Please help me with the {4}.", "What about the {4}?"];

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
        var (first, last) = (Pick(FirstNames, random), Pick(LastNames, random));
        var (purpose, form) = Office.Purposes[random.Next(Office.Purposes.Length)];
        string[] details =
        [
            $"{first} {last}", $"{last}@mail.net".ToLowerInvariant(), $"555-{random.Next(100, 1000)}", $"{random.Next(1000, 10000)}",
        ];
        string[] sentences = [Pick(Openings, random), Pick(Contacts, random), Pick(Needs, random)];
        if (random.Next(2) == 0)
            (sentences[1], sentences[2]) = (sentences[2], sentences[1]);
        var text = string.Format(System.Globalization.CultureInfo.InvariantCulture, string.Join(' ', sentences), [.. details, purpose]);
        return new(new(text), new(string.Empty, string.Empty, $"Use {form} for the {purpose}.") { Details = [.. details.Where(text.Contains)] });
    }

    private static string Pick(string[] choices, Random random) => choices[random.Next(choices.Length)];
}
