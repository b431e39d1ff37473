namespace Hone.Engine;

/// <summary>
/// The few vector operations that the kernels need, for one register width. Implemented by structs, so that a kernel written once is compiled to
/// straight machine code for each width.
/// </summary>
internal unsafe interface ISimd<TVector>
    where TVector : unmanaged
{
    static abstract bool IsSupported { get; }

    /// <summary>Floats per vector.</summary>
    static abstract int Count { get; }

    /// <summary>Rows of the largest tile: 12 where there are 32 vector registers, 6 where there are 16.</summary>
    static abstract int TileRows { get; }

    static abstract TVector Load(float* source);

    static abstract void Store(TVector value, float* destination);

    static abstract TVector Broadcast(float value);

    static abstract TVector Add(TVector left, TVector right);

    static abstract TVector Subtract(TVector left, TVector right);

    static abstract TVector Multiply(TVector left, TVector right);

    static abstract TVector Divide(TVector left, TVector right);

    /// <summary>left · right + addend, fused where the hardware can.</summary>
    static abstract TVector MultiplyAdd(TVector left, TVector right, TVector addend);

    /// <summary>The smaller; <paramref name="right"/> where either is NaN (on x64).</summary>
    static abstract TVector Min(TVector left, TVector right);

    /// <summary>The larger; <paramref name="right"/> where either is NaN (on x64).</summary>
    static abstract TVector Max(TVector left, TVector right);

    static abstract TVector SquareRoot(TVector value);

    static abstract TVector Round(TVector value);

    /// <summary>value · 2^exponent for whole exponents in [−126, 127].</summary>
    static abstract TVector ScaleByPowerOfTwo(TVector value, TVector exponent);

    /// <summary>Hints that the panel row at this address, two vectors, is needed soon. Any address is fine.</summary>
    static abstract void PrefetchPanel(float* source);

    static abstract float Sum(TVector value);

    static abstract float Maximum(TVector value);

    /// <summary>The lower halves of as many 32-bit words, as bfloat16.</summary>
    static abstract TVector LowHalves(byte* source);

    /// <summary>The upper halves, likewise.</summary>
    static abstract TVector HighHalves(byte* source);

    /// <summary>The first vector of a row of bfloat16 that is two vectors long.</summary>
    static abstract TVector FirstHalves(ushort* source);

    /// <summary>The second. Nothing after the row is read.</summary>
    static abstract TVector SecondHalves(ushort* source);
}

/// <summary>Reads a row of a panel, two vectors, from one way of storing it.</summary>
internal unsafe interface IPanel<TVector>
    where TVector : unmanaged
{
    static abstract TVector First(byte* row);

    static abstract TVector Second(byte* row);
}

/// <summary>
/// Whether what follows an operand is known (<see cref="Tile.Ahead"/>), so that few rows, which wait for memory more than they compute, fetch it meanwhile.
/// Weights, which lie one panel after another, the processor fetches by itself.
/// </summary>
internal interface INext
{
    static abstract bool IsKnown { get; }
}

/// <summary>Each line that is read has one in its place to fetch.</summary>
internal readonly struct KnownNext : INext
{
    public static bool IsKnown => true;
}

/// <summary>Nothing is fetched.</summary>
internal readonly struct UnknownNext : INext
{
    public static bool IsKnown => false;
}
