namespace Hone.Optimizers;

/// <summary>Examples under a name that journals know them by.</summary>
/// <param name="Name"><c>train</c>, <c>validation</c> or <c>test</c>.</param>
/// <param name="Examples">The examples.</param>
/// <param name="KeepsSteps">True when the search looks at what predictors did on them.</param>
internal sealed record SearchSet<TIn, TOut>(string Name, IReadOnlyList<Example<TIn, TOut>> Examples, bool KeepsSteps)
{
    public int Count => Examples.Count;

    /// <summary>All positions.</summary>
    public IReadOnlyList<int> All => [.. Enumerable.Range(0, Count)];
}
