using Hone.Kernels.Conformance;

namespace Hone.Engine.Tests.Kernels;

public sealed class KernelConformanceTests
{
    [Fact]
    public void CpuKernels_EveryOperation_EqualsDoublePrecision() => Assert.All(
        VectorKernels.Supported, vectors => Assert.Empty(KernelConformance.Failures(new CpuKernels(vectors), tolerance: 1e-5, productTolerance: 1e-5)));
}
