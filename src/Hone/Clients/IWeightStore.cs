namespace Hone;

/// <summary>A model whose weights can be written down: a service of its chat client.</summary>
public interface IWeightStore
{
    /// <summary>Writes the weights, in the layout that the model's loader reads, to a directory; an existing one is replaced as a whole.</summary>
    Task SaveWeightsAsync(string directory, CancellationToken cancellationToken = default);
}
