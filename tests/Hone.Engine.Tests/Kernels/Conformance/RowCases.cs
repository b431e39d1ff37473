using Hone.Engine;

namespace Hone.Kernels.Conformance;

/// <summary>Norms, rotation, activation, tables, copies, sums and the optimizer.</summary>
internal static unsafe class RowCases
{
    private static readonly (int Rows, int Columns)[] Sizes = [(1, 5), (130, 33), (700, 96)];
    private static readonly (int Rows, int Groups, int Width)[] Norms = [(3, 1, 24), (70, 1, 300), (33, 3, 20), (9, 4, 64)];

    public static IEnumerable<KernelCase> All =>
    [
        new("copy_rows", false, CopyRows),
        new("copy_zero_add", false, CopyZeroAdd),
        .. from shape in Sizes
           select new KernelCase($"column_sums {shape.Rows}x{shape.Columns}", false, memory => ColumnSums(memory, shape.Rows, shape.Columns)),
        .. from shape in Norms
           from indexed in new[] { false, true }
           select new KernelCase(
               $"rms_norm {shape.Rows}x{shape.Groups}x{shape.Width}{(indexed ? " indexed" : "")}", false,
               memory => RmsNorm(memory, shape.Rows, shape.Groups, shape.Width, indexed)),
        .. from direction in new[] { 1f, -1f } select new KernelCase($"rotate {direction}", false, memory => Rotate(memory, direction)),
        new("swiglu", false, memory => SwiGlu(memory, backward: false)),
        new("swiglu backward", false, memory => SwiGlu(memory, backward: true)),
        new("gather", false, Gather),
        new("add_to_table", false, AddToTable),
        .. from length in new[] { 1, 1000, 300_001 } select new KernelCase($"sum_of_squares {length}", false, memory => SumOfSquares(memory, length)),
        new("adamw", false, AdamW),
    ];

    private static double CopyRows(KernelMemory memory)
    {
        var source = memory.Random(7 * 20);
        float* target = memory.New(7 * 16), bias = memory.New(7 * 16);
        memory.Kernels.CopyRows(7, 16, memory.In(source), 20, target, 16);
        memory.Kernels.CopyRows(7, 16, memory.In(source), 0, bias, 16);
        var (expected, repeated) = (new double[7 * 16], new double[7 * 16]);
        for (var i = 0; i < expected.Length; i++) (expected[i], repeated[i]) = (source[i / 16 * 20 + i % 16], source[i % 16]);
        return memory.Error(expected, target) + memory.Error(repeated, bias);
    }

    private static double CopyZeroAdd(KernelMemory memory)
    {
        float[] left = memory.Random(1003), right = memory.Random(1003);
        float* target = memory.New(1003), source = memory.In(right);
        memory.Kernels.Copy(memory.In(left), target, 1003);
        memory.Kernels.Add(target, source, 1003);
        memory.Kernels.Zero(target, 10);
        return memory.Error([.. left.Select((value, i) => i < 10 ? 0 : (double)value + right[i])], target);
    }

    private static double ColumnSums(KernelMemory memory, int rows, int columns)
    {
        var stride = columns + 3;
        float[] source = memory.Random(rows * stride), start = memory.Random(columns);
        var target = memory.In(start);
        memory.Kernels.AddColumnSums(rows, columns, memory.In(source), stride, target);
        var expected = start.Select(value => (double)value).ToArray();
        for (var i = 0; i < rows * columns; i++) expected[i % columns] += source[i / columns * stride + i % columns];
        return memory.Error(expected, target);
    }

    private static double RmsNorm(KernelMemory memory, int rows, int groups, int width, bool indexed)
    {
        const float Epsilon = 1e-5f;
        int xRows = indexed ? 2 * rows : rows, stride = groups * width + (indexed ? 0 : 8);
        var index = indexed ? Enumerable.Range(0, rows).Select(row => 2 * row + 1).ToArray() : null;
        float[] x = memory.Random(xRows * stride), weight = memory.Random(width), dy = memory.Random(rows * stride), start = memory.Random(xRows * stride);
        var shape = new NormRows(rows, groups, width, stride, stride, groups, index is null ? null : memory.In(index));
        float* xs = memory.In(x), weights = memory.In(weight), y = memory.New(rows * stride), inverses = memory.New(rows * groups);
        float* dx = memory.In(start), gradient = memory.In(dy), dWeight = memory.New(width);
        memory.Kernels.RmsNorm(shape, xs, weights, y, inverses, Epsilon);
        memory.Kernels.RmsNormBackward(shape, gradient, xs, weights, inverses, dx, dWeight, accumulate: true);
        if (!indexed) memory.Kernels.RmsNormBackward(shape, gradient, xs, weights, inverses, gradient, null, accumulate: false);
        double[] output = new double[rows * stride], scales = new double[rows * groups], ofWeight = new double[width];
        double[] added = [.. start.Select(value => (double)value)], replaced = [.. dy.Select(value => (double)value)];
        for (var vector = 0; vector < rows * groups; vector++)
        {
            var (row, group) = (vector / groups, vector % groups);
            int at = (index is null ? row : index[row]) * stride + group * width, to = row * stride + group * width;
            double squares = 0, product = 0;
            for (var i = 0; i < width; i++) squares += (double)x[at + i] * x[at + i];
            for (var i = 0; i < width; i++) product += (double)dy[to + i] * weight[i] * x[at + i];
            var s = scales[vector] = 1 / Math.Sqrt(squares / width + Epsilon);
            for (var i = 0; i < width; i++)
            {
                output[to + i] = x[at + i] * s * weight[i];
                ofWeight[i] += dy[to + i] * x[at + i] * s;
                var value = dy[to + i] * weight[i] * s - x[at + i] * s * s * s * product / width;
                added[at + i] += value;
                replaced[to + i] = value;
            }
        }

        return memory.Error(output, y) + memory.Error(scales, inverses) + memory.Error(added, dx) + memory.Error(ofWeight, dWeight)
            + (indexed ? 0 : memory.Error(replaced, gradient));
    }

    private static double Rotate(KernelMemory memory, float direction)
    {
        const int Rows = 37, Heads = 3, Width = 20, Stride = 72, Half = Width / 2;
        var x = memory.Random(Rows * Stride);
        int[] positions = memory.Tokens(Rows, 50);
        float[] cosines = memory.Random(50 * Half), sines = memory.Random(50 * Half);
        var values = memory.In(x);
        memory.Kernels.Rotate(Rows, Heads, Width, values, Stride, memory.In(positions), memory.In(cosines), memory.In(sines), direction);
        double[] expected = [.. x.Select(value => (double)value)];
        for (var row = 0; row < Rows; row++)
        {
            for (var i = 0; i < Heads * Half; i++)
            {
                var (at, entry) = (row * Stride + i / Half * Width + i % Half, positions[row] * Half + i % Half);
                double a = x[at], b = x[at + Half], cosine = cosines[entry], sine = direction * sines[entry];
                (expected[at], expected[at + Half]) = (a * cosine - b * sine, b * cosine + a * sine);
            }
        }

        return memory.Error(expected, values);
    }

    private static double SwiGlu(KernelMemory memory, bool backward)
    {
        const int Rows = 41, Width = 52;
        float[] gateUp = memory.Random(Rows * Width * 2, 4), dy = memory.Random(Rows * Width);
        float* input = memory.In(gateUp), y = memory.New(Rows * Width), gradient = memory.New(Rows * Width * 2);
        memory.Kernels.SwiGlu(Rows, Width, input, y);
        memory.Kernels.SwiGluBackward(Rows, Width, input, memory.In(dy), gradient);
        double[] output = new double[Rows * Width], expected = new double[Rows * Width * 2];
        for (var i = 0; i < output.Length; i++)
        {
            var at = i / Width * 2 * Width + i % Width;
            double gate = gateUp[at], up = gateUp[at + Width], s = 1 / (1 + Math.Exp(-gate));
            output[i] = gate * s * up;
            (expected[at], expected[at + Width]) = (dy[i] * up * s * (1 + gate * (1 - s)), dy[i] * gate * s);
        }

        return backward ? memory.Error(expected, gradient) : memory.Error(output, y);
    }

    private static double Gather(KernelMemory memory)
    {
        var (table, tokens) = (memory.Random(50 * 36), memory.Tokens(90, 50));
        var target = memory.New(90 * 36);
        memory.Kernels.Gather(90, 36, memory.In(table), memory.In(tokens), target);
        return memory.Error([.. Enumerable.Range(0, 90 * 36).Select(i => (double)table[tokens[i / 36] * 36 + i % 36])], target);
    }

    private static double AddToTable(KernelMemory memory)
    {
        float[] table = memory.Random(20 * 36), source = memory.Random(90 * 36);
        var tokens = memory.Tokens(90, 20);
        int[] order = [.. Enumerable.Range(0, 90).OrderBy(row => tokens[row]).ThenBy(row => row)];
        var target = memory.In(table);
        memory.Kernels.AddToTable(36, new TokenRows(memory.In(tokens), memory.In(order), 90), memory.In(source), target);
        double[] expected = [.. table.Select(value => (double)value)];
        for (var i = 0; i < 90 * 36; i++) expected[tokens[i / 36] * 36 + i % 36] += source[i];
        return memory.Error(expected, target);
    }

    private static double SumOfSquares(KernelMemory memory, int length)
    {
        var values = memory.Random(length);
        var expected = values.Sum(value => (double)value * value);
        return Math.Abs(memory.Kernels.SumOfSquares(memory.In(values), length) - expected) / expected;
    }

    private static double AdamW(KernelMemory memory)
    {
        const int Length = 1003;
        var update = new AdamWUpdate(1e-2f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.5f, 1 / (1 - 0.81f), 1 / (1 - 0.9025f));
        float[] w = memory.Random(Length), g = memory.Random(Length), m = memory.Random(Length), v = [.. memory.Random(Length).Select(Math.Abs)];
        float* weights = memory.In(w), first = memory.In(m), second = memory.In(v);
        memory.Kernels.AdamW(weights, memory.In(g), first, second, Length, update);
        double[] newFirst = new double[Length], newSecond = new double[Length], newWeights = new double[Length];
        for (var i = 0; i < Length; i++)
        {
            var scaled = g[i] * 0.5;
            newFirst[i] = 0.9f * (double)m[i] + (1 - 0.9f) * scaled;
            newSecond[i] = 0.95f * (double)v[i] + (1 - 0.95f) * scaled * scaled;
            newWeights[i] = w[i] * (1 - 1e-3) - 1e-2 * newFirst[i] * update.Correction1 / (Math.Sqrt(newSecond[i] * update.Correction2) + 1e-8);
        }

        return memory.Error(newWeights, weights) + memory.Error(newFirst, first) + memory.Error(newSecond, second);
    }
}
