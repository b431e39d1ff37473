using System.Security.Cryptography;
using System.Text;

namespace Hone.Optimizers;

/// <summary>Examples under a name that journals know them by.</summary>
/// <param name="Name"><c>train</c>, <c>validation</c> or <c>test</c>.</param>
/// <param name="Examples">The examples.</param>
/// <param name="KeepsSteps">True when the search looks at what predictors did on them.</param>
internal sealed record SearchSet<TIn, TOut>(string Name, IReadOnlyList<Example<TIn, TOut>> Examples, bool KeepsSteps)
{
    /// <summary>What journaled runs know the set by: its name, where the run's identity says which examples it has.</summary>
    public string Key { get; init; } = Name;

    public int Count => Examples.Count;

    /// <summary>All positions.</summary>
    public IReadOnlyList<int> All => [.. Enumerable.Range(0, Count)];

    /// <summary>Digest of all that programs are given and metrics look at.</summary>
    public string Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var example in Examples)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{ValueText.Of(example.Input)}\u0001{ValueText.Of(example.Expected)}\u0002"));
            if (example.Labels.Count > 0)
                hash.AppendData(Encoding.UTF8.GetBytes($"{JsonText.Write(example.Labels)}\u0003"));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
