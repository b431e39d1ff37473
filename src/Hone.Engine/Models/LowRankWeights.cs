namespace Hone.Engine;

/// <summary>The updates of one layer's projections, grouped like the weights; empty where nothing is targeted.</summary>
internal sealed record LowRankLayer(LowRankGroup Fused, LowRankGroup Output, LowRankGroup GateUp, LowRankGroup Down);

/// <summary>Updates of projections that share their input and lie side by side in the output.</summary>
internal sealed unsafe class LowRankGroup(IReadOnlyList<(string Projection, LowRankMatrix Matrix)> members, int width)
{
    /// <summary>The targeted projections (without <c>.weight</c>).</summary>
    public IReadOnlyList<(string Projection, LowRankMatrix Matrix)> Members => members;

    /// <summary>Adds all updates to Y [rows, width].</summary>
    public void Add(int rows, float* x, float* y, float* scratch)
    {
        for (var i = 0; i < members.Count; i++) members[i].Matrix.Add(rows, x, y, width, scratch);
    }
}

/// <summary>An adapter in the form in which the kernels add it to what frozen weights give.</summary>
internal sealed unsafe class LowRankWeights : IDisposable
{
    private readonly VectorKernels _kernels;

    public LowRankWeights(LoraAdapter adapter, VectorKernels kernels)
    {
        (_kernels, Rank) = (kernels, adapter.Rank);
        Layers = [.. Enumerable.Range(0, adapter.Config.LayerCount).Select(layer => LayerOf(adapter, new ParameterNames(layer)))];
        Pack(adapter);
    }

    public int Rank { get; }

    public LowRankLayer[] Layers { get; }

    /// <summary>Takes over the adapter's values.</summary>
    public void Pack(LoraAdapter adapter)
    {
        foreach (var (projection, matrix) in Members()) matrix.Pack(adapter.UpdateOf(projection));
        GC.KeepAlive(adapter);
    }

    public void Dispose()
    {
        foreach (var (_, matrix) in Members()) matrix.Dispose();
    }

    private IEnumerable<(string Projection, LowRankMatrix Matrix)> Members() => Layers.SelectMany(
        layer => (IEnumerable<LowRankGroup>)[layer.Fused, layer.Output, layer.GateUp, layer.Down]).SelectMany(group => group.Members);

    private LowRankLayer LayerOf(LoraAdapter adapter, ParameterNames names)
    {
        var config = adapter.Config;
        int hidden = config.HiddenSize, query = config.QueryWidth, keyValue = config.KeyValueWidth, inner = config.FeedForwardSize;
        return new LowRankLayer(
            Group(adapter, hidden, (names.Query, query), (names.Key, keyValue), (names.Value, keyValue)), Group(adapter, query, (names.Output, hidden)),
            Group(adapter, hidden, (names.Gate, inner), (names.Up, inner)), Group(adapter, inner, (names.Down, hidden)));
    }

    private LowRankGroup Group(LoraAdapter adapter, int inputs, params ReadOnlySpan<(string Projection, int Outputs)> projections)
    {
        var members = new List<(string, LowRankMatrix)>();
        var column = 0;
        foreach (var (projection, outputs) in projections)
        {
            if (adapter.Targets(projection)) members.Add((projection, new LowRankMatrix(_kernels, outputs, inputs, adapter.Rank, column)));
            column += outputs;
        }

        return new LowRankGroup(members, column);
    }
}
