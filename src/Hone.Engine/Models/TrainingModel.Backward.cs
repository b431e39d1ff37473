namespace Hone.Engine;

internal sealed unsafe partial class TrainingModel
{
    /// <summary>
    /// Adds to the lane's gradient, given d loss / d log-probability per target of the batch that the lane scored last (0 leaves a target out). The
    /// activations are used up: score again before another backward pass.
    /// </summary>
    public void Backward(TrainingLane lane, PackedBatch batch, ReadOnlySpan<float> gradientOfLogProb)
    {
        CheckBatch(batch, gradientOfLogProb.Length, nameof(gradientOfLogProb));
        var space = lane.Workspace;
        if (!ReferenceEquals(space.Batch, batch))
            throw new InvalidOperationException(
                "The lane does not hold this batch's activations; call ForwardScore with the same lane and batch first.");
        space.Batch = null;
        if (batch.Targets.Count == 0) return;
        space.Gradient.Span[..(batch.RowCount * Config.HiddenSize)].Clear();
        BackwardHead(lane, batch, gradientOfLogProb);
        for (var index = Config.LayerCount - 1; index >= 0; index--)
        {
            BackwardFeedForward(lane, batch, index);
            BackwardAttention(lane, batch, index);
        }

        if (Adapter is null) ScatterEmbedding(lane, batch);
        GC.KeepAlive(this);
    }

    private void BackwardFeedForward(TrainingLane lane, PackedBatch batch, int index)
    {
        var (space, names) = (lane.Workspace, new ParameterNames(index));
        var layer = space.Layers[index];
        int rows = batch.RowCount, hidden = Config.HiddenSize, inner = Config.FeedForwardSize;
        float* gradient = space.Gradient.Pointer, branch = space.BranchGradient.Pointer, wide = space.WideGradient.Pointer;

        BackwardInput(names.Down, gradient, hidden, hidden, branch, inner, rows);
        BackwardWeight(lane, names.Down, gradient, hidden, layer.Activated.Pointer, inner, rows);
        for (var row = 0; row < rows; row++)
        {
            float* gate = layer.GateUp.Pointer + (nint)row * 2 * inner, target = wide + (nint)row * 2 * inner;
            _kernels.SwiGluBackward(gate, gate + inner, branch + (nint)row * inner, target, target + inner, inner);
        }

        BackwardInput(names.Gate, wide, 2 * inner, 2 * inner, branch, hidden, rows);
        BackwardWeights(lane, [names.Gate, names.Up], wide, 2 * inner, layer.FeedForwardInput.Pointer, hidden, rows);
        BackwardNorm(lane, names.FeedForwardNorm, _packed.Layers[index].FeedForwardNorm, branch, layer.Middle, layer.InverseNorms.Pointer + rows,
            rows);
    }

    private void BackwardAttention(TrainingLane lane, PackedBatch batch, int index)
    {
        var (space, names) = (lane.Workspace, new ParameterNames(index));
        var layer = space.Layers[index];
        int rows = batch.RowCount, hidden = Config.HiddenSize, fused = Config.FusedAttentionWidth;
        float* gradient = space.Gradient.Pointer, branch = space.BranchGradient.Pointer, fusedGradient = space.FusedGradient.Pointer;

        BackwardInput(names.Output, gradient, hidden, hidden, branch, Config.QueryWidth, rows);
        BackwardWeight(lane, names.Output, gradient, hidden, layer.Attention.Pointer, Config.QueryWidth, rows);

        space.FusedGradient.Span[..(rows * fused)].Clear();
        var view = new AttentionView(layer.Fused.Pointer, layer.Attention.Pointer, layer.LogSumExp.Pointer);
        Span<RowRun> chain = stackalloc RowRun[MaxChain];
        foreach (var node in batch.Nodes) space.Attention.Backward(view, Chain(batch, node, chain), branch, fusedGradient);
        RotateHeads(space, batch, fusedGradient, direction: -1f);
        if (Config.QueryKeyNorm) BackwardHeadNorms(lane, index, rows);
        if (Config.AttentionBias && Adapter is null)
            _kernels.AddColumnSums(fusedGradient, fused, rows, fused, lane.GradientPointer + Weights.Tensor(names.Query + ".bias").Offset);

        BackwardWeights(lane, [names.Query, names.Key, names.Value], fusedGradient, fused, layer.AttentionInput.Pointer, hidden, rows);
        if (index == 0 && Adapter is not null) return; // Nothing below is trained.
        BackwardInput(names.Query, fusedGradient, fused, fused, branch, hidden, rows);
        BackwardNorm(lane, names.AttentionNorm, _packed.Layers[index].AttentionNorm, branch, layer.Input, layer.InverseNorms.Pointer, rows);
    }

    // dX [rows, inputs] = dY [rows, outputs] · W, where W begins at the named projection (and takes in those that follow it, where outputs says so).
    private void BackwardInput(string projection, float* outputGradient, int stride, int outputs, float* inputGradient, int inputs, int rows) =>
        _kernels.Multiply(
            rows, inputs, outputs, new MatrixView(outputGradient, stride), _kernels.RowMajor(_effective.Pointer(projection + ".weight"), inputs),
            inputGradient, inputs);

    private void BackwardWeight(TrainingLane lane, string projection, float* outputGradient, int stride, float* input, int inputs, int rows) =>
        BackwardWeights(lane, [projection], outputGradient, stride, input, inputs, rows);

    // Projections that share their input lie side by side, in dY and in the parameters.
    private void BackwardWeights(
        TrainingLane lane, ReadOnlySpan<string> projections, float* outputGradient, int stride, float* input, int inputs, int rows)
    {
        if (Adapter is null)
        {
            var first = Weights.Tensor(projections[0] + ".weight");
            AddWeightGradient(lane, first with { Shape = [stride, inputs] }, outputGradient, stride, input, inputs, rows);
            return;
        }

        foreach (var projection in projections)
        {
            if (Adapter.Targets(projection)) AddLowRankGradient(lane, projection, outputGradient, stride, input, inputs, rows);
            outputGradient += Weights.Tensor(projection + ".weight").Rows;
        }
    }

    // dW [outputs, inputs] += dYᵀ · X
    private void AddWeightGradient(TrainingLane lane, ParameterTensor tensor, float* outputGradient, int stride, float* input, int inputs, int rows)
    {
        var target = lane.GradientPointer + tensor.Offset;
        _kernels.Multiply(
            tensor.Rows, inputs, rows, new MatrixView(outputGradient, 1, stride), _kernels.RowMajor(input, inputs), target, inputs, target, inputs);
    }

    // y = x (W + s B A)ᵀ:  dB += s dYᵀ (X Aᵀ),  dA += s (dY B)ᵀ X.
    private void AddLowRankGradient(TrainingLane lane, string projection, float* outputGradient, int stride, float* input, int inputs, int rows)
    {
        var adapter = Adapter!;
        var (down, up, rank) = (adapter.Tensor(projection + LoraAdapter.DownSuffix), adapter.Tensor(projection + LoraAdapter.UpSuffix), adapter.Rank);
        var outputs = up.Rows;
        var narrow = lane.Workspace.Narrow((2L * rows + outputs) * rank).Pointer;
        var panels = lane.Workspace.Panels(_kernels.PackedLength(rank, inputs)).Pointer;
        float* projected = narrow, projectedGradient = narrow + (nint)rows * rank, upTransposed = narrow + 2 * (nint)rows * rank;
        _kernels.PackTransposed(adapter.Buffer.Pointer + down.Offset, inputs, rank, inputs, panels);
        _kernels.Multiply(rows, rank, inputs, new MatrixView(input, inputs), _kernels.Packed(panels, inputs), projected, rank);
        _kernels.Multiply(
            rows, rank, outputs, new MatrixView(outputGradient, stride), _kernels.RowMajor(adapter.Buffer.Pointer + up.Offset, rank),
            projectedGradient, rank);
        _kernels.Scale(narrow, adapter.Scale, 2 * rows * rank);
        float* downGradient = lane.GradientPointer + down.Offset, upGradient = lane.GradientPointer + up.Offset;
        _kernels.Multiply(rank, outputs, rows, new MatrixView(projected, 1, rank), _kernels.RowMajor(outputGradient, stride), upTransposed, outputs);
        for (var output = 0; output < outputs; output++)
        {
            for (var k = 0; k < rank; k++) upGradient[output * rank + k] += upTransposed[(nint)k * outputs + output];
        }

        _kernels.Multiply(
            rank, inputs, rows, new MatrixView(projectedGradient, 1, rank), _kernels.RowMajor(input, inputs), downGradient, inputs, downGradient,
            inputs);
    }

    // Adds the branch's gradient to the residual stream's.
    private void BackwardNorm(
        TrainingLane lane, string name, NativeBuffer weight, float* branchGradient, NativeBuffer input, float* inverses, int rows)
    {
        var hidden = Config.HiddenSize;
        var weightGradient = Adapter is null ? lane.GradientPointer + Weights.Tensor(name).Offset : null;
        for (var row = 0; row < rows; row++)
        {
            nint at = (nint)row * hidden;
            _kernels.RmsNormBackward(
                branchGradient + at, input.Pointer + at, weight.Pointer, inverses[row], lane.Workspace.Gradient.Pointer + at, weightGradient, hidden,
                accumulate: true);
        }
    }

    private void BackwardHeadNorms(TrainingLane lane, int index, int rows)
    {
        var (names, weights, layer) = (new ParameterNames(index), _packed.Layers[index], lane.Workspace.Layers[index]);
        int heads = Config.HeadCount + Config.KeyValueHeadCount, width = Config.HeadWidth;
        var queryGradient = Adapter is null ? lane.GradientPointer + Weights.Tensor(names.QueryNorm).Offset : null;
        var keyGradient = Adapter is null ? lane.GradientPointer + Weights.Tensor(names.KeyNorm).Offset : null;
        for (var row = 0; row < rows; row++)
        {
            var gradient = lane.Workspace.FusedGradient.Pointer + (nint)row * Config.FusedAttentionWidth;
            var raw = layer.RawQueryKey!.Pointer + (nint)row * heads * width;
            var inverses = layer.HeadInverseNorms!.Pointer + (nint)row * heads;
            for (var i = 0; i < heads; i++, gradient += width, raw += width)
            {
                var isQuery = i < Config.HeadCount;
                _kernels.RmsNormBackward(
                    gradient, raw, (isQuery ? weights.QueryNorm : weights.KeyNorm)!.Pointer, inverses[i], gradient,
                    isQuery ? queryGradient : keyGradient, width, accumulate: false);
            }
        }
    }

    private void ScatterEmbedding(TrainingLane lane, PackedBatch batch)
    {
        var table = lane.GradientPointer + Weights.Tensor(ParameterNames.Embedding).Offset;
        for (var row = 0; row < batch.RowCount; row++)
            _kernels.Add(table + (nint)batch.Tokens[row] * Config.HiddenSize, lane.Workspace.Gradient.Pointer + (nint)row * Config.HiddenSize,
                Config.HiddenSize);
    }
}
