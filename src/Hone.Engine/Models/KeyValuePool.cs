namespace Hone.Engine;

/// <summary>
/// Blocks of key/value memory, shared by the segments of one model. A block holds <see cref="BlockPositions"/> positions of every layer.
/// Thread-safe; returned blocks are kept for reuse.
/// </summary>
internal sealed class KeyValuePool : IDisposable
{
    /// <summary>Positions in one block; a multiple of every panel width.</summary>
    public const int BlockPositions = 64;

    private readonly Lock _lock = new();
    private readonly Stack<FloatBuffer> _free = new();
    private readonly ModelConfig _config;
    private readonly int _maxBlocks;
    private readonly IKernels _kernels;
    private int _peak;

    /// <param name="config">The model whose keys and values are stored.</param>
    /// <param name="maxBlocks">Most blocks in use at a time.</param>
    /// <param name="kernels">Where the memory is; by default the host's.</param>
    public KeyValuePool(ModelConfig config, int maxBlocks = int.MaxValue, IKernels? kernels = null) =>
        (_config, _maxBlocks, _kernels) = (config, maxBlocks, kernels ?? CpuKernels.Best);

    /// <summary>Blocks now held by segments.</summary>
    public int BlocksInUse { get; private set; }

    /// <summary>Blocks kept for reuse.</summary>
    public int FreeBlocks
    {
        get
        {
            lock (_lock)
                return _free.Count;
        }
    }

    public int MaxBlocks => _maxBlocks;

    /// <summary>Size of one block in bytes: keys and values of all layers.</summary>
    public long BytesPerBlock => BytesOfBlock(_config);

    /// <summary>As <see cref="BytesPerBlock"/>, for any model.</summary>
    public static long BytesOfBlock(ModelConfig config) => 2L * config.LayerCount * config.KeyValueWidth * BlockPositions * sizeof(float);

    internal FloatBuffer Rent()
    {
        lock (_lock)
        {
            if (BlocksInUse >= _maxBlocks)
            {
                throw new InvalidOperationException(
                    $"The key/value pool is full: {_maxBlocks} blocks of {BlockPositions} positions are in use. Release segments or raise it.");
            }

            BlocksInUse++;
            _peak = Math.Max(_peak, BlocksInUse);
            if (_free.TryPop(out var block)) return block;
        }

        return _kernels.Allocate(BytesPerBlock / sizeof(float));
    }

    internal void Return(FloatBuffer block)
    {
        lock (_lock)
        {
            BlocksInUse--;
            _free.Push(block);
        }
    }

    /// <summary>Frees the blocks that no segment holds.</summary>
    public void Trim()
    {
        lock (_lock)
        {
            while (_free.TryPop(out var block)) block.Dispose();
        }
    }

    /// <summary>
    /// Frees what was not needed since the last call: a long run's memory follows its need instead of the greatest that it ever had.
    /// </summary>
    public void TrimToPeak()
    {
        lock (_lock)
        {
            while (BlocksInUse + _free.Count > _peak && _free.TryPop(out var block)) block.Dispose();
            _peak = BlocksInUse;
        }
    }

    public void Dispose() => Trim();
}
