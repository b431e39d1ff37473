namespace Hone.Optimizers;

/// <summary>
/// Draws a step's examples without replacement, each with a weight: the spread of its last rewards over the largest spread known, and at least
/// <see cref="LeastWeight"/>. Examples without rewards so far have the weight of the best.
/// </summary>
internal sealed class SpreadSelector(int exampleCount, int perStep, SeedStream seed) : IExampleSelector
{
    /// <summary>An example that taught nothing is still drawn a tenth as often as the best: what is flat today may not be tomorrow.</summary>
    private const double LeastWeight = 0.1;

    private readonly SortedDictionary<int, double> spreads = [];

    /// <inheritdoc/>
    public IReadOnlyDictionary<int, double>? Memory
    {
        get => new SortedDictionary<int, double>(spreads);
        set
        {
            spreads.Clear();
            foreach (var (example, spread) in value ?? new Dictionary<int, double>())
                spreads[example] = spread;
        }
    }

    /// <inheritdoc/>
    public void Observe(int example, double spread) => spreads[example] = spread;

    /// <inheritdoc/>
    public IReadOnlyList<int> Select(int step)
    {
        var random = seed.Derive("spread", step).CreateRandom();
        var largest = spreads.Count == 0 ? 0 : spreads.Values.Max();

        // Efraimidis and Spirakis (2006): the smallest values of -ln(u) / weight are a weighted sample without replacement.
        int[] order = [.. Enumerable.Range(0, exampleCount)
            .Select(example => (Example: example, Key: -Math.Log(1 - random.NextDouble()) / WeightOf(example, largest)))
            .OrderBy(entry => entry.Key)
            .Select(entry => entry.Example)];

        // A step that is larger than the set goes round.
        return [.. Enumerable.Range(0, perStep).Select(place => order[place % exampleCount])];
    }

    private double WeightOf(int example, double largest) =>
        !spreads.TryGetValue(example, out var spread) || largest <= 0 ? 1 : Math.Max(LeastWeight, spread / largest);
}
