using System.Collections.Immutable;
using Hone;

namespace Classification;

/// <summary>Messages of customers with their intents, from a file in the format of Banking77: columns text and category.</summary>
/// <param name="Train">To show as examples.</param>
/// <param name="Test">To score by.</param>
internal sealed record Intents(IReadOnlyList<Example<FieldMap, FieldMap>> Train, IReadOnlyList<Example<FieldMap, FieldMap>> Test)
{
    /// <summary>At most so many rows of a file, drawn by a seed, one half for each purpose.</summary>
    public static async Task<Intents> ReadAsync(string path, int count, CancellationToken cancellationToken)
    {
        var rows = await Corpus.Banking77.ReadAsync(path, cancellationToken).ToListAsync(cancellationToken);
        var drawn = Sampling.Sample(rows, Math.Min(count, rows.Count), seed: 1);
        return new(drawn[..(drawn.Length / 2)], drawn[(drawn.Length / 2)..]);
    }

    /// <summary>The task. Categories are literals: an answer that is none of them is asked for again.</summary>
    public Signature ToSignature()
    {
        ImmutableArray<object?> categories = [.. Train.Concat(Test).Select(row => row.Expected["category"]).Distinct().Order()];
        return new(
            [new("text", FieldType.String, FieldDirection.Input), new("category", FieldType.LiteralOf(categories), FieldDirection.Output)],
            "Name the intent of the customer's message.");
    }
}
