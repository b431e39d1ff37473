namespace Hone.Engine;

// For comparison only: generation on the processor has its own, faster way (HostInferenceModel).
internal sealed unsafe partial class CpuKernels
{
    public void StoreInPages(int rows, in PageShape shape, float* fused, KeyValuePage* places)
    {
        var (width, stride) = (shape.Width, (shape.Heads + 2 * shape.KeyHeads) * shape.Width);
        for (var row = 0; row < rows; row++)
        {
            for (var head = 0; head < shape.KeyHeads; head++)
            {
                var keys = (float*)places[row].Address + shape.KeysOf(head) + (nint)places[row].Position * width;
                var source = fused + (nint)row * stride + (shape.Heads + head) * width;
                new ReadOnlySpan<float>(source, width).CopyTo(new Span<float>(keys, width));
                new ReadOnlySpan<float>(source + shape.KeyHeads * width, width).CopyTo(new Span<float>(keys + shape.BlockPositions * width, width));
            }
        }
    }

    public void AttendToPages(in PagedRows rows, in PageShape shape, float* fused, float* output)
    {
        var (width, stride) = (shape.Width, (shape.Heads + 2 * shape.KeyHeads) * shape.Width);
        for (var row = 0; row < rows.Count; row++)
        {
            var pages = new ReadOnlySpan<KeyValuePage>(rows.Pages + rows.FirstPages[row], rows.PageCounts[row]);
            for (var head = 0; head < shape.Heads; head++)
            {
                var keys = shape.KeysOf(head / (shape.Heads / shape.KeyHeads));
                Attend(
                    pages, rows.Positions[row], shape, keys, fused + (nint)row * stride + head * width,
                    output + ((nint)row * shape.Heads + head) * width);
            }
        }
    }

    private void Attend(ReadOnlySpan<KeyValuePage> pages, int position, in PageShape shape, long offset, float* query, float* output)
    {
        var scores = new float[position + 1];
        fixed (float* values = scores)
        {
            foreach (var page in pages)
            {
                for (var i = 0; i < page.Count && page.Position + i <= position; i++)
                    values[page.Position + i] = vectors.Dot(query, (float*)page.Address + offset + (nint)i * shape.Width, shape.Width);
            }

            var sum = vectors.ExpOfScores(values, position + 1, 1f / MathF.Sqrt(shape.Width)).Sum;
            new Span<float>(output, shape.Width).Clear();
            foreach (var page in pages)
            {
                for (var i = 0; i < page.Count && page.Position + i <= position; i++)
                    vectors.AddScaled(
                        output, (float*)page.Address + offset + (nint)(shape.BlockPositions + i) * shape.Width, values[page.Position + i] / sum,
                        shape.Width);
            }
        }
    }
}
