using System.Runtime.InteropServices;

namespace Hone.Engine;

/// <summary>One token to compute: where its keys and values go, its position in the sequence, its id, and whether its logits are wanted.</summary>
internal readonly record struct InferenceRow(KeyValueSegment Segment, int Position, int Token, bool WantLogits);

/// <summary>Adjacent rows of one segment, and the range of <see cref="InferenceScratch.Blocks"/> that holds their whole past.</summary>
internal readonly record struct InferenceRun(int FirstRow, int Count, int FirstPosition, KeyValueSegment Segment, int FirstBlock, int BlockCount);

/// <summary>
/// A piece of a run's past: keys and values of <paramref name="Count"/> positions from <paramref name="Position"/> on, at the start of a block.
/// </summary>
internal readonly record struct ContextBlock(FloatBuffer Memory, int Position, int Count);

/// <summary>Working memory of one worker thread.</summary>
internal abstract class InferenceScratch : IDisposable
{
    private readonly ModelConfig _config;
    private readonly int[] _slotOfRow;
    private NativeBuffer? _logits;

    private protected InferenceScratch(ModelConfig config, int maxRows, int maxPositions)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxRows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxPositions);
        (_config, MaxRows, MaxPositions) = (config, maxRows, maxPositions);
        _slotOfRow = new int[maxRows];
        Runs = new InferenceRun[maxRows];
        Rotary = RopeFrequencies.TableOf(config);
    }

    /// <summary>Most rows of one step.</summary>
    public int MaxRows { get; }

    /// <summary>Longest sequence, in tokens.</summary>
    public int MaxPositions { get; }

    internal InferenceRun[] Runs { get; }

    internal int RunCount { get; set; }

    /// <summary>The pasts of all runs, each in position order.</summary>
    internal List<ContextBlock> Blocks { get; } = [];

    internal RotaryTable Rotary { get; }

    /// <summary>Logits of the last step [rows that wanted them, V].</summary>
    internal NativeBuffer AllLogits => _logits!;

    /// <summary>Makes the angles of positions up to <paramref name="end"/> available: more than needed, so that it seldom happens.</summary>
    internal void EnsureRotary(int end)
    {
        const int Block = 512;
        if (end > Rotary.Positions) Rotary.Ensure(Math.Min(MaxPositions, (end + Block - 1) / Block * Block));
    }

    /// <summary>
    /// Logits [V] of the <paramref name="index"/>-th row of the last step; that row must have asked for them. Overwritten by the next step.
    /// </summary>
    public Span<float> Logits(int index)
    {
        var slot = _slotOfRow[index];
        if (slot < 0) throw new InvalidOperationException($"Row {index} of the last step did not ask for logits.");
        return _logits!.Span.Slice(slot * _config.VocabularySize, _config.VocabularySize);
    }

    public virtual void Dispose()
    {
        _logits?.Dispose();
        Rotary.Dispose();
    }

    internal ReadOnlySpan<ContextBlock> BlocksOf(in InferenceRun run) => CollectionsMarshal.AsSpan(Blocks).Slice(run.FirstBlock, run.BlockCount);

    internal void SetSlot(int row, int slot) => _slotOfRow[row] = slot;

    internal NativeBuffer ReserveLogits(int count) => NativeBuffer.EnsureCapacity(ref _logits, (long)count * _config.VocabularySize);
}
