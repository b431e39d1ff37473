using System.Text.Json;

namespace EmbeddedModel;

/// <summary>A text to read and a text that repeats it: nothing but copying.</summary>
internal sealed record Drill(string Shown, string Repeated);

/// <summary>
/// Copying drills: made-up sentences about made-up names, then the same sentences in another order, and who is linked to whom. Nearly every token of
/// the answer can be copied, so a drill teaches what a lesson of the same length teaches ten times over: to continue a name as it stands above.
/// </summary>
internal static class Drills
{
    private const int Sentences = 5;

    private static readonly JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Func<Random, Fact>[] Forms =
    [
        random => new(Person(random), $"is a {Pick(random, Vocabulary.Jobs)} who works for", Company(random)),
        random => new(Person(random), "was born in", City(random)),
        random => new(Person(random), "studied at", School(random)),
        random => new(Person(random), $"is a {Pick(random, Vocabulary.Genres)} written by", Person(random)),
        random => new(Person(random), "was published by", Company(random)),
        random => new(Company(random), $"is a {Pick(random, Vocabulary.Industries)} company based in", City(random)),
        random => new(Company(random), "was founded by", Person(random)),
        random => new(School(random), $"is a school of {Pick(random, Vocabulary.Subjects)} located in", City(random)),
        random => new(School(random), "was named after", Person(random)),
        random => new(City(random), $"is a city in {Pick(random, Vocabulary.FirstWords)} on the river", Pick(random, Vocabulary.FirstWords)),
    ];

    public static Drill Next(Random random)
    {
        var facts = Enumerable.Range(0, Sentences).Select(_ => Forms[random.Next(Forms.Length)](random)).ToArray();
        var shown = JsonSerializer.Serialize(facts.Select(fact => random.Next(2) == 0 ? fact.Sentence : $"{fact.Subject} | {fact.Sentence}"), Plain);
        random.Shuffle(facts);
        var repeated = JsonSerializer.Serialize(facts.Select(fact => fact.Sentence), Plain);
        random.Shuffle(facts);
        var links = facts.Select(fact => random.Next(2) == 0 ? $"\n{fact.Subject} > {fact.Other}" : $"\nLook up {fact.Other}.\n{fact.Other}");
        return new(shown, repeated + string.Concat(links));
    }

    private static string Person(Random random) => Name(random, Vocabulary.SecondWords);

    private static string Company(Random random) => Name(random, Vocabulary.CompanySuffixes);

    private static string School(Random random) => Name(random, Vocabulary.SchoolSuffixes);

    private static string City(Random random) => Name(random, Vocabulary.CitySuffixes);

    private static string Name(Random random, IReadOnlyList<string> endings) => $"{Pick(random, Vocabulary.FirstWords)} {Pick(random, endings)}";

    private static string Pick(Random random, IReadOnlyList<string> words) => words[random.Next(words.Count)];

    private sealed record Fact(string Subject, string Link, string Other)
    {
        public string Sentence => $"{Subject} {Link} {Other}.";
    }
}
