using System.Globalization;

namespace Hone.Engine.Cuda;

/// <summary>The kernels of <c>rows.cu</c>.</summary>
internal sealed class RowFunctions(CudaContext context)
{
    private readonly nint _module = context.Load("rows.cu");

    public nint CopyRows => field != 0 ? field : field = context.Function(_module, "copy_rows");

    public nint Add => field != 0 ? field : field = context.Function(_module, "add");

    public nint ToBFloat16 => field != 0 ? field : field = context.Function(_module, "to_bfloat16");

    public nint ColumnSums => field != 0 ? field : field = context.Function(_module, "column_sums");

    public nint AddPartials => field != 0 ? field : field = context.Function(_module, "add_partials");

    public nint RmsNorm => field != 0 ? field : field = context.Function(_module, "rms_norm");

    public nint RmsNormBackward => field != 0 ? field : field = context.Function(_module, "rms_norm_backward");

    public nint RmsNormWeightSums => field != 0 ? field : field = context.Function(_module, "rms_norm_weight_sums");

    public nint Rotate => field != 0 ? field : field = context.Function(_module, "rotate");

    public nint SwiGlu => field != 0 ? field : field = context.Function(_module, "swiglu");

    public nint SwiGluBackward => field != 0 ? field : field = context.Function(_module, "swiglu_backward");

    public nint Gather => field != 0 ? field : field = context.Function(_module, "gather");

    public nint AddToTable => field != 0 ? field : field = context.Function(_module, "add_to_table");
}

/// <summary>The kernels of <c>softmax.cu</c>.</summary>
internal sealed class SoftmaxFunctions(CudaContext context)
{
    private readonly nint _module = context.Load("softmax.cu");

    public nint Statistics => field != 0 ? field : field = context.Function(_module, "softmax_statistics");

    public nint PickLogProbs => field != 0 ? field : field = context.Function(_module, "pick_log_probs");

    public nint Gradient => field != 0 ? field : field = context.Function(_module, "softmax_gradient");

    public nint AddAtTargets => field != 0 ? field : field = context.Function(_module, "add_at_targets");

    public nint SumOfSquares => field != 0 ? field : field = context.Function(_module, "sum_of_squares");

    public nint AdamW => field != 0 ? field : field = context.Function(_module, "adamw");
}

/// <summary>The kernels of <c>attention.cu</c> for one width of heads.</summary>
internal sealed class AttentionFunctions
{
    public AttentionFunctions(CudaContext context, int headWidth)
    {
        // The largest tile whose backward pass fits the shared memory of a multiprocessor.
        Tile = 64;
        while (Tile > 16 && SharedFloats(Tile, headWidth, matrices: 4) * sizeof(float) > context.MaxSharedBytes) Tile /= 2;
        ForwardBytes = SharedFloats(Tile, headWidth, matrices: 2) * sizeof(float);
        BackwardBytes = SharedFloats(Tile, headWidth, matrices: 4) * sizeof(float);
        if (BackwardBytes > context.MaxSharedBytes)
            throw new CudaException($"Attention heads of width {headWidth} need {BackwardBytes} bytes of shared memory; {context.DeviceName} has {context.MaxSharedBytes}.");
        var module = context.Load(
            "attention.cu", string.Create(CultureInfo.InvariantCulture, $"-DHEAD={headWidth}"),
            string.Create(CultureInfo.InvariantCulture, $"-DTILE={Tile}"));
        Forward = context.Function(module, "attention_forward", ForwardBytes);
        Means = context.Function(module, "attention_means");
        BackwardQueries = context.Function(module, "attention_backward_queries", BackwardBytes);
        BackwardKeys = context.Function(module, "attention_backward_keys", BackwardBytes);
        StoreInPages = context.Function(module, "store_in_pages");
        AttendToPages = context.Function(module, "attend_to_pages");
    }

    public int Tile { get; }

    public int ForwardBytes { get; }

    public int BackwardBytes { get; }

    public nint Forward { get; }

    public nint Means { get; }

    public nint BackwardQueries { get; }

    public nint BackwardKeys { get; }

    public nint StoreInPages { get; }

    public nint AttendToPages { get; }

    // As LD and LP in the source.
    private static int SharedFloats(int tile, int headWidth, int matrices) =>
        matrices * tile * (headWidth + (headWidth % 4 == 0 ? 4 : 1)) + tile * (tile + 4);
}
