using Hone.Engine;

namespace Hone.Kernels.Conformance;

/// <summary>Attention over prefix trees, forward and backward.</summary>
internal static unsafe class AttentionCases
{
    private static readonly (int Heads, int KeyHeads, int Width)[] Shapes = [(2, 2, 8), (4, 2, 20), (3, 1, 64), (4, 2, 128)];
    private static readonly RowNode[] Single = [new(0, 150, -1)];
    private static readonly RowNode[] Forest = [new(0, 40, -1), new(40, 1, -1), new(41, 90, -1)];

    // A tree of three levels between two texts without branches.
    private static readonly RowNode[] Tree =
        [new(0, 20, -1), new(20, 45, -1), new(65, 10, 1), new(75, 60, 2), new(135, 3, 2), new(138, 70, 1), new(208, 1, 5), new(209, 33, 5), new(242, 17, -1)];

    public static IEnumerable<KernelCase> All =>
        from tree in new[] { ("text", Single), ("texts", Forest), ("tree", Tree) }
        from shape in Shapes
        select new KernelCase(
            $"attention {tree.Item1} {shape.Heads}/{shape.KeyHeads}x{shape.Width}", false, memory => Attention(memory, tree.Item2, shape));

    private static double Attention(KernelMemory memory, RowNode[] nodes, (int Heads, int KeyHeads, int Width) shape)
    {
        var (heads, keyHeads, width) = shape;
        int rows = nodes[^1].Start + nodes[^1].Length, fusedWidth = (heads + 2 * keyHeads) * width, outputWidth = heads * width;
        float[] fused = memory.Random(rows * fusedWidth, 2), gradient = memory.Random(rows * outputWidth);
        using var attention = memory.Kernels.CreateAttention(heads, keyHeads, width);
        var view = new AttentionView(memory.In(fused), memory.New(rows * outputWidth), memory.New(rows * heads));
        var fusedGradient = memory.In(memory.Random(rows * fusedWidth)); // What was there must not matter.
        attention.Bind(nodes);
        attention.Forward(view);
        attention.Backward(view, memory.In(gradient), fusedGradient);

        double[] output = new double[rows * outputWidth], sums = new double[rows * heads], expected = new double[rows * fusedWidth];
        for (var i = 0; i < rows * heads; i++)
            Query(nodes, shape, i / heads, i % heads, fused, gradient, output, sums, expected);
        return memory.Error(output, view.Output) + memory.Error(sums, view.LogSumExp) + memory.Error(expected, fusedGradient);
    }

    private static void Query(
        RowNode[] nodes, (int Heads, int KeyHeads, int Width) shape, int row, int head, float[] fused, float[] gradient, double[] output,
        double[] sums, double[] fusedGradient)
    {
        var (heads, keyHeads, width) = shape;
        int stride = (heads + 2 * keyHeads) * width, keyHead = head / (heads / keyHeads);
        int keyColumn = (heads + keyHead) * width, valueColumn = (heads + keyHeads + keyHead) * width;
        int query = row * stride + head * width, to = row * heads * width + head * width;
        var seen = Context(nodes, row);
        var scale = 1 / Math.Sqrt(width);
        var scores = seen.Select(key => scale * Enumerable.Range(0, width).Sum(i => (double)fused[query + i] * fused[key * stride + keyColumn + i])).ToArray();
        var sum = sums[row * heads + head] = scores.Max() + Math.Log(scores.Sum(score => Math.Exp(score - scores.Max())));
        var p = scores.Select(score => Math.Exp(score - sum)).ToArray();
        for (var i = 0; i < width; i++)
        {
            for (var k = 0; k < p.Length; k++) output[to + i] += p[k] * fused[seen[k] * stride + valueColumn + i];
        }

        var mean = Enumerable.Range(0, width).Sum(i => gradient[to + i] * output[to + i]);
        for (var k = 0; k < p.Length; k++)
        {
            var at = seen[k] * stride;
            var dp = Enumerable.Range(0, width).Sum(i => (double)gradient[to + i] * fused[at + valueColumn + i]);
            var ds = p[k] * (dp - mean) * scale;
            for (var i = 0; i < width; i++)
            {
                fusedGradient[query + i] += ds * fused[at + keyColumn + i];
                fusedGradient[at + keyColumn + i] += ds * fused[query + i];
                fusedGradient[at + valueColumn + i] += p[k] * gradient[to + i];
            }
        }
    }

    // Rows that a row sees: those before it in its node, and the nodes above.
    private static int[] Context(RowNode[] nodes, int row)
    {
        var rows = new List<int>();
        var at = Array.FindIndex(nodes, node => row >= node.Start && row < node.Start + node.Length);
        rows.AddRange(Enumerable.Range(nodes[at].Start, row - nodes[at].Start + 1));
        for (at = nodes[at].Parent; at >= 0; at = nodes[at].Parent) rows.AddRange(Enumerable.Range(nodes[at].Start, nodes[at].Length));
        return [.. rows];
    }
}
