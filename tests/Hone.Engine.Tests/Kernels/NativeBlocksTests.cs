namespace Hone.Engine.Tests.Kernels;

public sealed class NativeBlocksTests
{
    [Theory]
    [InlineData(100, 100)]
    [InlineData(4096, 4096)]
    [InlineData(4097, 4608)]
    [InlineData(5000, 5120)]
    [InlineData(8191, 8192)]
    [InlineData(1_000_000, 1_048_576)]
    [InlineData(17_000_000, 17_000_000)]
    public void SizeOf_RoundsToAClass(long bytes, long size) => Assert.Equal(size, NativeBlocks.SizeOf(bytes));

    [Fact]
    public void SizeOf_AnySize_WastesAnEighthAtMost()
    {
        for (var bytes = 4096L; bytes < 16 * 1024 * 1024; bytes += 997)
            Assert.InRange(NativeBlocks.SizeOf(bytes), bytes, bytes + (bytes / 8) + 1);
    }

    /// <summary>A block given out again holds nothing of what was in it.</summary>
    [Fact]
    public unsafe void Buffer_AfterManyOthers_IsZeroedAndItsOwn()
    {
        for (var round = 0; round < 50; round++)
        {
            var buffers = Enumerable.Range(1, 20).Select(i => new NativeBuffer(i * 1777)).ToArray();
            Assert.All(buffers, buffer => Assert.False(buffer.Span.ContainsAnyExcept(0f)));
            for (var i = 0; i < buffers.Length; i++)
                buffers[i].Span.Fill(i + 1);
            Assert.All(buffers.Index(), entry => Assert.False(entry.Item.Span.ContainsAnyExcept(entry.Index + 1f)));
            Assert.All(buffers, buffer => Assert.Equal(0, (nint)buffer.Pointer % 64));
            foreach (var buffer in buffers)
                buffer.Dispose();
        }
    }

    [Fact]
    public async Task Buffers_OnManyThreads_AreApart()
    {
        await Parallel.ForAsync(0, 200, TestContext.Current.CancellationToken, (i, _) =>
        {
            using var first = new NativeBuffer(5_000 + i);
            using var second = new NativeBuffer(5_000 + i);
            first.Span.Fill(i);
            second.Span.Fill(-i);
            Assert.False(first.Span.ContainsAnyExcept(i));
            return ValueTask.CompletedTask;
        });
    }
}
