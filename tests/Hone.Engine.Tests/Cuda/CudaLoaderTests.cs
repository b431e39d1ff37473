using Hone.Engine.Cuda;

namespace Hone.Engine.Tests.Cuda;

public sealed class CudaLoaderTests
{
    [Fact]
    public void Open_NoGpu_SaysWhatIsMissingAndWhatToDo()
    {
        Assert.SkipWhen(CudaDevice.IsAvailable, "There is a GPU.");
        Assert.False(CudaDevice.TryOpen(out var device, out var reason));
        Assert.Null(device);
        Assert.Matches("Install|Check", reason);
        Assert.Equal(reason, Assert.Throws<CudaException>(() => CudaDevice.Open()).Message);
    }

    [Theory]
    [InlineData(CudaLibraries.Driver, "CUDA driver")]
    [InlineData(CudaLibraries.Nvrtc, "NVRTC")]
    [InlineData(CudaLibraries.CuBlas, "cuBLAS")]
    public void Explain_EveryLibrary_NamesItAndItsFiles(string library, string name)
    {
        var text = CudaLibraries.Explain(library);
        Assert.Contains(name, text);
        Assert.Contains("Install", text);
        Assert.All(CudaLibraries.NamesOf(library, OperatingSystem.IsWindows()), file => Assert.Contains(file, text));
    }

    [Fact]
    public void Folders_CudaPath_ComesFirst()
    {
        Assert.Equal(Path.Combine("/opt/cuda", "lib64"), CudaLibraries.Folders("/opt/cuda", isWindows: false).First());
        Assert.Contains(CudaLibraries.Folders(null, isWindows: false), folder => folder.StartsWith("/usr/local/cuda", StringComparison.Ordinal));
        Assert.Empty(CudaLibraries.Folders(null, isWindows: true));
    }

    [Fact]
    public void Options_NoRows_AreRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => new CudaOptions { MicrobatchRows = 0 });

    /// <summary>What a row is seen by must be one piece: the kernels know of a tree no more than that.</summary>
    [Fact]
    public void Describe_Tree_GivesEndsOfSubtrees()
    {
        RowNode[] nodes = [new(0, 2, -1), new(2, 3, 0), new(5, 1, 0), new(6, 2, 2), new(8, 1, -1)];
        int[] ends = new int[9], roots = new int[3], tileEnds = new int[3];
        CudaAttention.Describe(nodes, 4, ends, roots, tileEnds);
        Assert.Equal([8, 8, 5, 5, 5, 8, 8, 8, 9], ends);
        Assert.Equal([0, 0, 8], roots);
        Assert.Equal([8, 8, 9], tileEnds);
        Assert.Throws<ArgumentException>(() => CudaAttention.Describe([new(0, 2, -1), new(3, 1, 0)], 4, ends, roots, tileEnds));
        Assert.Throws<ArgumentException>(
            () => CudaAttention.Describe([new(0, 1, -1), new(1, 1, -1), new(2, 1, 0)], 4, ends, roots, tileEnds));
    }

    /// <summary>The plans of the engine are in that order, for any sequences.</summary>
    [Fact]
    public void Describe_PlannedBatches_AreInPreorder()
    {
        var random = new Random(4);
        for (var round = 0; round < 50; round++)
        {
            // Few different tokens and long repetitions, so that many prefixes are shared.
            var sequences = Enumerable.Range(0, 20).Select(i => new TrainingSequence(
                [.. Enumerable.Repeat(random.Next(2), 16 + random.Next(3)), .. Enumerable.Repeat(random.Next(2), 16 + random.Next(20)), i % 5, i], 1)).ToArray();
            foreach (var batch in PackedBatch.Plan(sequences, 200))
            {
                int[] ends = new int[batch.RowCount], roots = new int[(batch.RowCount + 15) / 16], tileEnds = new int[roots.Length];
                CudaAttention.Describe([.. batch.Nodes.Select(node => new RowNode(node.Start, node.Length, node.Parent))], 16, ends, roots, tileEnds);
                Assert.All(ends, (end, row) => Assert.InRange(end, row + 1, batch.RowCount));
            }
        }
    }
}
