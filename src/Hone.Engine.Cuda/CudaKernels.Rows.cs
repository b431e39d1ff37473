namespace Hone.Engine.Cuda;

internal sealed unsafe partial class CudaKernels
{
    public void RmsNorm(in NormRows shape, float* x, float* weight, float* y, float* inverses, float epsilon) => _context.Launch(
        _rows.RmsNorm, OverVectors((long)shape.Rows * shape.Groups), shape.Rows, shape.Groups, shape.Width, (long)shape.XStride, (long)shape.YStride,
        shape.InverseStride, shape.Index, x, weight, y, inverses, epsilon);

    public void RmsNormBackward(in NormRows shape, float* dy, float* x, float* weight, float* inverses, float* dx, float* dweight, bool accumulate)
    {
        var vectors = (long)shape.Rows * shape.Groups;
        if (dweight is not null)
        {
            // First, because dx may take dy's place.
            lock (_gate)
            {
                var grid = Partials(vectors, shape.Width, out var partial);
                _context.Launch(
                    _rows.RmsNormWeightSums, grid, shape.Rows, shape.Groups, shape.Width, (long)shape.XStride, (long)shape.YStride,
                    shape.InverseStride, shape.Index, dy, x, inverses, partial);
                _context.Launch(_rows.AddPartials, Over(shape.Width), grid.BlocksY, shape.Width, partial, dweight);
            }
        }

        _context.Launch(
            _rows.RmsNormBackward, OverVectors(vectors), shape.Rows, shape.Groups, shape.Width, (long)shape.XStride, (long)shape.YStride,
            shape.InverseStride, shape.Index, dy, x, weight, inverses, dx, accumulate ? 1 : 0);
    }

    public void Rotate(int rows, int heads, int width, float* x, nint stride, int* positions, float* cosines, float* sines, float direction) =>
        _context.Launch(
            _rows.Rotate, new Grid(rows, Threads), heads, width, x, (long)stride, positions, cosines, sines, direction);

    public void SwiGlu(int rows, int width, float* gateUp, float* y) =>
        _context.Launch(_rows.SwiGlu, new Grid(rows, Threads), width, gateUp, y);

    public void SwiGluBackward(int rows, int width, float* gateUp, float* dy, float* dGateUp) =>
        _context.Launch(_rows.SwiGluBackward, new Grid(rows, Threads), width, gateUp, dy, dGateUp);

    public void Gather(int rows, int width, float* table, int* tokens, float* target) =>
        _context.Launch(_rows.Gather, new Grid(rows, Threads), width, table, tokens, target);

    public void AddToTable(int width, in TokenRows rows, float* source, float* table) =>
        _context.Launch(_rows.AddToTable, new Grid(rows.Count, Threads), rows.Count, width, rows.Tokens, rows.Order, source, table);

    public void SoftmaxStatistics(int rows, int width, float* logits, float scale, float* logSums, float* entropies) =>
        _context.Launch(_softmax.Statistics, new Grid(rows, Threads), width, logits, scale, logSums, entropies);

    public void PickLogProbs(in TargetList targets, int width, float* logits, float scale, float* logSums, float* logProbs) => _context.Launch(
        _softmax.PickLogProbs, Over(targets.Count), targets.Count, targets.Rows, targets.Tokens, targets.FirstRow, width, logits, scale, logSums,
        logProbs);

    public void SoftmaxGradient(int rows, int width, float* logits, float scale, float* logSums, float* weights) =>
        _context.Launch(_softmax.Gradient, new Grid(rows, Threads), width, logits, scale, logSums, weights);

    public void AddAtTargets(in TargetList targets, int width, float* logits, float scale, float* values) => _context.Launch(
        _softmax.AddAtTargets, Over(targets.Count), targets.Count, targets.Rows, targets.Tokens, targets.FirstRow, width, logits, scale, values);

    // A warp per vector.
    private static Grid OverVectors(long vectors) => new((vectors + Threads / Warp - 1) / (Threads / Warp), Threads);
}
