namespace Hone.Engine;

internal sealed unsafe partial class TrainingModel
{
    /// <summary>
    /// Log-probability and entropy (nats) of every target under softmax(logits / temperature) over the full vocabulary. Keeps the activations in the
    /// lane.
    /// </summary>
    public void ForwardScore(TrainingLane lane, PackedBatch batch, float temperature, Span<float> logProbs, Span<float> entropies)
    {
        CheckBatch(batch, logProbs.Length, nameof(logProbs));
        CheckBatch(batch, entropies.Length, nameof(entropies));
        if (!(temperature > 0))
            throw new ArgumentOutOfRangeException(nameof(temperature), temperature, "The temperature divides the logits; it must be positive.");
        var space = lane.Workspace;
        CheckTokens(batch);
        space.Bind(batch);
        space.InverseTemperature = 1f / temperature;
        if (batch.RowCount == 0) return;
        _values.Gather(batch.RowCount, space.Plan.Tokens, space.Layers[0].Input.Pointer);
        for (var index = 0; index < Config.LayerCount; index++)
        {
            var next = index + 1 < Config.LayerCount ? space.Layers[index + 1].Input : space.Output;
            ForwardAttention(space, batch.RowCount, index);
            ForwardFeedForward(space, batch.RowCount, index, next.Pointer);
        }

        ScoreTargets(space, batch, logProbs, entropies);
        GC.KeepAlive(this);
    }

    // middle = input + Wo · attention(rope(Wqkv · norm(input) + b))
    private void ForwardAttention(TrainingWorkspace space, int rows, int index)
    {
        var layer = space.Layers[index];
        ref readonly var weights = ref _values.Layers[index];
        var hidden = Config.HiddenSize;
        Normalize(layer.Input.Pointer, weights.AttentionNorm, layer.AttentionInput.Pointer, layer.InverseNorms.Pointer, rows);
        _kernels.Project(rows, layer.AttentionInput.Pointer, weights.Fused, layer.Fused.Pointer, weights.Bias);
        AddBeside(layer, _values.Beside?.Layers[index].Fused, rows, layer.AttentionInput.Pointer, layer.Fused.Pointer);
        if (Config.QueryKeyNorm) NormalizeHeads(layer, weights, rows);
        RotateHeads(space, rows, layer.Fused.Pointer, direction: 1f);
        space.Attention.Forward(new AttentionView(layer.Fused.Pointer, layer.Attention.Pointer, layer.LogSumExp.Pointer));
        _kernels.Project(rows, layer.Attention.Pointer, weights.Output, layer.Middle.Pointer, layer.Input.Pointer, hidden);
        AddBeside(layer, _values.Beside?.Layers[index].Output, rows, layer.Attention.Pointer, layer.Middle.Pointer);
    }

    // output = middle + Wdown · (silu(Wgate · norm(middle)) · (Wup · norm(middle)))
    private void ForwardFeedForward(TrainingWorkspace space, int rows, int index, float* output)
    {
        var layer = space.Layers[index];
        ref readonly var weights = ref _values.Layers[index];
        Normalize(layer.Middle.Pointer, weights.FeedForwardNorm, layer.FeedForwardInput.Pointer, layer.InverseNorms.Pointer + rows, rows);
        _kernels.Project(rows, layer.FeedForwardInput.Pointer, weights.GateUp, layer.GateUp.Pointer);
        AddBeside(layer, _values.Beside?.Layers[index].GateUp, rows, layer.FeedForwardInput.Pointer, layer.GateUp.Pointer);
        _kernels.SwiGlu(rows, Config.FeedForwardSize, layer.GateUp.Pointer, layer.Activated.Pointer);
        _kernels.Project(rows, layer.Activated.Pointer, weights.Down, output, layer.Middle.Pointer, Config.HiddenSize);
        AddBeside(layer, _values.Beside?.Layers[index].Down, rows, layer.Activated.Pointer, output);
    }

    // Y [rows, outputs] += scale · (X Aᵀ) Bᵀ of every targeted projection, where the adapter is not part of the weights.
    private static void AddBeside(LayerActivations layer, LowRankGroup? update, int rows, float* x, float* y) =>
        update?.Add(rows, x, y, layer.LowRank!.Pointer);

    private void Normalize(float* input, float* weight, float* output, float* inverses, int rows) =>
        _kernels.RmsNorm(NormRows.Of(rows, Config.HiddenSize), input, weight, output, inverses, Config.NormEpsilon);

    // Qwen 3: each query and key head on its own, before the rotation.
    private void NormalizeHeads(LayerActivations layer, in TrainingLayer weights, int rows)
    {
        int fused = Config.FusedAttentionWidth, width = Config.QueryWidth + Config.KeyValueWidth;
        _kernels.CopyRows(rows, width, layer.Fused.Pointer, fused, layer.RawQueryKey!.Pointer, width);
        foreach (var part in HeadParts(fused, weights.QueryNorm, weights.KeyNorm, rows))
        {
            var head = layer.Fused.Pointer + part.Column;
            _kernels.RmsNorm(part.Shape, head, part.Weight, head, layer.HeadInverseNorms!.Pointer + part.Head, Config.NormEpsilon);
        }
    }

    // Query and key heads as groups of columns; vectors of x lie xStride apart.
    private HeadPart[] HeadParts(nint xStride, float* queryWeight, float* keyWeight, int rows)
    {
        int fused = Config.FusedAttentionWidth, heads = Config.HeadCount + Config.KeyValueHeadCount;
        return
        [
            new(new NormRows(rows, Config.HeadCount, Config.HeadWidth, xStride, fused, heads), 0, 0, queryWeight),
            new(new NormRows(rows, Config.KeyValueHeadCount, Config.HeadWidth, xStride, fused, heads), Config.HeadCount, Config.QueryWidth, keyWeight),
        ];
    }

    private void RotateHeads(TrainingWorkspace space, int rows, float* fused, float direction) => _kernels.Rotate(
        rows, Config.HeadCount + Config.KeyValueHeadCount, Config.HeadWidth, fused, Config.FusedAttentionWidth, space.Plan.Positions,
        space.Plan.Cosines, space.Plan.Sines, direction);

    private readonly struct HeadPart(NormRows shape, int head, int column, float* weight)
    {
        public readonly NormRows Shape = shape;
        public readonly int Head = head;
        public readonly int Column = column;
        public readonly float* Weight = weight;
    }
}
