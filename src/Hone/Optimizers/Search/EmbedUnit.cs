using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone.Optimizers;

/// <summary>Vectors of length 1, in the order of their texts.</summary>
internal sealed record Vectors(float[][] Values);

/// <summary>Embeds texts, as many as go into one request. The model is part of a run's identity, so that the texts are all that the vectors depend on.</summary>
internal sealed class EmbedUnit(IEmbeddingGenerator<string, Embedding<float>> embeddings, string[] texts) : Unit<Vectors>("embed|" + KeyOf(texts))
{
    public override string Kind => "embed";

    /// <summary>Requests for embeddings are not seen by budgets of calls.</summary>
    public override ImmutableSortedDictionary<string, Usage> UsageByRole => ImmutableSortedDictionary<string, Usage>.Empty;

    public override async Task ExecuteAsync(CancellationToken cancellationToken) =>
        Outcome = new Vectors(await Knn.EmbedAsync(embeddings, texts, cancellationToken).ConfigureAwait(false));

    public override void Save(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("vectors");
        foreach (var vector in Result.Values)
            json.WriteBase64StringValue(MemoryMarshal.AsBytes<float>(vector));
        json.WriteEndArray();
        json.WriteEndObject();
    }

    public override void Load(JsonElement saved) => Outcome = new Vectors(
        [.. saved.GetProperty("vectors").EnumerateArray().Select(vector => MemoryMarshal.Cast<byte, float>(vector.GetBytesFromBase64()).ToArray())]);

    private static string KeyOf(string[] texts)
    {
        var all = new StringBuilder();
        foreach (var text in texts)
        {
            JsonText.WriteString(all, text);
            all.Append('\n');
        }

        return CandidateKeys.Digest(all);
    }
}
