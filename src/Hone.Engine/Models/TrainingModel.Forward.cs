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
        space.Reserve(batch);
        space.Batch = batch;
        space.InverseTemperature = 1f / temperature;
        if (batch.RowCount == 0) return;
        Embed(space, batch);
        for (var index = 0; index < Config.LayerCount; index++)
        {
            var next = index + 1 < Config.LayerCount ? space.Layers[index + 1].Input : space.Output;
            ForwardAttention(space, batch, index);
            ForwardFeedForward(space, batch, index, next.Pointer);
        }

        ScoreTargets(space, batch, logProbs, entropies);
        GC.KeepAlive(this);
    }

    private void Embed(TrainingWorkspace space, PackedBatch batch)
    {
        var table = Weights.Get(ParameterNames.Embedding);
        var rows = space.Layers[0].Input.Span;
        for (var row = 0; row < batch.RowCount; row++)
        {
            var token = batch.Tokens[row];
            table.Slice(CheckedToken(token) * Config.HiddenSize, Config.HiddenSize).CopyTo(rows[(row * Config.HiddenSize)..]);
        }
    }

    // middle = input + Wo · attention(rope(Wqkv · norm(input) + b))
    private void ForwardAttention(TrainingWorkspace space, PackedBatch batch, int index)
    {
        var (layer, weights) = (space.Layers[index], _packed.Layers[index]);
        int rows = batch.RowCount, hidden = Config.HiddenSize, fused = Config.FusedAttentionWidth;
        Normalize(layer.Input.Pointer, weights.AttentionNorm.Pointer, layer.AttentionInput.Pointer, layer.InverseNorms.Pointer, rows);
        _kernels.Project(rows, layer.AttentionInput.Pointer, hidden, weights.Fused, layer.Fused.Pointer, fused, weights.Bias);
        if (Config.QueryKeyNorm) NormalizeHeads(layer, weights, rows);
        RotateHeads(space, batch, layer.Fused.Pointer, direction: 1f);
        var view = new AttentionView(layer.Fused.Pointer, layer.Attention.Pointer, layer.LogSumExp.Pointer);
        Span<RowRun> chain = stackalloc RowRun[MaxChain];
        foreach (var node in batch.Nodes) space.Attention.Forward(view, Chain(batch, node, chain));
        var (attention, middle) = (layer.Attention, layer.Middle);
        _kernels.Project(rows, attention.Pointer, Config.QueryWidth, weights.Output, middle.Pointer, hidden, layer.Input.Pointer, hidden);
    }

    // output = middle + Wdown · (silu(Wgate · norm(middle)) · (Wup · norm(middle)))
    private void ForwardFeedForward(TrainingWorkspace space, PackedBatch batch, int index, float* output)
    {
        var (layer, weights) = (space.Layers[index], _packed.Layers[index]);
        int rows = batch.RowCount, hidden = Config.HiddenSize, inner = Config.FeedForwardSize;
        Normalize(layer.Middle.Pointer, weights.FeedForwardNorm.Pointer, layer.FeedForwardInput.Pointer, layer.InverseNorms.Pointer + rows, rows);
        _kernels.Project(rows, layer.FeedForwardInput.Pointer, hidden, weights.GateUp, layer.GateUp.Pointer, 2 * inner);
        for (var row = 0; row < rows; row++)
        {
            var gate = layer.GateUp.Pointer + (nint)row * 2 * inner;
            _kernels.SwiGlu(gate, gate + inner, layer.Activated.Pointer + (nint)row * inner, inner);
        }

        _kernels.Project(rows, layer.Activated.Pointer, inner, weights.Down, output, hidden, layer.Middle.Pointer, hidden);
    }

    private void Normalize(float* input, float* weight, float* output, float* inverses, int rows)
    {
        for (var row = 0; row < rows; row++, input += Config.HiddenSize, output += Config.HiddenSize)
            inverses[row] = _kernels.RmsNorm(input, weight, output, Config.HiddenSize, Config.NormEpsilon);
    }

    // Qwen 3: each query and key head on its own, before the rotation.
    private void NormalizeHeads(LayerActivations layer, PackedLayer weights, int rows)
    {
        int heads = Config.HeadCount + Config.KeyValueHeadCount, width = Config.HeadWidth;
        for (var row = 0; row < rows; row++)
        {
            var head = layer.Fused.Pointer + (nint)row * Config.FusedAttentionWidth;
            var raw = layer.RawQueryKey!.Pointer + (nint)row * heads * width;
            var inverses = layer.HeadInverseNorms!.Pointer + (nint)row * heads;
            new ReadOnlySpan<float>(head, heads * width).CopyTo(new Span<float>(raw, heads * width));
            for (var i = 0; i < heads; i++, head += width)
                inverses[i] = _kernels.RmsNorm(head, (i < Config.HeadCount ? weights.QueryNorm : weights.KeyNorm)!.Pointer, head, width,
                    Config.NormEpsilon);
        }
    }

    private void RotateHeads(TrainingWorkspace space, PackedBatch batch, float* fused, float direction)
    {
        int heads = Config.HeadCount + Config.KeyValueHeadCount, width = Config.HeadWidth;
        for (var row = 0; row < batch.RowCount; row++)
        {
            var head = fused + (nint)row * Config.FusedAttentionWidth;
            float* cosines = space.Rotary.Cosines(batch.Positions[row]), sines = space.Rotary.Sines(batch.Positions[row]);
            for (var i = 0; i < heads; i++) _kernels.Rotate(head + i * width, cosines, sines, width / 2, direction);
        }
    }

    private const int MaxChain = 256;

    // The runs of rows from the root to the node.
    private static ReadOnlySpan<RowRun> Chain(PackedBatch batch, PackedNode node, Span<RowRun> chain)
    {
        var count = 0;
        for (var current = node; ; current = batch.Nodes[current.Parent])
        {
            if (count == chain.Length)
                throw new NotSupportedException($"A prefix tree deeper than {MaxChain} nodes is not supported; plan without shared prefixes.");
            chain[count++] = new RowRun(current.Start, current.Length);
            if (current.Parent < 0) break;
        }

        chain[..count].Reverse();
        return chain[..count];
    }
}
