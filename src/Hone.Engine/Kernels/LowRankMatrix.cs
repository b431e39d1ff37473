namespace Hone.Engine;

/// <summary>
/// A low-rank update beside its weight: y += scale · (x Aᵀ) Bᵀ, instead of a sum W + scale · B A that would need the weight once more. What a row gives
/// does not depend on the rows beside it.
/// </summary>
/// <param name="kernels">The arithmetic.</param>
/// <param name="outputs">Rows of B.</param>
/// <param name="inputs">Columns of A.</param>
/// <param name="rank">Rows of A, columns of B.</param>
/// <param name="column">Column of y at which the outputs begin, where several projections share their input.</param>
internal sealed unsafe class LowRankMatrix(VectorKernels kernels, int outputs, int inputs, int rank, int column) : IDisposable
{
    private readonly PackedMatrix _down = new(kernels, rank, inputs);
    private readonly PackedMatrix _up = new(kernels, outputs, rank);
    private float _scale;

    public int Column => column;

    public int Outputs => outputs;

    /// <summary>Takes over the values of A and B.</summary>
    public void Pack(in LowRankUpdate update)
    {
        _scale = update.Scale;
        _down.Pack(update.Down);
        _up.Pack(update.Up);
    }

    /// <summary>Adds the update's part to Y [rows, stride], given X [rows, inputs].</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="x">[rows, inputs].</param>
    /// <param name="y">Column 0 of Y.</param>
    /// <param name="stride">Floats from a row of Y to the next.</param>
    /// <param name="scratch">[rows, rank].</param>
    public void Add(int rows, float* x, float* y, nint stride, float* scratch)
    {
        kernels.Project(rows, x, _down, scratch);
        kernels.Scale(scratch, _scale, rows * rank);
        y += column;
        kernels.Multiply(rows, outputs, rank, new MatrixView(scratch, rank), _up.View, y, stride, y, stride);
    }

    /// <summary>Adds scale · (dY B) A to dX [rows, inputs], given dY [rows, stride] from its column 0 on.</summary>
    public void AddBack(in LowRankUpdate update, int rows, float* dy, nint stride, float* dx, float* scratch)
    {
        kernels.Multiply(rows, rank, outputs, new MatrixView(dy + column, stride), kernels.RowMajor(update.Up, rank), scratch, rank);
        kernels.Scale(scratch, _scale, rows * rank);
        kernels.Multiply(rows, inputs, rank, new MatrixView(scratch, rank), kernels.RowMajor(update.Down, inputs), dx, inputs, dx, inputs);
    }

    public void Dispose()
    {
        _down.Dispose();
        _up.Dispose();
    }
}
