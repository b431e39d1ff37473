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
        if (Memory == ActivationMemory.Nothing) throw new InvalidOperationException("The model was made for scores only: it keeps no activations.");
        if (!ReferenceEquals(space.Batch, batch))
            throw new InvalidOperationException(
                "The lane does not hold this batch's activations; call ForwardScore with the same lane and batch first.");
        space.Batch = null;
        if (batch.Targets.Count == 0) return;
        _kernels.Zero(space.Gradient.Pointer, (long)batch.RowCount * Config.HiddenSize);
        BackwardHead(lane, batch, gradientOfLogProb);
        for (var index = Config.LayerCount - 1; index >= 0; index--)
        {
            BackwardFeedForward(lane, batch.RowCount, index);
            BackwardAttention(lane, batch.RowCount, index);
        }

        if (Adapter is null)
            _kernels.AddToTable(Config.HiddenSize, space.Plan.TokenRows, space.Gradient.Pointer, GradientOf(lane, ParameterNames.Embedding));
        GC.KeepAlive(this);
    }

    private void BackwardFeedForward(TrainingLane lane, int rows, int index)
    {
        var (space, names) = (lane.Workspace, new ParameterNames(index));
        var layer = space.Layers[index];
        ref readonly var weights = ref _values.Layers[index];
        var beside = _values.Beside?.Layers[index];
        float* gradient = space.Gradient.Pointer, branch = space.BranchGradient.Pointer, wide = space.WideGradient.Pointer;

        if (Memory == ActivationMemory.Products)
        {
            Normalize(layer.Middle.Pointer, weights.FeedForwardNorm, layer.FeedForwardInput.Pointer, layer.InverseNorms.Pointer + rows, rows);
            _kernels.SwiGlu(rows, Config.FeedForwardSize, layer.GateUp.Pointer, layer.Activated.Pointer);
        }

        BackwardProjection(lane, layer, [names.Down], gradient, weights.Down, beside?.Down, layer.Activated.Pointer, branch, rows);
        _kernels.SwiGluBackward(rows, Config.FeedForwardSize, layer.GateUp.Pointer, branch, wide);
        BackwardProjection(lane, layer, [names.Gate, names.Up], wide, weights.GateUp, beside?.GateUp, layer.FeedForwardInput.Pointer, branch, rows);
        BackwardNorm(lane, names.FeedForwardNorm, weights.FeedForwardNorm, layer.Middle, layer.InverseNorms.Pointer + rows, rows);
    }

    private void BackwardAttention(TrainingLane lane, int rows, int index)
    {
        var (space, names) = (lane.Workspace, new ParameterNames(index));
        var layer = space.Layers[index];
        ref readonly var weights = ref _values.Layers[index];
        var beside = _values.Beside?.Layers[index];
        float* gradient = space.Gradient.Pointer, branch = space.BranchGradient.Pointer, fusedGradient = space.FusedGradient.Pointer;

        if (Memory == ActivationMemory.Products)
            Normalize(layer.Input.Pointer, weights.AttentionNorm, layer.AttentionInput.Pointer, layer.InverseNorms.Pointer, rows);
        BackwardProjection(lane, layer, [names.Output], gradient, weights.Output, beside?.Output, layer.Attention.Pointer, branch, rows);
        space.Attention.Backward(
            new AttentionView(layer.Fused.Pointer, layer.Attention.Pointer, layer.LogSumExp.Pointer), branch, fusedGradient);
        RotateHeads(space, rows, fusedGradient, direction: -1f);
        if (Config.QueryKeyNorm) BackwardHeadNorms(lane, index, rows);
        if (Config.AttentionBias && Adapter is null)
        {
            var fused = Config.FusedAttentionWidth;
            _kernels.AddColumnSums(rows, fused, fusedGradient, fused, GradientOf(lane, names.Query + ".bias"));
        }

        var isLast = index == 0 && Adapter is not null; // Nothing below is trained.
        BackwardProjection(
            lane, layer, [names.Query, names.Key, names.Value], fusedGradient, weights.Fused, beside?.Fused, layer.AttentionInput.Pointer,
            isLast ? null : branch, rows);
        if (isLast) return;
        BackwardNorm(lane, names.AttentionNorm, weights.AttentionNorm, layer.Input, layer.InverseNorms.Pointer, rows);
    }

    // dX [rows, inputs] = dY [rows, outputs] · W (unless dX is null), and the gradients of W or of the adapter. What an adapter beside W adds to dX and
    // its gradients share their inner products.
    private void BackwardProjection(
        TrainingLane lane, LayerActivations layer, ReadOnlySpan<string> projections, float* dy, in Projection weight, LowRankGroup? beside, float* x,
        float* dx, int rows)
    {
        if (dx is not null) _kernels.ProjectBack(rows, dy, weight, dx);
        if (beside is null)
        {
            BackwardWeights(lane, projections, dy, weight, x, rows);
            return;
        }

        for (var i = 0; i < beside.Members.Count; i++)
        {
            var (projection, matrix) = beside.Members[i];
            var (down, up) = (Adapter!.Tensor(projection + LoraAdapter.DownSuffix), Adapter.Tensor(projection + LoraAdapter.UpSuffix));
            matrix.AddGradients(
                _values.UpdateOf(projection), rows, dy, weight.Outputs, x, beside.ProjectedOf(i, rows, layer.LowRank!.Pointer), dx,
                lane.GradientPointer + down.Offset, lane.GradientPointer + up.Offset,
                lane.Workspace.LowRankScratch(matrix.ScratchLength(rows)).Pointer);
        }
    }

    // Projections that share their input lie side by side, in dY and in the parameters.
    private void BackwardWeights(
        TrainingLane lane, ReadOnlySpan<string> projections, float* outputGradient, in Projection all, float* input, int rows)
    {
        if (Adapter is null)
        {
            _kernels.AddWeightGradient(
                rows, all.Outputs, all.Inputs, outputGradient, all.Outputs, input, GradientOf(lane, projections[0] + ".weight"));
            return;
        }

        foreach (var projection in projections)
        {
            if (Adapter.Targets(projection)) AddLowRankGradient(lane, projection, outputGradient, all.Outputs, input, rows);
            outputGradient += ParameterNames.RowsOf(projection, Config);
        }
    }

    private void AddLowRankGradient(TrainingLane lane, string projection, float* outputGradient, int stride, float* input, int rows)
    {
        var update = _values.UpdateOf(projection);
        var (down, up) = (Adapter!.Tensor(projection + LoraAdapter.DownSuffix), Adapter.Tensor(projection + LoraAdapter.UpSuffix));
        _kernels.AddLowRankGradient(
            update, rows, outputGradient, stride, input, lane.GradientPointer + down.Offset, lane.GradientPointer + up.Offset,
            lane.Workspace.LowRankScratch(_kernels.LowRankScratch(update, rows)).Pointer);
    }

    // Adds the branch's gradient to the residual stream's.
    private void BackwardNorm(TrainingLane lane, string name, float* weight, FloatBuffer input, float* inverses, int rows) =>
        _kernels.RmsNormBackward(
            NormRows.Of(rows, Config.HiddenSize), lane.Workspace.BranchGradient.Pointer, input.Pointer, weight, inverses,
            lane.Workspace.Gradient.Pointer, GradientOf(lane, name), accumulate: true);

    private void BackwardHeadNorms(TrainingLane lane, int index, int rows)
    {
        var (names, layer) = (new ParameterNames(index), lane.Workspace.Layers[index]);
        ref readonly var weights = ref _values.Layers[index];
        foreach (var part in HeadParts(Config.QueryWidth + Config.KeyValueWidth, weights.QueryNorm, weights.KeyNorm, rows))
        {
            var gradient = lane.Workspace.FusedGradient.Pointer + part.Column;
            _kernels.RmsNormBackward(
                part.Shape, gradient, layer.RawQueryKey!.Pointer + part.Column, part.Weight, layer.HeadInverseNorms!.Pointer + part.Head, gradient,
                GradientOf(lane, part.Head == 0 ? names.QueryNorm : names.KeyNorm), accumulate: false);
        }
    }
}
