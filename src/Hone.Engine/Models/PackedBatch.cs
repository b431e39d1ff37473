namespace Hone.Engine;

/// <summary>A training text. Positions t ≥ <paramref name="CompletionStart"/> (at least 1) are predicted from t − 1.</summary>
internal readonly record struct TrainingSequence(int[] Tokens, int CompletionStart);

/// <summary>A run of rows whose context is the chain of its parents; <paramref name="Parent"/> is −1 for a root and comes earlier otherwise.</summary>
internal readonly record struct PackedNode(int Start, int Length, int Parent, int FirstPosition);

/// <summary>One token to predict: from which row, and which completion token of which sequence (index into the planned list) it is.</summary>
internal readonly record struct PackedTarget(int Row, int Token, int Sequence, int CompletionIndex);

/// <summary>A microbatch as a prefix tree: token prefixes that sequences share are computed once.</summary>
internal sealed class PackedBatch
{
    /// <summary>Token of every row.</summary>
    public required int[] Tokens { get; init; }

    /// <summary>Position of every row in its sequence.</summary>
    public required int[] Positions { get; init; }

    public required IReadOnlyList<PackedNode> Nodes { get; init; }

    public required IReadOnlyList<PackedTarget> Targets { get; init; }

    /// <summary>Indices of the sequences in this batch, into the list given to <see cref="Plan"/>.</summary>
    public required IReadOnlyList<int> Sequences { get; init; }

    public int RowCount => Tokens.Length;

    /// <summary>Splits sequences into batches of about <paramref name="rowBudget"/> rows; the result depends on the arguments only.</summary>
    public static IReadOnlyList<PackedBatch> Plan(IReadOnlyList<TrainingSequence> sequences, int rowBudget, bool sharePrefixes = true) =>
        throw new NotImplementedException();
}
