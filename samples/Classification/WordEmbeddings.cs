using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;

namespace Classification;

/// <summary>Embeddings without a model: words, without the commonest, hashed to places of a vector. Texts that share words are near each other.</summary>
internal sealed partial class WordEmbeddings : IEmbeddingGenerator<string, Embedding<float>>
{
    private const int Dimensions = 1024;

    private static readonly HashSet<string> Common = ["a", "an", "and", "are", "by", "can", "do", "for", "get", "has", "have", "how", "i", "in", "is", "it", "me", "my", "of", "on", "please", "that", "the", "to", "was", "with", "you"];

    /// <summary>The words of a text that mean something.</summary>
    public static IEnumerable<string> Words(string text) => Word().Matches(text.ToLowerInvariant()).Select(match => match.Value).Where(word => !Common.Contains(word));

    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        Task.FromResult(new GeneratedEmbeddings<Embedding<float>>(values.Select(Embed)));

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
    }

    private static Embedding<float> Embed(string text)
    {
        var vector = new float[Dimensions];
        foreach (var word in Words(text))
            vector[word.Aggregate(7, (hash, letter) => ((hash * 31) + letter) & 0xFFFFFF) % Dimensions]++;
        return new(vector);
    }

    [GeneratedRegex("[a-z]+")]
    private static partial Regex Word();
}
