namespace Hone.Engine;

/// <summary>
/// Causal grouped-query attention of whole runs of rows for training, as small matrix products. Queries are the rows of the last run; keys and values
/// are those of all runs, in order. The backward pass recomputes the probabilities from <see cref="AttentionView.LogSumExp"/> (Dao et al. 2022,
/// algorithm 4). Holds scratch memory: one instance per thread.
/// </summary>
internal sealed unsafe class BlockAttention(VectorKernels kernels, int headCount, int keyValueHeadCount, int headWidth) : IBlockAttention
{
    private const int QueryBlock = 48;
    private const int MaxChain = 256;

    private readonly float _scale = 1f / MathF.Sqrt(headWidth);
    private readonly int _fusedWidth = (headCount + 2 * keyValueHeadCount) * headWidth;
    private readonly int _outputWidth = headCount * headWidth;
    private RowNode[] _nodes = [];
    private NativeBuffer? _keyPanels, _valuePanels, _keys, _values, _keyGradients, _valueGradients, _probabilities, _gradients;

    public void Bind(ReadOnlySpan<RowNode> nodes) => _nodes = nodes.ToArray();

    public void Forward(AttentionView view)
    {
        Span<RowRun> chain = stackalloc RowRun[MaxChain];
        foreach (var node in _nodes) Forward(view, Chain(node, chain));
    }

    public void Backward(AttentionView view, float* outputGradient, float* fusedGradient)
    {
        var rows = _nodes.Length == 0 ? 0 : _nodes[^1].Start + _nodes[^1].Length;
        new Span<float>(fusedGradient, rows * _fusedWidth).Clear();
        Span<RowRun> chain = stackalloc RowRun[MaxChain];
        foreach (var node in _nodes) Backward(view, Chain(node, chain), outputGradient, fusedGradient);
    }

    /// <summary>Writes output and log-sum-exp of the last run's rows.</summary>
    public void Forward(AttentionView view, ReadOnlySpan<RowRun> runs)
    {
        var context = ContextLength(runs);
        var queries = runs[^1];
        Reserve(context, backward: false);
        for (var head = 0; head < keyValueHeadCount; head++)
        {
            var keys = Gather(view.Fused + KeyColumn(head), runs, context, _keys!);
            var values = Gather(view.Fused + ValueColumn(head), runs, context, _values!);
            kernels.PackTransposed(keys.Data, keys.RowStride, context, headWidth, _keyPanels!.Pointer);
            var group = headCount / keyValueHeadCount;
            for (var query = head * group; query < (head + 1) * group; query++)
            {
                for (var first = 0; first < queries.Length; first += QueryBlock)
                    ForwardBlock(view, query, queries, first, Math.Min(QueryBlock, queries.Length - first), context, values);
            }
        }
    }

    /// <summary>
    /// Given d loss / d output of the last run's rows, writes their query gradients into <paramref name="fusedGradient"/> [rows, (H + 2K) · width]
    /// and adds to the key and value gradients of all runs there.
    /// </summary>
    public void Backward(AttentionView view, ReadOnlySpan<RowRun> runs, float* outputGradient, float* fusedGradient)
    {
        var context = ContextLength(runs);
        var queries = runs[^1];
        var inPlace = runs.Length == 1;
        Reserve(context, backward: true);
        for (var head = 0; head < keyValueHeadCount; head++)
        {
            var keys = Gather(view.Fused + KeyColumn(head), runs, context, _keys!);
            var values = Gather(view.Fused + ValueColumn(head), runs, context, _values!);
            kernels.PackTransposed(keys.Data, keys.RowStride, context, headWidth, _keyPanels!.Pointer);
            kernels.PackTransposed(values.Data, values.RowStride, context, headWidth, _valuePanels!.Pointer);
            var keyGradients = inPlace ? At(fusedGradient + KeyColumn(head), queries.Start) : Cleared(_keyGradients!, context);
            var valueGradients = inPlace ? At(fusedGradient + ValueColumn(head), queries.Start) : Cleared(_valueGradients!, context);
            var group = headCount / keyValueHeadCount;
            for (var query = head * group; query < (head + 1) * group; query++)
            {
                for (var first = 0; first < queries.Length; first += QueryBlock)
                {
                    var count = Math.Min(QueryBlock, queries.Length - first);
                    var block = new QueryRows(query, queries.Start + first, count, context - queries.Length + first);
                    BackwardBlock(view, block, context, keys, outputGradient, fusedGradient, keyGradients, valueGradients);
                }
            }

            if (inPlace) continue;
            Scatter(keyGradients, runs, fusedGradient + KeyColumn(head));
            Scatter(valueGradients, runs, fusedGradient + ValueColumn(head));
        }
    }

    public void Dispose()
    {
        NativeBuffer?[] scratch = [_keyPanels, _valuePanels, _keys, _values, _keyGradients, _valueGradients, _probabilities, _gradients];
        foreach (var buffer in scratch) buffer?.Dispose();
    }

    // The runs of rows from the root to the node.
    private ReadOnlySpan<RowRun> Chain(RowNode node, Span<RowRun> chain)
    {
        var count = 0;
        for (var current = node; ; current = _nodes[current.Parent])
        {
            if (count == chain.Length)
                throw new NotSupportedException($"A prefix tree deeper than {MaxChain} nodes is not supported; plan without shared prefixes.");
            chain[count++] = new RowRun(current.Start, current.Length);
            if (current.Parent < 0) break;
        }

        chain[..count].Reverse();
        return chain[..count];
    }

    private void ForwardBlock(AttentionView view, int query, RowRun queries, int first, int count, int context, MatrixView values)
    {
        var stride = kernels.RoundUp(context);
        var before = context - queries.Length + first;
        var visible = before + count;
        nint row = queries.Start + first;
        var scores = _probabilities!.Pointer;
        var output = view.Output + row * _outputWidth + query * headWidth;
        Scores(view.Fused + row * _fusedWidth + query * headWidth, _fusedWidth, count, visible, _keyPanels!, scores, stride);
        var sums = stackalloc float[QueryBlock];
        for (var i = 0; i < count; i++)
        {
            var line = scores + (nint)i * stride;
            (var maximum, sums[i]) = kernels.ExpOfScores(line, before + i + 1, _scale);
            view.LogSumExp[(row + i) * headCount + query] = maximum + MathF.Log(sums[i]);
            ClearFuture(line, before + i + 1, visible);
        }

        kernels.Multiply(count, headWidth, visible, new MatrixView(scores, stride), kernels.RowMajor(values.Data, values.RowStride), output,
            _outputWidth);
        for (var i = 0; i < count; i++) kernels.Scale(output + (nint)i * _outputWidth, 1f / sums[i], headWidth);
    }

    private void BackwardBlock(
        AttentionView view, QueryRows block, int context, MatrixView keys, float* outputGradient, float* fusedGradient, MatrixView keyGradients,
        MatrixView valueGradients)
    {
        var stride = kernels.RoundUp(context);
        var visible = block.Before + block.Count;
        float* p = _probabilities!.Pointer, dp = _gradients!.Pointer;
        nint row = block.FirstRow;
        var query = view.Fused + row * _fusedWidth + block.Head * headWidth;
        var output = view.Output + row * _outputWidth + block.Head * headWidth;
        var dOutput = outputGradient + row * _outputWidth + block.Head * headWidth;
        Scores(query, _fusedWidth, block.Count, visible, _keyPanels!, p, stride);
        Scores(dOutput, _outputWidth, block.Count, visible, _valuePanels!, dp, stride);
        for (var i = 0; i < block.Count; i++)
        {
            float* lineP = p + (nint)i * stride, lineGradient = dp + (nint)i * stride;
            var length = block.Before + i + 1;
            kernels.ExpShifted(lineP, length, _scale, view.LogSumExp[(row + i) * headCount + block.Head]);
            var mean = kernels.Dot(dOutput + (nint)i * _outputWidth, output + (nint)i * _outputWidth, headWidth);
            kernels.SoftmaxBackward(lineP, lineGradient, length, mean, _scale);
            ClearFuture(lineP, length, visible);
            ClearFuture(lineGradient, length, visible);
        }

        // dQ = dS K;  dK += dSᵀ Q;  dV += Pᵀ dO.
        kernels.Multiply(
            block.Count, headWidth, visible, new MatrixView(dp, stride), kernels.RowMajor(keys.Data, keys.RowStride),
            fusedGradient + row * _fusedWidth + block.Head * headWidth, _fusedWidth);
        kernels.Multiply(
            visible, headWidth, block.Count, new MatrixView(dp, 1, stride), kernels.RowMajor(query, _fusedWidth),
            keyGradients.Data, keyGradients.RowStride, keyGradients.Data, keyGradients.RowStride);
        kernels.Multiply(
            visible, headWidth, block.Count, new MatrixView(p, 1, stride), kernels.RowMajor(dOutput, _outputWidth),
            valueGradients.Data, valueGradients.RowStride, valueGradients.Data, valueGradients.RowStride);
    }

    // Whole panels: the columns past the visible ones are computed and never looked at.
    private void Scores(float* queries, nint stride, int count, int visible, NativeBuffer panels, float* scores, nint scoreStride) =>
        kernels.Multiply(
            count, kernels.RoundUp(visible), headWidth, new MatrixView(queries, stride), kernels.Packed(panels.Pointer, headWidth), scores,
            scoreStride);

    private static void ClearFuture(float* line, int length, int visible) => new Span<float>(line + length, visible - length).Clear();

    private static int ContextLength(ReadOnlySpan<RowRun> runs)
    {
        var length = 0;
        foreach (var run in runs) length += run.Length;
        return length;
    }

    private int KeyColumn(int head) => (headCount + head) * headWidth;

    private int ValueColumn(int head) => (headCount + keyValueHeadCount + head) * headWidth;

    private MatrixView At(float* column, int row) => new(column + (nint)row * _fusedWidth, _fusedWidth);

    private MatrixView Cleared(NativeBuffer buffer, int context)
    {
        buffer.Span[..(context * headWidth)].Clear();
        return new MatrixView(buffer.Pointer, headWidth);
    }

    private MatrixView Gather(float* column, ReadOnlySpan<RowRun> runs, int context, NativeBuffer buffer)
    {
        if (runs.Length == 1) return At(column, runs[0].Start);
        var target = buffer.Pointer;
        foreach (var run in runs)
        {
            for (var i = 0; i < run.Length; i++, target += headWidth)
                new ReadOnlySpan<float>(column + (nint)(run.Start + i) * _fusedWidth, headWidth).CopyTo(new Span<float>(target, headWidth));
        }

        return new MatrixView(buffer.Pointer, headWidth);
    }

    private void Scatter(MatrixView source, ReadOnlySpan<RowRun> runs, float* column)
    {
        var from = source.Data;
        foreach (var run in runs)
        {
            for (var i = 0; i < run.Length; i++, from += headWidth) kernels.Add(column + (nint)(run.Start + i) * _fusedWidth, from, headWidth);
        }
    }

    private void Reserve(int context, bool backward)
    {
        var padded = (long)kernels.RoundUp(context);
        NativeBuffer.EnsureCapacity(ref _keyPanels, padded * headWidth);
        NativeBuffer.EnsureCapacity(ref _keys, padded * headWidth);
        NativeBuffer.EnsureCapacity(ref _values, padded * headWidth);
        NativeBuffer.EnsureCapacity(ref _probabilities, QueryBlock * padded);
        if (!backward) return;
        NativeBuffer.EnsureCapacity(ref _valuePanels, padded * headWidth);
        NativeBuffer.EnsureCapacity(ref _keyGradients, padded * headWidth);
        NativeBuffer.EnsureCapacity(ref _valueGradients, padded * headWidth);
        NativeBuffer.EnsureCapacity(ref _gradients, QueryBlock * padded);
    }

    /// <summary>Adjacent rows of one query head; <paramref name="Before"/> positions precede the first.</summary>
    private readonly record struct QueryRows(int Head, int FirstRow, int Count, int Before);
}
