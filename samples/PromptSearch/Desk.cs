using Hone;

namespace PromptSearch;

/// <summary>What a tenant writes to the caretakers.</summary>
public sealed record Ticket(string Text);

/// <summary>Who looks after it.</summary>
public sealed record Routing(Team Team);

/// <summary>The teams of the house.</summary>
public enum Team
{
    Plumbing,
    Electric,
    Cleaning,
    Security,
}

/// <summary>Tickets with the teams that the house sends them to, by rules of its own that no model can guess.</summary>
internal static class Desk
{
    /// <summary>What a ticket is about, who would be guessed to look after it, and who does in this house.</summary>
    public static readonly (string Subject, Team Guess, Team Right)[] Rules =
    [
        ("the tap drips", Team.Plumbing, Team.Plumbing),
        ("the lamp flickers", Team.Electric, Team.Electric),
        ("the stairs are dirty", Team.Cleaning, Team.Cleaning),
        ("the front door does not lock", Team.Security, Team.Security),
        ("the boiler is cold", Team.Electric, Team.Plumbing),
        ("the gutter is full of leaves", Team.Plumbing, Team.Cleaning),
        ("the doorbell is silent", Team.Security, Team.Electric),
        ("there is a wasp nest", Team.Cleaning, Team.Security),
    ];

    private static readonly string[] Openings = ["Hello,", "Good morning,", "Please help:", "Third time now:", "Since yesterday", "In flat 4"];

    private static readonly string[] Endings = ["Thank you.", "When can you come?", "It is urgent."];

    /// <summary>Right or wrong, and in the second case what would have been right: that is what an optimizer learns from.</summary>
    public static Metric<Ticket, Routing> Metric { get; } = (example, prediction, _) => ValueTask.FromResult(
        prediction.Value.Team == example.Expected.Team
            ? new Score(1) { Feedback = "Right." }
            : new Score(0) { Feedback = $"Wrong: '{SubjectOf(example.Input.Text)}' goes to {example.Expected.Team} in this house." });

    /// <summary>144 tickets, dealt out by a seed: to learn from, to choose by, to report.</summary>
    public static (Example<Ticket, Routing>[] Train, Example<Ticket, Routing>[] Validation, Example<Ticket, Routing>[] Test) Deal(long seed)
    {
        Example<Ticket, Routing>[] all =
        [
            .. from rule in Rules
               from opening in Openings
               from ending in Endings
               select new Example<Ticket, Routing>(new($"{opening} {rule.Subject}. {ending}"), new(rule.Right)),
        ];
        new SeedStream(seed).Derive("deal").CreateRandom().Shuffle(all);
        return (all[..40], all[40..80], all[80..]);
    }

    public static string SubjectOf(string text) => Rules.First(rule => text.Contains(rule.Subject, StringComparison.Ordinal)).Subject;
}
