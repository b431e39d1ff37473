namespace Hone.Engine;

internal sealed unsafe partial class CpuKernels
{
    public void RmsNorm(in NormRows shape, float* x, float* weight, float* y, float* inverses, float epsilon)
    {
        for (var row = 0; row < shape.Rows; row++)
        {
            float* from = x + (shape.Index is null ? row : shape.Index[row]) * shape.XStride, to = y + row * shape.YStride;
            var scales = inverses + (nint)row * shape.InverseStride;
            for (var group = 0; group < shape.Groups; group++, from += shape.Width, to += shape.Width)
                scales[group] = vectors.RmsNorm(from, weight, to, shape.Width, epsilon);
        }
    }

    public void RmsNormBackward(in NormRows shape, float* dy, float* x, float* weight, float* inverses, float* dx, float* dweight, bool accumulate)
    {
        for (var row = 0; row < shape.Rows; row++)
        {
            nint at = shape.Index is null ? row : shape.Index[row];
            float* gradient = dy + row * shape.YStride, from = x + at * shape.XStride, to = dx + at * shape.YStride;
            var scales = inverses + (nint)row * shape.InverseStride;
            for (var group = 0; group < shape.Groups; group++, gradient += shape.Width, from += shape.Width, to += shape.Width)
                vectors.RmsNormBackward(gradient, from, weight, scales[group], to, dweight, shape.Width, accumulate);
        }
    }

    public void Rotate(int rows, int heads, int width, float* x, nint stride, int* positions, float* cosines, float* sines, float direction)
    {
        var half = width / 2;
        for (var row = 0; row < rows; row++, x += stride)
        {
            var at = (nint)positions[row] * half;
            for (var head = 0; head < heads; head++) vectors.Rotate(x + head * width, cosines + at, sines + at, half, direction);
        }
    }

    public void SwiGlu(int rows, int width, float* gateUp, float* y)
    {
        for (var row = 0; row < rows; row++, gateUp += 2 * width, y += width) vectors.SwiGlu(gateUp, gateUp + width, y, width);
    }

    public void SwiGluBackward(int rows, int width, float* gateUp, float* dy, float* dGateUp)
    {
        for (var row = 0; row < rows; row++, gateUp += 2 * width, dy += width, dGateUp += 2 * width)
            vectors.SwiGluBackward(gateUp, gateUp + width, dy, dGateUp, dGateUp + width, width);
    }

    public IBlockAttention CreateAttention(int headCount, int keyValueHeadCount, int headWidth) =>
        new BlockAttention(vectors, headCount, keyValueHeadCount, headWidth);

    public void Gather(int rows, int width, float* table, int* tokens, float* target)
    {
        for (var row = 0; row < rows; row++, target += width)
            new ReadOnlySpan<float>(table + (nint)tokens[row] * width, width).CopyTo(new Span<float>(target, width));
    }

    public void AddToTable(int width, in TokenRows rows, float* source, float* table)
    {
        for (var row = 0; row < rows.Count; row++, source += width) vectors.Add(table + (nint)rows.Tokens[row] * width, source, width);
    }

    public void SoftmaxStatistics(int rows, int width, float* logits, float scale, float* logSums, float* entropies)
    {
        for (var row = 0; row < rows; row++, logits += width)
            (logSums[row], entropies[row]) = vectors.Statistics(logits, width, scale);
    }

    public void PickLogProbs(in TargetList targets, int width, float* logits, float scale, float* logSums, float* logProbs)
    {
        for (var i = 0; i < targets.Count; i++)
        {
            nint row = targets.Rows[i] - targets.FirstRow;
            logProbs[i] = logits[row * width + targets.Tokens[i]] * scale - logSums[row];
        }
    }

    public void SoftmaxGradient(int rows, int width, float* logits, float scale, float* logSums, float* weights)
    {
        for (var row = 0; row < rows; row++, logits += width)
        {
            vectors.ExpShifted(logits, width, scale, logSums[row]);
            vectors.Scale(logits, -weights[row] * scale, width);
        }
    }

    public void AddAtTargets(in TargetList targets, int width, float* logits, float scale, float* values)
    {
        for (var i = 0; i < targets.Count; i++)
            logits[(nint)(targets.Rows[i] - targets.FirstRow) * width + targets.Tokens[i]] += values[i] * scale;
    }
}
