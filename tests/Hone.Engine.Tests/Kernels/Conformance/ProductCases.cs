using Hone.Engine;

namespace Hone.Kernels.Conformance;

/// <summary>Matrix products: projections, their gradients and low-rank updates.</summary>
internal static unsafe class ProductCases
{
    private static readonly (int Rows, int Outputs, int Inputs)[] Shapes = [(1, 5, 3), (7, 96, 72), (65, 40, 100), (130, 264, 384)];

    public static IEnumerable<KernelCase> All =>
    [
        .. from shape in Shapes
           from initial in new[] { "", " bias", " residual" }
           select new KernelCase($"project {shape.Rows}x{shape.Outputs}x{shape.Inputs}{initial}", true, memory => Project(memory, shape, initial)),
        .. from shape in Shapes
           select new KernelCase($"project_back {shape.Rows}x{shape.Outputs}x{shape.Inputs}", true, memory => ProjectBack(memory, shape)),
        .. from shape in Shapes
           select new KernelCase($"weight_gradient {shape.Rows}x{shape.Outputs}x{shape.Inputs}", true, memory => WeightGradient(memory, shape)),
        .. from shape in Shapes
           select new KernelCase($"low_rank {shape.Rows}x{shape.Outputs}x{shape.Inputs}", true, memory => LowRank(memory, shape)),
    ];

    private static double Project(KernelMemory memory, (int Rows, int Outputs, int Inputs) shape, string initial)
    {
        var (rows, outputs, inputs) = shape;
        float[] x = memory.Random(rows * inputs), w = memory.Random(outputs * inputs), start = memory.Random(rows * outputs);
        var weight = Weight(memory, w, outputs, inputs);
        var y = memory.New(rows * outputs);
        if (initial.Length == 0) memory.Kernels.Project(rows, memory.In(x), weight, y);
        else memory.Kernels.Project(rows, memory.In(x), weight, y, memory.In(start), initial == " bias" ? 0 : outputs);
        var expected = Product(rows, outputs, inputs, (row, k) => x[row * inputs + k], (k, column) => w[column * inputs + k]);
        for (var i = 0; i < expected.Length && initial.Length > 0; i++) expected[i] += initial == " bias" ? start[i % outputs] : start[i];
        return memory.Error(expected, y);
    }

    private static double ProjectBack(KernelMemory memory, (int Rows, int Outputs, int Inputs) shape)
    {
        var (rows, outputs, inputs) = shape;
        float[] dy = memory.Random(rows * outputs), w = memory.Random(outputs * inputs);
        var dx = memory.New(rows * inputs);
        memory.Kernels.ProjectBack(rows, memory.In(dy), Weight(memory, w, outputs, inputs), dx);
        return memory.Error(Product(rows, inputs, outputs, (row, k) => dy[row * outputs + k], (k, column) => w[k * inputs + column]), dx);
    }

    private static double WeightGradient(KernelMemory memory, (int Rows, int Outputs, int Inputs) shape)
    {
        var (rows, outputs, inputs) = shape;
        var stride = outputs + 8;
        float[] dy = memory.Random(rows * stride), x = memory.Random(rows * inputs), start = memory.Random(outputs * inputs);
        var dw = memory.In(start);
        memory.Kernels.AddWeightGradient(rows, outputs, inputs, memory.In(dy), stride, memory.In(x), dw);
        var expected = Product(outputs, inputs, rows, (row, k) => dy[k * stride + row], (k, column) => x[k * inputs + column]);
        for (var i = 0; i < expected.Length; i++) expected[i] += start[i];
        return memory.Error(expected, dw);
    }

    private static double LowRank(KernelMemory memory, (int Rows, int Outputs, int Inputs) shape)
    {
        const int Rank = 3;
        const float Scale = 2f;
        var (rows, outputs, inputs) = shape;
        var stride = outputs + 8;
        float[] down = memory.Random(Rank * inputs), up = memory.Random(outputs * Rank), dy = memory.Random(rows * stride), x = memory.Random(rows * inputs);
        float[] w = memory.Random(outputs * inputs), startDown = memory.Random(down.Length), startUp = memory.Random(up.Length);
        var update = new LowRankUpdate(memory.In(down), memory.In(up), outputs, inputs, Rank, Scale);
        float* merged = memory.In(w), dDown = memory.In(startDown), dUp = memory.In(startUp);
        memory.Kernels.AddLowRank(update, merged);
        memory.Kernels.AddLowRankGradient(
            update, rows, memory.In(dy), stride, memory.In(x), dDown, dUp, memory.New(memory.Kernels.LowRankScratch(update, rows)));
        var expected = Product(outputs, inputs, Rank, (row, k) => up[row * Rank + k], (k, column) => Scale * down[k * inputs + column]);
        for (var i = 0; i < expected.Length; i++) expected[i] += w[i];
        var projected = Product(rows, Rank, inputs, (row, k) => x[row * inputs + k], (k, column) => Scale * down[column * inputs + k]);
        var projectedGradient = Product(rows, Rank, outputs, (row, k) => dy[row * stride + k], (k, column) => Scale * up[k * Rank + column]);
        var ofUp = Product(outputs, Rank, rows, (row, k) => dy[k * stride + row], (k, column) => projected[k * Rank + column]);
        var ofDown = Product(Rank, inputs, rows, (row, k) => projectedGradient[k * Rank + row], (k, column) => x[k * inputs + column]);
        for (var i = 0; i < ofUp.Length; i++) ofUp[i] += startUp[i];
        for (var i = 0; i < ofDown.Length; i++) ofDown[i] += startDown[i];
        return memory.Error(expected, merged) + memory.Error(ofUp, dUp) + memory.Error(ofDown, dDown);
    }

    private static Projection Weight(KernelMemory memory, float[] values, int outputs, int inputs)
    {
        var length = memory.Kernels.PackedLength(outputs, inputs);
        var weight = new Projection(memory.In(values), length == 0 ? null : memory.New(length), outputs, inputs);
        if (length > 0) memory.Kernels.Pack(weight);
        return weight;
    }

    private static double[] Product(int rows, int columns, int depth, Func<int, int, double> left, Func<int, int, double> right)
    {
        var result = new double[rows * columns];
        for (var i = 0; i < result.Length; i++)
        {
            for (var k = 0; k < depth; k++) result[i] += left(i / columns, k) * right(k, i % columns);
        }

        return result;
    }
}
