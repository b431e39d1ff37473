namespace Hone.Engine;

/// <summary>Constants of AdamW; the learning rate is given per step.</summary>
internal sealed record AdamWOptions
{
    /// <summary>Decay of the first moment.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the second moment.</summary>
    public double Beta2 { get; init; } = 0.95;

    /// <summary>Added to the root of the second moment.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decoupled weight decay of matrices (embeddings and adapters included); biases and norms never decay.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Largest global gradient norm; longer gradients are scaled by <c>max / (norm + 1e-6)</c>. Zero or less: no clipping.</summary>
    public double MaxGradientNorm { get; init; } = 1;
}

/// <summary>The optimizer AdamW over all tensors of a flat buffer.</summary>
internal sealed unsafe class AdamW : IDisposable
{
    private readonly IKernels _kernels;
    private readonly SharedTensor _parameters;
    private readonly SharedTensor _firstMoments;
    private readonly SharedTensor _secondMoments;
    private readonly List<(int Offset, int Length, bool Decays)> _runs = [];

    public AdamW(FlatTensors parameters, AdamWOptions options)
        : this(parameters, new SharedTensor(CpuKernels.Best, parameters.Buffer), CpuKernels.Best, options)
    {
    }

    /// <summary>The optimizer of what a model trains, in the memory of the model's kernels.</summary>
    public AdamW(TrainingModel model, AdamWOptions options)
        : this(model.Trained, model.TrainedValues, model.Kernels, options)
    {
    }

    private AdamW(FlatTensors parameters, SharedTensor values, IKernels kernels, AdamWOptions options)
    {
        (_parameters, _kernels, Options) = (values, kernels, options);
        _firstMoments = new SharedTensor(kernels, parameters.Values.Length);
        _secondMoments = new SharedTensor(kernels, parameters.Values.Length);
        foreach (var tensor in parameters.Tensors)
        {
            if (_runs.Count > 0 && _runs[^1].Decays == tensor.Decays) _runs[^1] = (_runs[^1].Offset, _runs[^1].Length + tensor.Length, tensor.Decays);
            else _runs.Add((tensor.Offset, tensor.Length, tensor.Decays));
        }
    }

    /// <summary>Constants of the next update.</summary>
    public AdamWOptions Options { get; set; }

    /// <summary>Number of updates so far; set it together with the moments when a run is resumed.</summary>
    public int Step { get; set; }

    /// <summary>First moments, laid out like the parameters, as of the last <see cref="PullMoments"/>.</summary>
    public Span<float> FirstMoments => _firstMoments.Host;

    /// <summary>Second moments, likewise.</summary>
    public Span<float> SecondMoments => _secondMoments.Host;

    /// <summary>Brings the moments to the host. Nothing to do where the host computes.</summary>
    public void PullMoments()
    {
        _firstMoments.Pull();
        _secondMoments.Pull();
    }

    /// <summary>Takes over moments that the host wrote.</summary>
    public void PushMoments()
    {
        _firstMoments.Push();
        _secondMoments.Push();
    }

    /// <summary>Updates the parameters and returns the gradient's global norm before clipping. The gradient stays as it is.</summary>
    /// <param name="gradient">Laid out like the parameters.</param>
    /// <param name="learningRate">Step size; 0 only feeds the moments.</param>
    /// <param name="scale">What the gradient has yet to be multiplied by.</param>
    public double Update(ReadOnlySpan<float> gradient, double learningRate, double scale = 1)
    {
        if (gradient.Length != _parameters.Length)
            throw new ArgumentException($"The gradient has {gradient.Length} elements; the parameters have {_parameters.Length}.", nameof(gradient));
        if (_kernels.IsHost)
        {
            fixed (float* values = gradient) return Update(values, learningRate, scale);
        }

        using var copy = _kernels.Allocate(gradient.Length);
        _kernels.CopyIn(gradient, copy.Pointer);
        return Update(copy.Pointer, learningRate, scale);
    }

    /// <summary>As above, with a gradient in the memory of the kernels.</summary>
    public double Update(SharedTensor gradient, double learningRate, double scale = 1) => Update(gradient.Pointer, learningRate, scale);

    private double Update(float* gradient, double learningRate, double scale)
    {
        Step++;
        var norm = scale * Math.Sqrt(_kernels.SumOfSquares(gradient, _parameters.Length));
        var clip = scale * (Options.MaxGradientNorm > 0 ? Math.Min(1, Options.MaxGradientNorm / (norm + 1e-6)) : 1);
        foreach (var (offset, length, decays) in _runs)
        {
            var update = new AdamWUpdate(
                (float)learningRate, (float)Options.Beta1, (float)Options.Beta2, (float)Options.Epsilon,
                decays ? (float)Options.WeightDecay : 0f, (float)clip,
                (float)(1 / (1 - Math.Pow(Options.Beta1, Step))), (float)(1 / (1 - Math.Pow(Options.Beta2, Step))));
            _kernels.AdamW(
                _parameters.Pointer + offset, gradient + offset, _firstMoments.Pointer + offset, _secondMoments.Pointer + offset, length, update);
        }

        return norm;
    }

    public void Dispose()
    {
        _firstMoments.Dispose();
        _secondMoments.Dispose();
    }
}
