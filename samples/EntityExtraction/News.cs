using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Hone;

namespace EntityExtraction;

/// <summary>A sentence of the business news.</summary>
public sealed record News(string Sentence);

/// <summary>What happened to the company.</summary>
public enum DealKind
{
    Purchase,
    Merger,
    Investment,
}

/// <summary>A company.</summary>
public sealed record Company([property: MinLength(2)] string Name, [property: Description("Where it is based")] string? City);

/// <summary>A person whom the sentence names.</summary>
public sealed record Person(string Name, string Role);

/// <summary>What the sentence tells.</summary>
public sealed record Deal(
    DealKind Kind,
    Company Buyer,
    Company Target,
    [property: Range(0.1, 1_000_000)][property: Description("Price in millions, a number")] double Millions,
    [property: MaxLength(3)] IReadOnlyList<Person> People);

/// <summary>Sentences with what they tell, and a score by field.</summary>
internal static class Newsroom
{
    public static readonly Example<News, Deal>[] All =
    [
        new(new("Norlys of Oslo bought Brightwell of Leeds for 40 million dollars, said chief executive Eva Dahl."),
            new(DealKind.Purchase, new("Norlys", "Oslo"), new("Brightwell", "Leeds"), 40, [new("Eva Dahl", "chief executive")])) { Id = "purchase" },
        new(new("Castor of Lyon merged with Pollux of Turin in a deal of 2.5 billion dollars."),
            new(DealKind.Merger, new("Castor", "Lyon"), new("Pollux", "Turin"), 2500, [])) { Id = "merger" },
        new(new("Redfern invested 12 million dollars in Tidewater of Cork, whose founder Sean Walsh stays."),
            new(DealKind.Investment, new("Redfern", null), new("Tidewater", "Cork"), 12, [new("Sean Walsh", "founder")])) { Id = "investment" },
        new(new("Hallmere of Bath bought Quillon for 7 million dollars, said chairman Max Orr and director Lea Funk."),
            new(DealKind.Purchase, new("Hallmere", "Bath"), new("Quillon", null), 7, [new("Max Orr", "chairman"), new("Lea Funk", "director")])) { Id = "two people" },
    ];

    /// <summary>Each field counts alike; of the people, the share that both lists have (F1).</summary>
    public static Metric<News, Deal> Metric { get; } = Hone.Metric.Combine(
        ("kind", Field(deal => deal.Kind), 1),
        ("buyer", Field(deal => deal.Buyer), 1),
        ("target", Field(deal => deal.Target), 1),
        ("millions", Field(deal => deal.Millions), 1),
        ("people", Hone.Metric.From<News, Deal>((example, deal) => Overlap(example.Expected.People, deal.People)), 1));

    private static Metric<News, Deal> Field(Func<Deal, object?> field) => Hone.Metric.From<News, Deal>((example, deal) => Equals(field(example.Expected), field(deal)));

    private static double Overlap(IReadOnlyList<Person> expected, IReadOnlyList<Person> found) =>
        expected.Count + found.Count == 0 ? 1 : 2.0 * expected.Intersect(found).Count() / (expected.Count + found.Count);
}
