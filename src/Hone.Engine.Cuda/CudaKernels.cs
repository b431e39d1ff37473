namespace Hone.Engine.Cuda;

/// <summary>
/// The arithmetic of training on a GPU: matrix products by cuBLAS, the rest by kernels compiled for the device. Everything goes to one stream; operations
/// hold a lock, because products and scratch memory are shared. Results repeat from run to run on the same device and libraries.
/// </summary>
internal sealed unsafe partial class CudaKernels : IKernels, IDisposable
{
    private const int Threads = 256, Warp = 32, ReductionBlocks = 1024;
    private const long MaxBlocks = 1 << 16;

    private readonly Lock _gate = new();
    private readonly CudaContext _context;
    private readonly CudaOptions _options;
    private readonly RowFunctions _rows;
    private readonly SoftmaxFunctions _softmax;
    private readonly Dictionary<int, AttentionFunctions> _attention = [];
    private readonly nint _blas;
    private readonly CudaBuffer _reduction;
    private CudaBuffer? _partial, _left, _right;
    private Operand _leftHolds;

    public CudaKernels(CudaContext context, CudaOptions options)
    {
        (_context, _options) = (context, options);
        if (options.Precision != CudaPrecision.Float32 && context.Architecture < 80)
            throw new CudaException(
                $"{options.Precision} needs compute capability 8.0; {context.DeviceName} has {context.Architecture / 10}.{context.Architecture % 10}. " +
                $"Use {nameof(CudaPrecision)}.{nameof(CudaPrecision.Float32)}.");
        _rows = new RowFunctions(context);
        _softmax = new SoftmaxFunctions(context);
        _blas = CuBlas.Create(context.Stream);
        _reduction = new CudaBuffer(context, 2 * ReductionBlocks);
    }

    public string Name => _context.DeviceName;

    public CudaPrecision Precision => _options.Precision;

    public bool IsHost => false;

    public int MicrobatchRows => _options.MicrobatchRows;

    public long MaxLogits => 1L << 29;

    public FloatBuffer Allocate(long length) => new CudaBuffer(_context, length);

    public void Zero(float* target, long length)
    {
        if (length == 0) return;
        _context.EnterToChange();
        Driver.Check(Driver.cuMemsetD32Async((ulong)target, 0, (nuint)length, _context.Stream), "cuMemsetD32Async");
    }

    // The driver copies pageable memory aside before it returns: the source may change then.
    public void CopyIn(ReadOnlySpan<float> source, float* target)
    {
        if (source.IsEmpty) return;
        _context.EnterToChange();
        fixed (float* from = source)
            Driver.Check(
                Driver.cuMemcpyHtoDAsync_v2((ulong)target, from, (nuint)source.Length * sizeof(float), _context.Stream), "copying to the GPU");
    }

    public void CopyOut(float* source, Span<float> target)
    {
        if (target.IsEmpty) return;
        _context.Enter();
        fixed (float* to = target)
        {
            Driver.Check(
                Driver.cuMemcpyDtoHAsync_v2(to, (ulong)source, (nuint)target.Length * sizeof(float), _context.Stream), "copying from the GPU");
            _context.Wait();
        }
    }

    public void Copy(float* source, float* target, long length)
    {
        if (length == 0) return;
        _context.EnterToChange();
        Driver.Check(
            Driver.cuMemcpyDtoDAsync_v2((ulong)target, (ulong)source, (nuint)length * sizeof(float), _context.Stream), "copying on the GPU");
    }

    public void CopyRows(int rows, int columns, float* source, nint sourceStride, float* target, nint targetStride) =>
        _context.Launch(
            _rows.CopyRows, new Grid(rows, Threads), columns, source, (long)sourceStride, target, (long)targetStride);

    public void Add(float* target, float* source, long length) => _context.Launch(_rows.Add, Over(length), target, source, length);

    public void AddColumnSums(int rows, int columns, float* source, nint stride, float* target)
    {
        lock (_gate)
        {
            var grid = Partials(rows, columns, out var partial);
            _context.Launch(_rows.ColumnSums, grid, rows, columns, source, (long)stride, partial);
            _context.Launch(_rows.AddPartials, Over(columns), grid.BlocksY, columns, partial, target);
        }
    }

    public double SumOfSquares(float* values, long length)
    {
        if (length == 0) return 0;
        Span<double> sums = stackalloc double[ReductionBlocks];
        lock (_gate)
        {
            _context.Launch(_softmax.SumOfSquares, new Grid(ReductionBlocks, Threads), values, length, (double*)_reduction.Pointer);
            CopyOut(_reduction.Pointer, System.Runtime.InteropServices.MemoryMarshal.Cast<double, float>(sums));
        }

        var sum = 0.0;
        foreach (var partial in sums) sum += partial;
        return sum;
    }

    public void AdamW(float* weights, float* gradients, float* firstMoments, float* secondMoments, long length, in AdamWUpdate update) =>
        _context.Launch(
            _softmax.AdamW, Over(length), weights, gradients, firstMoments, secondMoments, length, update.LearningRate * update.Correction1,
            update.Beta1, update.Beta2, update.Epsilon, 1 - update.LearningRate * update.Decay, update.GradientScale, update.Correction2);

    public void Dispose()
    {
        if (_context.IsDisposed) return;
        _context.Enter();
        _context.Wait();
        CuBlas.Destroy(_blas);
        _reduction.Dispose();
        _partial?.Dispose();
        _left?.Dispose();
        _right?.Dispose();
    }

    // A thread per element, or several elements for each where there are very many.
    private static Grid Over(long length) => new(Math.Min(MaxBlocks, (length + Threads - 1) / Threads), Threads);

    private CudaBuffer Scratch(ref CudaBuffer? buffer, long length)
    {
        if (buffer is not null && buffer.Capacity >= length) return buffer;
        buffer?.Dispose();
        return buffer = new CudaBuffer(_context, length);
    }

    // Blocks of 32 × 8 threads over columns and slices of the rows, and where their sums go [slices, columns].
    private Grid Partials(long rows, int columns, out float* partial)
    {
        var slices = (int)Math.Clamp(rows / 64, 1, 64);
        partial = Scratch(ref _partial, (long)slices * columns).Pointer;
        return new Grid((columns + Warp - 1) / Warp, Warp, slices, Threads / Warp);
    }
}
