namespace Hone.Engine.Cuda;

internal sealed unsafe partial class CudaKernels
{
    private const int PageThreads = 128;

    public IBlockAttention CreateAttention(int headCount, int keyValueHeadCount, int headWidth) =>
        new CudaAttention(_context, this, FunctionsOf(headWidth), headCount, keyValueHeadCount, headWidth);

    public void StoreInPages(int rows, in PageShape shape, float* fused, KeyValuePage* places) => _context.Launch(
        FunctionsOf(shape.Width).StoreInPages, new Grid(rows, PageThreads), fused, places, shape.Layer, shape.Heads, shape.KeyHeads,
        shape.BlockPositions);

    public void AttendToPages(in PagedRows rows, in PageShape shape, float* fused, float* output) => _context.Launch(
        FunctionsOf(shape.Width).AttendToPages, new Grid(rows.Count, PageThreads, shape.Heads), fused, output, rows.Positions, rows.FirstPages,
        rows.PageCounts, rows.Pages, shape.Layer, shape.Heads, shape.KeyHeads, shape.BlockPositions, 1f / MathF.Sqrt(shape.Width));

    // Compiled for each width of heads when it is first needed.
    private AttentionFunctions FunctionsOf(int headWidth)
    {
        lock (_gate)
        {
            if (!_attention.TryGetValue(headWidth, out var functions)) _attention[headWidth] = functions = new AttentionFunctions(_context, headWidth);
            return functions;
        }
    }
}
