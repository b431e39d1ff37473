namespace Hone.Engine;

/// <summary>A run of adjacent rows, part of the context of some queries.</summary>
internal readonly record struct RowRun(int Start, int Length);

/// <summary>
/// A run of rows of a packed batch and the index of the run that it continues (−1: it begins a text). Runs come in the order of their rows, each
/// parent before its children and next to all that descend from it, so that what a row is seen by are the rows up to the end of its subtree.
/// </summary>
internal readonly record struct RowNode(int Start, int Length, int Parent);

/// <summary>
/// Where the activations of one layer lie, rows × columns. Query head h of a row is at column h · head width; keys and values follow.
/// </summary>
internal readonly unsafe struct AttentionView(float* fused, float* output, float* logSumExp)
{
    /// <summary>Rotated queries and keys, and values: [rows, (H + 2K) · width].</summary>
    public readonly float* Fused = fused;

    /// <summary>[rows, H · width].</summary>
    public readonly float* Output = output;

    /// <summary>ln Σ e^score per row and query head: [rows, H].</summary>
    public readonly float* LogSumExp = logSumExp;
}

/// <summary>
/// The weight [outputs, inputs] of a linear map, row-major, and beside it the form in which the kernels read it in the forward pass, if they have one
/// (<see cref="IKernels.PackedLength"/>).
/// </summary>
internal readonly unsafe struct Projection(float* matrix, float* packed, int outputs, int inputs, FrozenMatrix? frozen = null)
{
    /// <summary>Instead of both where the host computes with a weight that is not trained.</summary>
    public readonly FrozenMatrix? Frozen = frozen;

    public readonly float* Matrix = matrix;
    public readonly float* Packed = packed;
    public readonly int Outputs = outputs;
    public readonly int Inputs = inputs;
}

/// <summary>The low-rank update scale · B A of a weight: A [rank, inputs] and B [outputs, rank], row-major.</summary>
internal readonly unsafe struct LowRankUpdate(float* down, float* up, int outputs, int inputs, int rank, float scale)
{
    public readonly float* Down = down;
    public readonly float* Up = up;
    public readonly int Outputs = outputs;
    public readonly int Inputs = inputs;
    public readonly int Rank = rank;
    public readonly float Scale = scale;
}

/// <summary>
/// Rows to be RMS-normalized in groups of adjacent columns: vector (row, group) of x begins at <c>Index(row) · XStride + group · Width</c>, that of y
/// at <c>row · YStride + group · Width</c>; its scale is number <c>row · InverseStride + group</c>.
/// </summary>
internal readonly unsafe struct NormRows(int rows, int groups, int width, nint xStride, nint yStride, int inverseStride, int* index = null)
{
    public readonly int Rows = rows;
    public readonly int Groups = groups;
    public readonly int Width = width;
    public readonly nint XStride = xStride;
    public readonly nint YStride = yStride;
    public readonly int InverseStride = inverseStride;

    /// <summary>Which rows of x; null for all in order. Each at most once.</summary>
    public readonly int* Index = index;

    /// <summary>Whole rows of a matrix.</summary>
    public static NormRows Of(int rows, int width) => new(rows, 1, width, width, width, 1);
}

/// <summary>Tokens that rows of a matrix of logits predict, ordered by row; a row may predict several.</summary>
internal readonly unsafe struct TargetList(int* rows, int* tokens, int count, int firstRow)
{
    public readonly int* Rows = rows;
    public readonly int* Tokens = tokens;
    public readonly int Count = count;

    /// <summary>Number of the matrix's first row.</summary>
    public readonly int FirstRow = firstRow;
}

/// <summary>Tokens of rows, and the rows ordered by token (rows of one token ascending; null where the kernels are the host's).</summary>
internal readonly unsafe struct TokenRows(int* tokens, int* order, int count)
{
    public readonly int* Tokens = tokens;
    public readonly int* Order = order;
    public readonly int Count = count;
}

/// <summary>
/// A block of memory for keys and values: of <paramref name="Count"/> positions of a text from <paramref name="Position"/> on, at the block's start; or,
/// to say where one row's go, the number of the place within the block.
/// </summary>
internal readonly record struct KeyValuePage(long Address, int Position, int Count);

/// <summary>
/// Layout of a block: for every layer and key head keys [<paramref name="BlockPositions"/>, width], then values of the same shape.
/// </summary>
internal readonly record struct PageShape(int Layer, int Heads, int KeyHeads, int Width, int BlockPositions)
{
    /// <summary>Where the keys of a head begin.</summary>
    public long KeysOf(int head) => ((long)Layer * KeyHeads + head) * 2 * BlockPositions * Width;
}

/// <summary>Rows that attend to pages: row i, at its position, to the part up to that position of its pages.</summary>
internal readonly unsafe struct PagedRows(int count, int* positions, int* firstPages, int* pageCounts, KeyValuePage* pages)
{
    public readonly int Count = count;
    public readonly int* Positions = positions;
    public readonly int* FirstPages = firstPages;
    public readonly int* PageCounts = pageCounts;
    public readonly KeyValuePage* Pages = pages;
}
