namespace Hone.Engine;

/// <summary>Shape of a low-rank adapter (Hu et al. 2021, <c>W + alpha/rank · B A</c>).</summary>
internal sealed record LoraOptions
{
    /// <summary>Rank of the update; positive.</summary>
    public int Rank { get; init; } = 16;

    /// <summary>Numerator of the scale <c>alpha / rank</c>.</summary>
    public double Alpha { get; init; } = 32;

    /// <summary>Whether the scale is <c>alpha / sqrt(rank)</c> instead (Kalajdzievski 2023).</summary>
    public bool RankStabilized { get; init; }

    /// <summary>By what B A is multiplied.</summary>
    public double Scale => Alpha / (RankStabilized ? Math.Sqrt(Rank) : Rank);

    /// <summary>Projections that get an adapter, by the last part of their names (<c>q_proj</c> … <c>down_proj</c>).</summary>
    public IReadOnlyList<string> TargetModules { get; init; } = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
}

/// <summary>A low-rank adapter: for each targeted projection A [rank, in] and B [out, rank] in one flat buffer.</summary>
internal sealed class LoraAdapter : FlatTensors
{
    public const string DownSuffix = ".lora_A.weight";
    public const string UpSuffix = ".lora_B.weight";

    public LoraAdapter(ModelConfig config, LoraOptions options)
        : base(Describe(config, options)) => (Config, Options) = (config, options);

    public ModelConfig Config { get; }

    public LoraOptions Options { get; }

    public int Rank => Options.Rank;

    public float Scale => (float)Options.Scale;

    /// <summary>An adapter that changes nothing yet: A uniform in ±1/sqrt(in) (Kaiming with a = sqrt 5), B zero.</summary>
    public static LoraAdapter CreateRandom(ModelConfig config, LoraOptions options, int seed)
    {
        var adapter = new LoraAdapter(config, options);
        var random = new Random(seed);
        foreach (var tensor in adapter.Tensors)
        {
            if (!tensor.Name.EndsWith(DownSuffix, StringComparison.Ordinal)) continue;
            var bound = 1 / Math.Sqrt(tensor.Columns);
            foreach (ref var value in adapter.Slice(tensor)) value = (float)((2 * random.NextDouble() - 1) * bound);
        }

        return adapter;
    }

    public LoraAdapter Clone()
    {
        var copy = new LoraAdapter(Config, Options);
        Values.CopyTo(copy.Values);
        return copy;
    }

    /// <summary>One adapter that changes weights as both do together: their ranks side by side, their scales in B.</summary>
    public static LoraAdapter Sum(LoraAdapter first, LoraAdapter second)
    {
        var modules = ParameterNames.Projections.Where(name => first.Options.TargetModules.Contains(name) || second.Options.TargetModules.Contains(name));
        var rank = first.Rank + second.Rank;
        var sum = new LoraAdapter(first.Config, new LoraOptions { Rank = rank, Alpha = rank, TargetModules = [.. modules] });
        sum.Place(first, 0);
        sum.Place(second, first.Rank);
        return sum;
    }

    /// <summary>Whether the projection (name without <c>.weight</c>) has an adapter.</summary>
    public bool Targets(string projection) => Find(projection + DownSuffix) is not null;

    /// <summary>The update of a targeted projection (named without <c>.weight</c>), in this adapter's memory.</summary>
    internal unsafe LowRankUpdate UpdateOf(string projection)
    {
        var (down, up) = (Tensor(projection + DownSuffix), Tensor(projection + UpSuffix));
        return new LowRankUpdate(Buffer.Pointer + down.Offset, Buffer.Pointer + up.Offset, up.Rows, down.Columns, Rank, Scale);
    }

    /// <summary>Adds <c>scale · B A</c> to every targeted weight.</summary>
    public void MergeInto(ParameterSet weights)
    {
        foreach (var tensor in weights.Tensors)
        {
            if (tensor.Shape.Length == 2) AddTo(tensor, weights.Slice(tensor));
        }
    }

    /// <summary>Adds <c>scale · B A</c> to a copy of the tensor's values [out, in], if it is targeted.</summary>
    internal unsafe void AddTo(ParameterTensor tensor, Span<float> values)
    {
        var projection = tensor.Name[..^".weight".Length];
        if (!Targets(projection)) return;
        fixed (float* target = values)
        {
            CpuKernels.AddLowRankTo(UpdateOf(projection), target);
        }

        GC.KeepAlive(this);
    }

    // Another adapter's ranks become those from the given one on; what it does not target stays zero there.
    private void Place(LoraAdapter part, int from)
    {
        foreach (var tensor in part.Tensors)
        {
            var source = part.Slice(tensor);
            var target = Get(tensor.Name);
            if (tensor.Name.EndsWith(DownSuffix, StringComparison.Ordinal))
            {
                source.CopyTo(target[(from * tensor.Columns)..]);
                continue;
            }

            for (var row = 0; row < tensor.Rows; row++)
            {
                for (var column = 0; column < part.Rank; column++)
                    target[row * Rank + from + column] = part.Scale * source[row * part.Rank + column];
            }
        }
    }

    private static IReadOnlyList<ParameterTensor> Describe(ModelConfig config, LoraOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Rank);
        foreach (var module in options.TargetModules)
        {
            if (!ParameterNames.Projections.Contains(module))
            {
                throw new ArgumentException(
                    $"An adapter cannot target '{module}'; expected some of {string.Join(", ", ParameterNames.Projections)}.", nameof(options));
            }
        }

        var layout = new Layout();
        foreach (var tensor in ParameterSet.Describe(config))
        {
            if (tensor.Shape.Length != 2 || !tensor.Name.EndsWith("_proj.weight", StringComparison.Ordinal)) continue;
            var projection = tensor.Name[..^".weight".Length];
            if (!options.TargetModules.Contains(projection[(projection.LastIndexOf('.') + 1)..])) continue;
            layout.Add(projection + DownSuffix, options.Rank, tensor.Columns);
            layout.Add(projection + UpSuffix, tensor.Rows, options.Rank);
        }

        return layout.Tensors;
    }
}
