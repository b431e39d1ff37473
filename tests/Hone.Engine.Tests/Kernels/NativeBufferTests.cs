namespace Hone.Engine.Tests.Kernels;

public sealed class NativeBufferTests
{
    // Blocks of the C library and pages of the system, and the sizes around the limit between them.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData((128 * 1024 / 4) - 81)]
    [InlineData((128 * 1024 / 4) - 80)]
    [InlineData((128 * 1024 / 4) - 79)]
    [InlineData(5_000_000)]
    public unsafe void Create_IsZeroedAlignedAndWritableToTheSlack(int length)
    {
        for (var repetition = 0; repetition < 3; repetition++)
        {
            using var buffer = new NativeBuffer(length);
            Assert.Equal(0u, (nuint)buffer.Pointer % 64);
            Assert.Equal(-1, buffer.Span.IndexOfAnyExcept(0f));
            new Span<float>(buffer.Pointer, length + NativeBuffer.Slack).Fill(1);
        }
    }

    [Fact]
    public unsafe void Dispose_Twice_IsHarmless_AndThePointerIsRefused()
    {
        var buffer = new NativeBuffer(1_000_000);
        buffer.Dispose();
        buffer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => (nint)buffer.Pointer);
    }
}
