namespace Hone.Optimizers;

/// <summary>Which examples a step of reinforcement takes.</summary>
public enum ExampleSelection
{
    /// <summary>Epochs in a shuffled order: every example equally often.</summary>
    Even,

    /// <summary>
    /// More often those whose rollouts earned different rewards the last time: neither too easy nor too hard, which is where a group teaches most (online
    /// difficulty filtering, arXiv 2504.03380). Examples not seen yet come first; none is ever given up.
    /// </summary>
    Spread,
}

/// <summary>Chooses the examples of each step.</summary>
internal interface IExampleSelector
{
    /// <summary>The examples of a step. Steps are asked for in order.</summary>
    IReadOnlyList<int> Select(int step);

    /// <summary>Tells how far the rewards of an example's rollouts lay apart: their standard deviation.</summary>
    void Observe(int example, double spread);

    /// <summary>What <see cref="Observe"/> has told, by example; null when nothing is remembered.</summary>
    IReadOnlyDictionary<int, double>? Memory { get; set; }
}
