namespace Hone.Engine;

/// <summary>The updates of one layer's projections, grouped like the weights; empty where nothing is targeted.</summary>
internal sealed record LowRankLayer(LowRankGroup Fused, LowRankGroup Output, LowRankGroup GateUp, LowRankGroup Down)
{
    /// <summary>How many projections are targeted.</summary>
    public int Count => Fused.Members.Count + Output.Members.Count + GateUp.Members.Count + Down.Members.Count;
}

/// <summary>Updates of projections that share their input and lie side by side in the output.</summary>
/// <param name="members">The targeted projections (without <c>.weight</c>).</param>
/// <param name="width">Columns of the output.</param>
/// <param name="first">Which of the layer's targeted projections the first member is.</param>
internal sealed unsafe class LowRankGroup(IReadOnlyList<(string Projection, LowRankMatrix Matrix)> members, int width, int first)
{
    /// <summary>The targeted projections (without <c>.weight</c>).</summary>
    public IReadOnlyList<(string Projection, LowRankMatrix Matrix)> Members => members;

    /// <summary>Columns of the output.</summary>
    public int Width => width;

    /// <summary>Adds all updates to Y [rows, width].</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="x">[rows, inputs].</param>
    /// <param name="y">[rows, width].</param>
    /// <param name="projected">Takes scale · X Aᵀ of every targeted projection of the layer, each [rows, rank].</param>
    public void Add(int rows, float* x, float* y, float* projected)
    {
        for (var i = 0; i < members.Count; i++) members[i].Matrix.Add(rows, x, y, width, ProjectedOf(i, rows, projected));
    }

    /// <summary>Where a member's part of the layer's projected inputs is.</summary>
    public float* ProjectedOf(int member, int rows, float* projected) => projected + (nint)(first + member) * rows * members[member].Matrix.Rank;
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

    /// <summary>Floats that the inner sides of one layer's updates take, a row.</summary>
    public int InnerWidth => Rank * Layers.Max(layer => layer.Count);

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
        var count = 0;
        return new LowRankLayer(
            Group(adapter, ref count, hidden, (names.Query, query), (names.Key, keyValue), (names.Value, keyValue)),
            Group(adapter, ref count, query, (names.Output, hidden)),
            Group(adapter, ref count, hidden, (names.Gate, inner), (names.Up, inner)),
            Group(adapter, ref count, inner, (names.Down, hidden)));
    }

    private LowRankGroup Group(LoraAdapter adapter, ref int count, int inputs, params ReadOnlySpan<(string Projection, int Outputs)> projections)
    {
        var members = new List<(string, LowRankMatrix)>();
        var (column, first) = (0, count);
        foreach (var (projection, outputs) in projections)
        {
            if (adapter.Targets(projection)) members.Add((projection, new LowRankMatrix(_kernels, outputs, inputs, adapter.Rank, column)));
            column += outputs;
        }

        count += members.Count;
        return new LowRankGroup(members, column, first);
    }
}
