using System.Globalization;
using System.Text;

namespace LongDocument;

/// <summary>A long report on depots, with the answer to the question that is asked of it.</summary>
/// <param name="Text">The report.</param>
/// <param name="Depot">The depot with most parcels damaged by water.</param>
/// <param name="Parcels">How many those are.</param>
internal sealed record DepotReport(string Text, string Depot, int Parcels)
{
    /// <summary>Notes that tell of water; only a reader sees it.</summary>
    public static readonly string[] Wet =
    [
        "the skylight gave way in the storm and the shelf below was soaked", "a pipe burst above bay four over the weekend", "the gate stood open all night while it poured",
    ];

    private static readonly string[] Dry =
    [
        "a pallet of bottled water slid off the forklift", "the stack was two layers too high and gave way", "a driver braked hard in the yard",
        "the rainwater tank was delivered crushed on one side",
    ];

    private static readonly string[] Depots = ["Lyon", "Gdansk", "Porto", "Trieste", "Bergen"];

    /// <summary>Writes a report; the same seed gives the same one.</summary>
    public static DepotReport Write(int entries, int seed)
    {
        var (random, text, totals) = (new Random(seed), new StringBuilder(), Depots.ToDictionary(depot => depot, _ => 0));
        for (var entry = 1; entry <= entries; entry++)
        {
            var depot = Depots[random.Next(Depots.Length)];
            text.Append(CultureInfo.InvariantCulture, $"Entry {entry}, depot {depot}. In: {random.Next(80, 400)} parcels, out: {random.Next(80, 400)} parcels.");
            if (random.Next(50) > 0)
            {
                text.Append(" Nothing to report.\n");
                continue;
            }

            var (isWet, damaged) = (random.Next(2) == 0, random.Next(1, 30));
            var notes = isWet ? Wet : Dry;
            text.Append(CultureInfo.InvariantCulture, $" Damaged: {damaged}. Note: {notes[random.Next(notes.Length)]}.\n");
            totals[depot] += isWet ? damaged : 0;
        }

        var (worst, parcels) = totals.MaxBy(total => total.Value);
        return new(text.ToString(), worst, parcels);
    }
}
