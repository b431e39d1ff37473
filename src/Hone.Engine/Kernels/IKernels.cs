namespace Hone.Engine;

/// <summary>
/// The arithmetic of training, one operation on a whole microbatch at a time: the seam to the hardware. All addresses are those of memory that
/// <see cref="Allocate"/> gave, and mean nothing to other kernels. Matrices are row-major float32. Operations run in the order of the calls, and may
/// return before they are done; <see cref="CopyOut"/> and <see cref="SumOfSquares"/> wait. <see cref="CpuKernels"/> is the reference.
/// </summary>
internal unsafe interface IKernels
{
    /// <summary>What computes, for reports.</summary>
    string Name { get; }

    /// <summary>Whether addresses are those of host memory, so that any <see cref="NativeBuffer"/> will do and nothing needs copying.</summary>
    bool IsHost { get; }

    /// <summary>Rows of a microbatch that keep the hardware busy and fit its memory.</summary>
    int MicrobatchRows { get; }

    /// <summary>Most logits to hold at a time, in floats.</summary>
    long MaxLogits { get; }

    FloatBuffer Allocate(long length);

    void Zero(float* target, long length);

    void CopyIn(ReadOnlySpan<float> source, float* target);

    void CopyOut(float* source, Span<float> target);

    void Copy(float* source, float* target, long length);

    /// <summary>target[rows, columns] = source[rows, columns], each with a row stride.</summary>
    void CopyRows(int rows, int columns, float* source, nint sourceStride, float* target, nint targetStride);

    /// <summary>target += source.</summary>
    void Add(float* target, float* source, long length);

    /// <summary>target[columns] += sum over rows of source[rows, columns]: the gradient of a bias.</summary>
    void AddColumnSums(int rows, int columns, float* source, nint stride, float* target);

    /// <summary>Floats that the packed form of a weight takes; 0 where the kernels read weights as they are.</summary>
    long PackedLength(int outputs, int inputs);

    /// <summary>Fills <see cref="Projection.Packed"/>. Called after every change of the matrix.</summary>
    void Pack(in Projection weight);

    /// <summary>Y [rows, outputs] = initial + X [rows, inputs] · Wᵀ. The initial value is 0, a bias (stride 0) or a matrix (Y too).</summary>
    void Project(int rows, float* x, in Projection weight, float* y, float* initial = null, nint initialStride = 0);

    /// <summary>dX [rows, inputs] = dY [rows, outputs] · W.</summary>
    void ProjectBack(int rows, float* dy, in Projection weight, float* dx);

    /// <summary>dW [outputs, inputs] += dYᵀ · X; rows of dY are <paramref name="stride"/> apart.</summary>
    void AddWeightGradient(int rows, int outputs, int inputs, float* dy, nint stride, float* x, float* dw);

    /// <summary>target [outputs, inputs] += scale · B A.</summary>
    void AddLowRank(in LowRankUpdate update, float* target);

    /// <summary>Floats of scratch memory that <see cref="AddLowRankGradient"/> needs.</summary>
    long LowRankScratch(in LowRankUpdate update, int rows);

    /// <summary>For y = x (W + s B A)ᵀ: dB += s dYᵀ (X Aᵀ), dA += s (dY B)ᵀ X; rows of dY are <paramref name="stride"/> apart.</summary>
    void AddLowRankGradient(in LowRankUpdate update, int rows, float* dy, nint stride, float* x, float* dDown, float* dUp, float* scratch);

    /// <summary>y = x · s · weight with s = 1 / sqrt(mean(x²) + epsilon), which goes to <paramref name="inverses"/>. y may be x.</summary>
    void RmsNorm(in NormRows shape, float* x, float* weight, float* y, float* inverses, float epsilon);

    /// <summary>
    /// dx (+)= s · (dy · weight) − x · s³ · mean(dy · weight · x), with dy's stride at x's rows; dweight += dy · x · s unless it is null. dx may be dy
    /// where nothing is accumulated.
    /// </summary>
    void RmsNormBackward(in NormRows shape, float* dy, float* x, float* weight, float* inverses, float* dx, float* dweight, bool accumulate);

    /// <summary>
    /// Rotary embedding of the first <paramref name="heads"/> heads of every row at its position; tables are [positions, width / 2]. Direction −1 turns
    /// back.
    /// </summary>
    void Rotate(int rows, int heads, int width, float* x, nint stride, int* positions, float* cosines, float* sines, float direction);

    /// <summary>y [rows, width] = silu(gate) · up, from [rows, 2 · width] with gate and up side by side.</summary>
    void SwiGlu(int rows, int width, float* gateUp, float* y);

    /// <summary>Gradients of gate and up, side by side.</summary>
    void SwiGluBackward(int rows, int width, float* gateUp, float* dy, float* dGateUp);

    /// <summary>Attention of one layer shape over packed prefix trees, with scratch memory of its own: one per thread.</summary>
    IBlockAttention CreateAttention(int headCount, int keyValueHeadCount, int headWidth);

    /// <summary>Stores the keys and values of rows [rows, (H + 2K) · width], one place each.</summary>
    void StoreInPages(int rows, in PageShape shape, float* fused, KeyValuePage* places);

    /// <summary>Attention output [rows, H · width] of rows whose keys and values, their own too, are in pages.</summary>
    void AttendToPages(in PagedRows rows, in PageShape shape, float* fused, float* output);

    /// <summary>target [rows, width] = table[tokens].</summary>
    void Gather(int rows, int width, float* table, int* tokens, float* target);

    /// <summary>table[tokens] += source [rows, width].</summary>
    void AddToTable(int width, in TokenRows rows, float* source, float* table);

    /// <summary>ln Σ e^z and entropy −Σ p ln p of every row of logits [rows, width], z = scale · logit.</summary>
    void SoftmaxStatistics(int rows, int width, float* logits, float scale, float* logSums, float* entropies);

    /// <summary>scale · logit − log-sum of every target. <paramref name="logSums"/> begins at the matrix's first row.</summary>
    void PickLogProbs(in TargetList targets, int width, float* logits, float scale, float* logSums, float* logProbs);

    /// <summary>logits ← −weight · scale · softmax(scale · logits), with a weight per row.</summary>
    void SoftmaxGradient(int rows, int width, float* logits, float scale, float* logSums, float* weights);

    /// <summary>logits[row, token] += scale · value for every target.</summary>
    void AddAtTargets(in TargetList targets, int width, float* logits, float scale, float* values);

    /// <summary>Sum of squares, added up in double precision.</summary>
    double SumOfSquares(float* values, long length);

    /// <summary>m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², w ← w(1 − ηλ) − η m̂ / (√v̂ + ε).</summary>
    void AdamW(float* weights, float* gradients, float* firstMoments, float* secondMoments, long length, in AdamWUpdate update);
}

/// <summary>Causal grouped-query attention of the rows of a packed batch, in which every row sees itself and what is before it on its way to the root.</summary>
internal unsafe interface IBlockAttention : IDisposable
{
    /// <summary>Sets the tree for the following passes.</summary>
    void Bind(ReadOnlySpan<RowNode> nodes);

    /// <summary>Writes output and log-sum-exp of all rows.</summary>
    void Forward(AttentionView view);

    /// <summary>Writes the gradients of queries, keys and values [rows, (H + 2K) · width], given those of the output [rows, H · width].</summary>
    void Backward(AttentionView view, float* outputGradient, float* fusedGradient);
}
