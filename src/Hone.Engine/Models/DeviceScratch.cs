using System.Runtime.InteropServices;

namespace Hone.Engine;

/// <summary>Working memory of generation through <see cref="IKernels"/>, and the description of a step in the memory of the kernels.</summary>
internal sealed unsafe class DeviceScratch : InferenceScratch
{
    private readonly IKernels _kernels;
    private readonly List<KeyValuePage> _pages = [];
    private readonly List<int> _numbers = [];
    private FloatBuffer? _described, _cosines, _sines, _logitsThere;
    private int _rotaryPositions, _rows, _wanted;

    internal DeviceScratch(ModelConfig config, IKernels kernels, int maxRows, int maxPositions)
        : base(config, maxRows, maxPositions)
    {
        _kernels = kernels;
        FloatBuffer Rows(int width) => kernels.Allocate((long)maxRows * width);
        Residual = Rows(config.HiddenSize);
        Normalized = Rows(config.HiddenSize);
        Fused = Rows(config.FusedAttentionWidth);
        Attention = Rows(config.QueryWidth);
        GateUp = Rows(2 * config.FeedForwardSize);
        Activated = Rows(config.FeedForwardSize);
        InverseNorms = Rows(Math.Max(1, config.HeadCount));
    }

    internal FloatBuffer Residual { get; }

    internal FloatBuffer Normalized { get; }

    internal FloatBuffer Fused { get; }

    internal FloatBuffer Attention { get; }

    internal FloatBuffer GateUp { get; }

    internal FloatBuffer Activated { get; }

    /// <summary>Scales of norms, which generation does not need.</summary>
    internal FloatBuffer InverseNorms { get; }

    internal float* Cosines => _kernels.IsHost ? Rotary.Cosines(0) : _cosines!.Pointer;

    internal float* Sines => _kernels.IsHost ? Rotary.Sines(0) : _sines!.Pointer;

    /// <summary>Where the keys and values of each row go.</summary>
    internal KeyValuePage* Slots => (KeyValuePage*)_described!.Pointer;

    internal PagedRows Paged => new(_rows, Positions, Positions + _rows, Positions + 2 * _rows, Slots + _rows);

    internal int* Tokens => Positions + 3 * _rows;

    /// <summary>Rows whose logits are wanted.</summary>
    internal int* Wanted => Tokens + _rows;

    internal int WantedCount => _wanted;

    private int* Positions => (int*)(Slots + _pages.Count);

    public override void Dispose()
    {
        FloatBuffer?[] buffers =
            [Residual, Normalized, Fused, Attention, GateUp, Activated, InverseNorms, _described, _cosines, _sines, _logitsThere];
        foreach (var buffer in buffers) buffer?.Dispose();
        base.Dispose();
    }

    /// <summary>Describes the step: slots of the rows and pages of the runs, then position, first page and page count of every row, and tokens.</summary>
    internal void Describe(ReadOnlySpan<InferenceRow> rows)
    {
        (_rows, _wanted) = (rows.Length, 0);
        _pages.Clear();
        _numbers.Clear();
        foreach (ref readonly var row in rows)
        {
            var index = row.Position - row.Segment.Start;
            var block = row.Segment.Block(index / KeyValuePool.BlockPositions);
            _pages.Add(new KeyValuePage((long)block.Pointer, index % KeyValuePool.BlockPositions, 1));
            _numbers.Add(row.Position);
        }

        foreach (var block in Blocks) _pages.Add(new KeyValuePage((long)block.Memory.Pointer, block.Position, block.Count));
        var runs = Runs.AsSpan(0, RunCount);
        foreach (ref readonly var run in runs) AddRepeated(run.FirstBlock, run.Count);
        foreach (ref readonly var run in runs) AddRepeated(run.BlockCount, run.Count);
        foreach (ref readonly var row in rows) _numbers.Add(row.Token);
        for (var row = 0; row < rows.Length; row++)
        {
            SetSlot(row, rows[row].WantLogits ? _wanted : -1);
            if (!rows[row].WantLogits) continue;
            _numbers.Add(row);
            _wanted++;
        }

        Upload();
    }

    /// <summary>Memory of the kernels for the logits of the wanted rows.</summary>
    internal float* LogitsThere(long length) => Ensure(ref _logitsThere, length).Pointer;

    private void AddRepeated(int value, int count)
    {
        for (var i = 0; i < count; i++) _numbers.Add(value);
    }

    private void Upload()
    {
        var pages = MemoryMarshal.Cast<KeyValuePage, float>(CollectionsMarshal.AsSpan(_pages));
        var numbers = MemoryMarshal.Cast<int, float>(CollectionsMarshal.AsSpan(_numbers));
        var target = Ensure(ref _described, pages.Length + numbers.Length).Pointer;
        _kernels.CopyIn(pages, target);
        _kernels.CopyIn(numbers, target + pages.Length);
        if (_kernels.IsHost || _rotaryPositions == Rotary.Positions) return;
        _rotaryPositions = Rotary.Positions;
        var length = _rotaryPositions * Rotary.Half;
        _kernels.CopyIn(new ReadOnlySpan<float>(Rotary.Cosines(0), length), Ensure(ref _cosines, length).Pointer);
        _kernels.CopyIn(new ReadOnlySpan<float>(Rotary.Sines(0), length), Ensure(ref _sines, length).Pointer);
    }

    private FloatBuffer Ensure(ref FloatBuffer? buffer, long length)
    {
        if (buffer is not null && buffer.Capacity >= length) return buffer;
        buffer?.Dispose();
        return buffer = _kernels.Allocate(length + length / 4);
    }
}
