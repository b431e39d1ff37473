namespace CodeGeneration;

/// <summary>What is to be written, and tests: expressions that must be true.</summary>
public sealed record Job(string Name, string Wanted, IReadOnlyList<string> Tests);

/// <summary>A made-up library: its source, its documentation, and tasks for it.</summary>
internal static class Tally
{
    public const string Source = """
        function openTally() {
            const entries = [];
            return {
                note(label, cents) { if (Number.isInteger(cents)) entries.push({ label, cents }); else throw new TypeError(`note wants whole cents, not ${cents}`); },
                drop(label) { entries.splice(0, entries.length, ...entries.filter(entry => entry.label !== label)); },
                worth() { return entries.reduce((sum, entry) => sum + entry.cents, 0); },
                labels() { return entries.map(entry => entry.label); },
            };
        }
        """;

    public static readonly string[] Documentation =
    [
        "Tally keeps amounts in memory. `openTally()` gives a new tally.",
        "`tally.note(label, cents)` will add an amount, in whole cents.",
        "`tally.drop(label)` will remove every amount of a label.",
        "`tally.worth()` gives the total of all amounts, in cents.",
        "`tally.labels()` will list the labels in the order in which they came.",
    ];

    public static readonly Job[] Jobs =
    [
        new("basket", "A function basket(prices) that takes an object of names and prices in euros, and gives the total in euros.", ["basket({ tea: 2.5, bread: 3.2 }) === 5.7", "basket({}) === 0"]),
        new("without", "A function without(prices, name) that does the same but will remove that name first.", ["without({ tea: 2.5, bread: 3.2 }, 'tea') === 3.2", "without({ tea: 1 }, 'jam') === 1"]),
        new("names", "A function names(prices) that gives a list of the names.", ["names({ tea: 2.5, bread: 3.2 }).join() === 'tea,bread'"]),
    ];
}
