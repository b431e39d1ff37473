using System.ComponentModel;
using Hone;

namespace QuestionAnswering;

/// <summary>A question, and the sentences that hold its answer.</summary>
public sealed record Ask(string Question, IReadOnlyList<string> Context);

/// <summary>The answer.</summary>
public sealed record Reply([property: Description("A few words from the context, no sentence")] string Answer);

/// <summary>Questions about a made-up lighthouse, and how answers are scored.</summary>
internal static class Questions
{
    public static readonly string[] Lighthouse =
    [
        "The lighthouse of Farholm was built in 1862 by Ada Lindqvist.",
        "The tower stands on the northern cliff of the island.",
        "The tower is 41 metres high.",
        "The lamp was lit by whale oil until electricity came in 1931.",
        "The last keeper was Jonas Berg, who left in 1988.",
        "The keeper's house is a museum now and opens in May.",
    ];

    public static readonly Example<Ask, Reply>[] All =
    [
        Of("year", "When was the lighthouse built?", "1862"),
        Of("builder", "Who built the lighthouse?", "Ada Lindqvist"),
        Of("height", "How high is the tower?", "41 metres"),
        Of("place", "Where does the tower stand?", "the northern cliff"),
        Of("keeper", "Who was the last keeper?", "Jonas Berg"),
        Of("lamp", "What lit the lamp in 1900?", "whale oil"),
    ];

    /// <summary>Half for the same words in the same order, half for the words that are shared.</summary>
    public static Metric<Ask, Reply> Metric { get; } = Hone.Metric.Combine(
        ("exact", Hone.Metric.From<Ask, Reply>((example, reply) => TextMetrics.ExactMatch(reply.Answer, example.Expected.Answer)), 1),
        ("f1", Hone.Metric.From<Ask, Reply>((example, reply) => TextMetrics.F1(reply.Answer, example.Expected.Answer)), 1));

    private static Example<Ask, Reply> Of(string id, string question, string answer) => new(new(question, Lighthouse), new(answer)) { Id = id };
}
