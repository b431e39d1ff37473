namespace Hone.Engine.Cuda;

// A row-major matrix is its transpose in column-major order, so that every product C = A · B is asked for as Cᵀ = Bᵀ · Aᵀ.
internal sealed unsafe partial class CudaKernels
{
    private bool UsesBFloat16 => _options.Precision == CudaPrecision.BFloat16;

    // The compute type of products of float32 operands.
    private int Compute => _options.Precision == CudaPrecision.Float32 ? CuBlas.ComputeFloat32 : CuBlas.ComputeTensorFloat32;

    // A copy of the weight in bfloat16, two to a float.
    public long PackedLength(int outputs, int inputs) => UsesBFloat16 ? ((long)outputs * inputs + 1) / 2 : 0;

    public void Pack(in Projection weight) => ToBFloat16(weight.Outputs, weight.Inputs, weight.Matrix, weight.Inputs, (ushort*)weight.Packed);

    public void Project(int rows, float* x, in Projection weight, float* y, float* initial = null, nint initialStride = 0)
    {
        if (rows == 0) return;
        var (outputs, inputs) = (weight.Outputs, weight.Inputs);
        lock (_gate)
        {
            if (initial is not null && initial != y) CopyRows(rows, outputs, initial, initialStride, y, outputs);
            var beta = initial is null ? 0f : 1f;
            if (UsesBFloat16)
                CuBlas.Multiply(
                    _blas, CuBlas.Transposed, CuBlas.NotTransposed, outputs, rows, inputs, 1, weight.Packed, CuBlas.BFloat16, inputs,
                    RoundedLeft(rows, inputs, x, inputs), inputs, beta, y, outputs, CuBlas.ComputeFloat32);
            else
                CuBlas.Multiply(
                    _blas, CuBlas.Transposed, CuBlas.NotTransposed, outputs, rows, inputs, 1, weight.Matrix, CuBlas.Float32, inputs, x, inputs, beta, y,
                    outputs, Compute);
            Forget(y);
        }
    }

    public void ProjectBack(int rows, float* dy, in Projection weight, float* dx)
    {
        if (rows == 0) return;
        var (outputs, inputs) = (weight.Outputs, weight.Inputs);
        lock (_gate)
        {
            if (UsesBFloat16)
                CuBlas.Multiply(
                    _blas, CuBlas.NotTransposed, CuBlas.NotTransposed, inputs, rows, outputs, 1, weight.Packed, CuBlas.BFloat16, inputs,
                    RoundedLeft(rows, outputs, dy, outputs), outputs, 0, dx, inputs, CuBlas.ComputeFloat32);
            else
                CuBlas.Multiply(
                    _blas, CuBlas.NotTransposed, CuBlas.NotTransposed, inputs, rows, outputs, 1, weight.Matrix, CuBlas.Float32, inputs, dy, outputs, 0,
                    dx, inputs, Compute);
            Forget(dx);
        }
    }

    public void AddWeightGradient(int rows, int outputs, int inputs, float* dy, nint stride, float* x, float* dw)
    {
        if (rows == 0) return;
        lock (_gate)
        {
            if (UsesBFloat16)
            {
                void* left = RoundedLeft(rows, outputs, dy, stride), right = RoundedRight(rows, inputs, x);
                CuBlas.Multiply(
                    _blas, CuBlas.NotTransposed, CuBlas.Transposed, inputs, outputs, rows, 1, right, CuBlas.BFloat16, inputs, left, outputs, 1, dw,
                    inputs, CuBlas.ComputeFloat32);
            }
            else
                CuBlas.Multiply(
                    _blas, CuBlas.NotTransposed, CuBlas.Transposed, inputs, outputs, rows, 1, x, CuBlas.Float32, inputs, dy, (int)stride, 1, dw, inputs,
                    Compute);
            Forget(dw);
        }
    }

    // target [outputs, inputs] += scale · B [outputs, rank] · A [rank, inputs]
    public void AddLowRank(in LowRankUpdate update, float* target)
    {
        lock (_gate)
            CuBlas.Multiply(
                _blas, CuBlas.NotTransposed, CuBlas.NotTransposed, update.Inputs, update.Outputs, update.Rank, update.Scale, update.Down,
                CuBlas.Float32, update.Inputs, update.Up, update.Rank, 1, target, update.Inputs, Compute);
    }

    // X Aᵀ and dY B, both [rows, rank].
    public long LowRankScratch(in LowRankUpdate update, int rows) => 2L * rows * update.Rank;

    public void AddLowRankGradient(in LowRankUpdate update, int rows, float* dy, nint stride, float* x, float* dDown, float* dUp, float* scratch)
    {
        if (rows == 0) return;
        var (rank, inputs, outputs) = (update.Rank, update.Inputs, update.Outputs);
        float* projected = scratch, projectedGradient = scratch + (nint)rows * rank;
        lock (_gate)
        {
            CuBlas.Multiply(
                _blas, CuBlas.Transposed, CuBlas.NotTransposed, rank, rows, inputs, update.Scale, update.Down, CuBlas.Float32, inputs, x, inputs, 0,
                projected, rank, Compute);
            CuBlas.Multiply(
                _blas, CuBlas.NotTransposed, CuBlas.NotTransposed, rank, rows, outputs, update.Scale, update.Up, CuBlas.Float32, rank, dy, (int)stride,
                0, projectedGradient, rank, Compute);
            CuBlas.Multiply(
                _blas, CuBlas.NotTransposed, CuBlas.Transposed, rank, outputs, rows, 1, projected, CuBlas.Float32, rank, dy, (int)stride, 1, dUp, rank,
                Compute);
            CuBlas.Multiply(
                _blas, CuBlas.NotTransposed, CuBlas.Transposed, inputs, rank, rows, 1, x, CuBlas.Float32, inputs, projectedGradient, rank, 1, dDown,
                inputs, Compute);
        }
    }

    // The operand in bfloat16, dense, in scratch memory. A gradient is an operand of two products in a row: it is rounded once.
    private ushort* RoundedLeft(int rows, int columns, float* source, nint stride)
    {
        var operand = new Operand((nint)source, rows, columns, stride, _context.Operations);
        if (_leftHolds == operand) return (ushort*)_left!.Pointer;
        var target = (ushort*)Scratch(ref _left, ((long)rows * columns + 1) / 2).Pointer;
        ToBFloat16(rows, columns, source, stride, target);
        _leftHolds = operand with { Operations = _context.Operations };
        return target;
    }

    // What a product wrote is no longer what was rounded.
    private void Forget(float* written)
    {
        if (_leftHolds.Address == (nint)written) _leftHolds = default;
    }

    private ushort* RoundedRight(int rows, int columns, float* source)
    {
        var isLeftCurrent = _leftHolds.Operations == _context.Operations;
        var target = (ushort*)Scratch(ref _right, ((long)rows * columns + 1) / 2).Pointer;
        ToBFloat16(rows, columns, source, columns, target);
        if (isLeftCurrent) _leftHolds = _leftHolds with { Operations = _context.Operations };
        return target;
    }

    private void ToBFloat16(int rows, int columns, float* source, nint stride, ushort* target) =>
        _context.Launch(_rows.ToBFloat16, new Grid(rows, Threads), columns, source, (long)stride, target);

    private readonly record struct Operand(nint Address, int Rows, int Columns, nint Stride, long Operations);
}
