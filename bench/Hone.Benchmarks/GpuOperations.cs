using System.Diagnostics;
using Hone.Engine;

namespace Hone.Benchmarks;

/// <summary>Milliseconds of the main operations of a training step at 8,064 rows.</summary>
internal static unsafe class GpuOperations
{
    private const int Length = 224, Texts = 36, Rows = Length * Texts;

    public static void Run(Figures figures, string prefix, ModelConfig config, IKernels kernels)
    {
        int hidden = config.HiddenSize, inner = config.FeedForwardSize, fused = config.FusedAttentionWidth;
        using var x = kernels.Allocate((long)Rows * Math.Max(fused, 2 * inner));
        using var y = kernels.Allocate((long)Rows * Math.Max(fused, 2 * inner));
        using var z = kernels.Allocate((long)Rows * Math.Max(fused, 2 * inner));
        using var w = kernels.Allocate(2L * inner * hidden);
        using var packed = kernels.Allocate(Math.Max(1, kernels.PackedLength(2 * inner, hidden)));
        using var sums = kernels.Allocate((long)Rows * config.HeadCount);
        float* a = x.Pointer, b = y.Pointer, c = z.Pointer;
        var weight = new Projection(w.Pointer, kernels.PackedLength(2 * inner, hidden) > 0 ? packed.Pointer : null, 2 * inner, hidden);
        using var attention = kernels.CreateAttention(config.HeadCount, config.KeyValueHeadCount, config.HeadWidth);
        attention.Bind([.. Enumerable.Range(0, Texts).Select(i => new RowNode(i * Length, Length, -1))]);
        var view = new AttentionView(a, b, sums.Pointer);
        void Add(string name, Action work) => figures.Add($"{prefix}_{name}_ms", Milliseconds(kernels, w.Pointer, work), "ms");
        Add("project", () => kernels.Project(Rows, a, weight, b));
        Add("project_back", () => kernels.ProjectBack(Rows, a, weight, b));
        Add("weight_gradient", () => kernels.AddWeightGradient(Rows, 2 * inner, hidden, a, 2 * inner, b, w.Pointer));
        Add("attention", () => attention.Forward(view));
        Add("attention_back", () => attention.Backward(view, b, c));
        Add("norm", () => kernels.RmsNorm(NormRows.Of(Rows, hidden), a, w.Pointer, b, sums.Pointer, 1e-6f));
        Add("norm_back", () => kernels.RmsNormBackward(NormRows.Of(Rows, hidden), b, a, w.Pointer, sums.Pointer, c, w.Pointer, true));
        Add("swiglu", () => kernels.SwiGlu(Rows, inner, a, b));
        Add("swiglu_back", () => kernels.SwiGluBackward(Rows, inner, a, b, c));
    }

    private static double Milliseconds(IKernels kernels, float* any, Action work)
    {
        const int Repetitions = 20;
        Span<float> one = stackalloc float[1];
        work();
        kernels.CopyOut(any, one); // Waits.
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < Repetitions; i++) work();
        kernels.CopyOut(any, one);
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds / Repetitions;
    }
}
