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

    public int Rank => rank;

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
    /// <param name="projected">Takes scale · X Aᵀ [rows, rank], which the backward pass needs.</param>
    public void Add(int rows, float* x, float* y, nint stride, float* projected)
    {
        kernels.Project(rows, x, _down, projected);
        kernels.Scale(projected, _scale, rows * rank);
        y += column;
        kernels.Multiply(rows, outputs, rank, new MatrixView(projected, rank), _up.View, y, stride, y, stride);
    }

    /// <summary>Adds scale · (dY B) A to dX, scale · (dY B)ᵀ X to dA and dYᵀ (scale · X Aᵀ) to dB.</summary>
    /// <param name="update">A and B.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="dy">Column 0 of dY.</param>
    /// <param name="stride">Floats from a row of dY to the next.</param>
    /// <param name="x">[rows, inputs].</param>
    /// <param name="projected">What <see cref="Add"/> left there.</param>
    /// <param name="dx">[rows, inputs]; null where nothing below is trained.</param>
    /// <param name="dDown">dA [rank, inputs].</param>
    /// <param name="dUp">dB [outputs, rank].</param>
    /// <param name="scratch">As many floats as <see cref="ScratchLength"/> says.</param>
    public void AddGradients(
        in LowRankUpdate update, int rows, float* dy, nint stride, float* x, float* projected, float* dx, float* dDown, float* dUp, float* scratch)
    {
        float* inner = scratch, upTransposed = scratch + (nint)rows * rank;
        dy += column;
        kernels.Multiply(rows, rank, outputs, new MatrixView(dy, stride), kernels.RowMajor(update.Up, rank), inner, rank);
        kernels.Scale(inner, _scale, rows * rank);
        if (dx is not null)
            kernels.Multiply(rows, inputs, rank, new MatrixView(inner, rank), kernels.RowMajor(update.Down, inputs), dx, inputs, dx, inputs);
        kernels.AddLowRankProducts(update, rows, dy, stride, x, projected, inner, dDown, dUp, upTransposed);
    }

    /// <summary>Floats of scratch memory that <see cref="AddGradients"/> needs.</summary>
    public long ScratchLength(int rows) => ((long)rows + outputs) * rank;

    public void Dispose()
    {
        _down.Dispose();
        _up.Dispose();
    }
}
