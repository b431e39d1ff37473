namespace Hone.Optimizers;

/// <summary>Chooses the examples of each step: epochs in a shuffled order, padded so that every step is full with the examples used least so far.</summary>
internal sealed class ExampleSelector : IExampleSelector
{
    private readonly int exampleCount;
    private readonly int perStep;
    private readonly SeedStream seed;
    private readonly int[] uses;
    private readonly List<int> firstSeen = [];
    private int epoch = -1;
    private int[] order = [];
    private int stepsBefore;

    /// <param name="exampleCount">Size of the training set.</param>
    /// <param name="perStep">Examples a step.</param>
    /// <param name="seed">Seed of the shuffles.</param>
    public ExampleSelector(int exampleCount, int perStep, SeedStream seed)
    {
        (this.exampleCount, this.perStep, this.seed) = (exampleCount, perStep, seed);
        uses = new int[exampleCount];
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<int, double>? Memory { get; set; }

    /// <inheritdoc/>
    public void Observe(int example, double spread)
    {
        // Every example gets its turn, whatever it taught.
    }

    /// <summary>The examples of a step. Steps must be asked for in order, from 0; a resumed run replays them, which costs nothing.</summary>
    public IReadOnlyList<int> Select(int step)
    {
        while (step >= stepsBefore + (order.Length / perStep))
        {
            stepsBefore += order.Length / perStep;
            StartEpoch();
        }

        return order.AsSpan((step - stepsBefore) * perStep, perStep).ToArray();
    }

    private void StartEpoch()
    {
        epoch++;
        var next = Enumerable.Range(0, exampleCount).ToArray();
        seed.Derive("epoch", epoch).CreateRandom().Shuffle(next);
        var padded = new List<int>(next);
        foreach (var example in next)
        {
            if (uses[example]++ == 0 && !firstSeen.Contains(example))
                firstSeen.Add(example);
        }

        // Least used first; among equals the one that came in last, as the reference's counter orders them.
        for (var pad = (perStep - (exampleCount % perStep)) % perStep; pad > 0; pad--)
        {
            var least = firstSeen.AsEnumerable().Reverse().MinBy(example => uses[example]);
            padded.Add(least);
            uses[least]++;
        }

        order = [.. padded];
    }
}
