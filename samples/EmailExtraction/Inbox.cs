using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Hone;

namespace EmailExtraction;

/// <summary>An e-mail.</summary>
public sealed record Email(string From, string Subject, DateOnly Sent, string Body);

/// <summary>What the writer wants.</summary>
public enum Intent
{
    Invoice,
    Meeting,
    Complaint,
    Question,
}

/// <summary>An amount of money.</summary>
public sealed record Money([property: Range(0.01, 1e9)] decimal Amount, [property: RegularExpression("[A-Z]{3}")][property: Description("ISO code, e.g. EUR")] string Currency);

/// <summary>What an office needs to know of an e-mail. The bounds are assertions: an answer that breaks one is asked for again, with the reason.</summary>
public sealed record Facts(
    [property: Description("First and last name")] string Sender,
    Intent Intent,
    [property: Description("Days that the text names, as dates")] IReadOnlyList<DateOnly> Dates,
    IReadOnlyList<Money> Amounts,
    [property: MaxLength(3)][property: Description("What we are asked to do, an imperative each")] IReadOnlyList<string> ActionItems,
    [property: Range(1, 5)][property: Description("5 is the most urgent")] int Priority);

/// <summary>E-mails with their facts, and a score by field.</summary>
internal static class Inbox
{
    public static readonly Example<Email, Facts>[] All =
    [
        new(new("Eva Dahl <eva@norlys.example>", "Invoice 118", new(2026, 3, 2), "The invoice of 1200 EUR is due on 2026-03-31. Please confirm the order. Please pay by transfer."),
            new("Eva Dahl", Intent.Invoice, [new(2026, 3, 31)], [new(1200, "EUR")], ["confirm the order", "pay by transfer"], 3)) { Id = "invoice" },
        new(new("Sean Walsh <sean@tidewater.example>", "Meeting", new(2026, 3, 3), "Can we meet tomorrow? It is urgent. Please bring the plans."),
            new("Sean Walsh", Intent.Meeting, [new(2026, 3, 4)], [], ["bring the plans"], 5)) { Id = "meeting" },
        new(new("Lea Funk <lea@quillon.example>", "Broken pump", new(2026, 3, 5), "The pump for 89.50 euros broke on 2026-03-01. I complain! Please send a new one."),
            new("Lea Funk", Intent.Complaint, [new(2026, 3, 1)], [new(89.50m, "EUR")], ["send a new one"], 3)) { Id = "complaint" },
        new(new("Max Orr <max@hallmere.example>", "Your prices", new(2026, 3, 6), "What does the small pump cost? No hurry at all."),
            new("Max Orr", Intent.Question, [], [], [], 1)) { Id = "question" },
    ];

    /// <summary>Each field counts alike.</summary>
    public static Metric<Email, Facts> Metric { get; } = Hone.Metric.Combine(
        ("sender", Field((x, y) => x.Sender == y.Sender), 1),
        ("intent", Field((x, y) => x.Intent == y.Intent), 1),
        ("dates", Field((x, y) => x.Dates.SequenceEqual(y.Dates)), 1),
        ("amounts", Field((x, y) => x.Amounts.SequenceEqual(y.Amounts)), 1),
        ("actions", Field((x, y) => x.ActionItems.SequenceEqual(y.ActionItems)), 1),
        ("priority", Field((x, y) => x.Priority == y.Priority), 1));

    private static Metric<Email, Facts> Field(Func<Facts, Facts, bool> isEqual) => Hone.Metric.From<Email, Facts>((example, facts) => isEqual(example.Expected, facts));
}
