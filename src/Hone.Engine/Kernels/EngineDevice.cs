namespace Hone.Engine;

/// <summary>Hardware that trains a model. <see cref="Cpu"/> is always there; packages such as Hone.Engine.Cuda bring others.</summary>
public abstract class EngineDevice
{
    private protected EngineDevice()
    {
    }

    /// <summary>The processor, with the widest vectors that it has.</summary>
    public static EngineDevice Cpu { get; } = new Processor();

    /// <summary>What it is, for reports.</summary>
    public abstract string Name { get; }

    internal abstract IKernels Kernels { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;

    private sealed class Processor : EngineDevice
    {
        public override string Name => "cpu (" + Kernels.Name + ")";

        internal override IKernels Kernels => CpuKernels.Best;
    }
}
