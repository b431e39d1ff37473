using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Hone;
using Hone.Retrieval;

namespace Rag;

/// <summary>A question.</summary>
public sealed record Ask(string Question);

/// <summary>The answer, and the pages it rests on.</summary>
public sealed record Sourced(
    [property: Description("A few words")] string Answer,
    [property: Description("Titles of the passages that say so")][property: MinLength(1)] IReadOnlyList<string> Sources);

/// <summary>A small made-up encyclopedia, and questions to it.</summary>
internal static class Library
{
    public static readonly SearchDocument[] Pages =
    [
        new("Veldra", "Veldra is an island of the northern sea. Its capital is Port Amsel."),
        new("Port Amsel", "Port Amsel is a harbour town with 9,400 inhabitants. It was founded in 1604."),
        new("Veldra bridge", "The bridge to the mainland was opened in 1978. It is 3 kilometres long."),
        new("Amsel ferry", "The ferry sails to the mainland twice a day. A crossing takes 50 minutes."),
        new("Mount Corrin", "Mount Corrin is the highest mountain of the island, 812 metres high."),
        new("Lake Sisk", "Lake Sisk lies below Mount Corrin. Its water is salty."),
        new("Veldra hare", "The hare of Veldra is white all year. It was thought extinct until 1990."),
        new("Greta Holm", "Greta Holm was a painter. She was born in Port Amsel and painted the harbour."),
        new("Harbour museum", "The museum of the harbour shows paintings of Greta Holm. It is closed on Mondays."),
        new("Kelp bread", "Kelp bread is baked with dried seaweed. It is eaten at the feast of lights."),
    ];

    public static readonly Example<Ask, Sourced>[] Questions =
    [
        Of("What is the capital of Veldra?", "Port Amsel", "Veldra"),
        Of("When was the bridge to the mainland opened?", "1978", "Veldra bridge"),
        Of("How long does a crossing with the ferry take?", "50 minutes", "Amsel ferry"),
        Of("How high is Mount Corrin?", "812 metres", "Mount Corrin"),
        Of("When is the museum of the harbour closed?", "Mondays", "Harbour museum"),
        Of("Who painted the harbour of the capital?", "Greta Holm", "Greta Holm"),
        Of("How many people live in the capital?", "9,400", "Port Amsel"),
    ];

    /// <summary>Right words, and sources that really hold them.</summary>
    public static Metric<Ask, Sourced> Metric { get; } = Hone.Metric.Combine(
        ("answer", Hone.Metric.From<Ask, Sourced>((example, output) => TextMetrics.F1(output.Answer, example.Expected.Answer)), 1),
        ("grounded", Hone.Metric.From<Ask, Sourced>((_, output) => TextMetrics.PassageMatch(TextsOf(output.Sources), [output.Answer])), 1),
        ("source", Hone.Metric.From<Ask, Sourced>((example, output) => output.Sources.Contains(example.Expected.Sources[0])), 1));

    private static string[] TextsOf(IReadOnlyList<string> titles) => [.. Pages.Where(page => titles.Contains(page.Title)).Select(page => page.Text)];

    private static Example<Ask, Sourced> Of(string question, string answer, string title) => new(new(question), new(answer, [title]));
}
