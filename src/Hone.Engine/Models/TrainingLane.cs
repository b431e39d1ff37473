namespace Hone.Engine;

/// <summary>Gradients that one lane has gathered, and the activations of the microbatch it works on. Used by one thread at a time.</summary>
internal sealed class TrainingLane : IDisposable
{
    private readonly Func<TrainingWorkspace> _createWorkspace;
    private TrainingWorkspace? _workspace;

    internal TrainingLane(IKernels kernels, int gradientLength, Func<TrainingWorkspace> createWorkspace) =>
        (Gradient, _createWorkspace) = (new SharedTensor(kernels, gradientLength), createWorkspace);

    /// <summary>Gradient sum, laid out like the trained tensors.</summary>
    public SharedTensor Gradient { get; }

    internal unsafe float* GradientPointer => Gradient.Pointer;

    internal TrainingWorkspace Workspace => _workspace ??= _createWorkspace();

    public void Dispose()
    {
        Gradient.Dispose();
        _workspace?.Dispose();
    }

    /// <summary>Lends memory that another lane used before, so that there is one workspace per thread and not per lane.</summary>
    internal void Lend(TrainingWorkspace? workspace) => _workspace ??= workspace;

    internal TrainingWorkspace? TakeBack()
    {
        var workspace = _workspace;
        _workspace = null;
        return workspace;
    }
}
