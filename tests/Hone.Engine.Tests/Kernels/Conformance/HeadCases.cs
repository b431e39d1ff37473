using Hone.Engine;

namespace Hone.Kernels.Conformance;

/// <summary>The output head: softmax statistics, log-probabilities of targets and their gradient.</summary>
internal static unsafe class HeadCases
{
    public static IEnumerable<KernelCase> All =>
        from width in new[] { 5, 300, 2100 } select new KernelCase($"softmax {width}", false, memory => Softmax(memory, width));

    private static double Softmax(KernelMemory memory, int width)
    {
        const int Rows = 33, FirstRow = 10;
        const float Scale = 1.3f;
        var logits = memory.Random(Rows * width, 8);
        // A row without targets, rows with one, with several, and with the same target twice.
        int[] rows = [.. Enumerable.Range(1, Rows - 1), .. Enumerable.Repeat(4, 3), .. Enumerable.Repeat(7, 2)];
        Array.Sort(rows);
        var tokens = memory.Tokens(rows.Length, width);
        var twice = Array.IndexOf(rows, 7);
        tokens[twice + 1] = tokens[twice];
        float[] weights = memory.Random(Rows), values = memory.Random(rows.Length);
        float* matrix = memory.In(logits), sums = memory.New(Rows), entropies = memory.New(Rows), logProbs = memory.New(rows.Length);
        var targets = new TargetList(memory.In([.. rows.Select(row => row + FirstRow)]), memory.In(tokens), rows.Length, FirstRow);
        memory.Kernels.SoftmaxStatistics(Rows, width, matrix, Scale, sums, entropies);
        memory.Kernels.PickLogProbs(targets, width, matrix, Scale, sums, logProbs);
        memory.Kernels.SoftmaxGradient(Rows, width, matrix, Scale, sums, memory.In(weights));
        memory.Kernels.AddAtTargets(targets, width, matrix, Scale, memory.In(values));

        double[] logSums = new double[Rows], entropy = new double[Rows], gradient = new double[Rows * width];
        for (var row = 0; row < Rows; row++)
        {
            var z = logits.Skip(row * width).Take(width).Select(value => (double)value * Scale).ToArray();
            logSums[row] = z.Max() + Math.Log(z.Sum(value => Math.Exp(value - z.Max())));
            for (var i = 0; i < width; i++)
            {
                var p = Math.Exp(z[i] - logSums[row]);
                entropy[row] -= p * (z[i] - logSums[row]);
                gradient[row * width + i] = -weights[row] * Scale * p;
            }
        }

        var picked = new double[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            picked[i] = logits[rows[i] * width + tokens[i]] * (double)Scale - logSums[rows[i]];
            gradient[rows[i] * width + tokens[i]] += Scale * values[i];
        }

        return memory.Error(logSums, sums) + memory.Error(entropy, entropies) + memory.Error(picked, logProbs) + memory.Error(gradient, matrix);
    }
}
