using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;

namespace Hone.Engine;

/// <summary>Whatever vector the platform has: 4 floats with NEON on ARM64.</summary>
internal readonly unsafe struct SimdPortable : ISimd<Vector<float>>
{
    public static bool IsSupported => true;

    public static int Count => Vector<float>.Count;

    public static int TileRows => AdvSimd.Arm64.IsSupported ? 12 : 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Load(float* source) => Vector.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector<float> value, float* destination) => Vector.Store(value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Broadcast(float value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Add(Vector<float> left, Vector<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Subtract(Vector<float> left, Vector<float> right) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Multiply(Vector<float> left, Vector<float> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Divide(Vector<float> left, Vector<float> right) => left / right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> MultiplyAdd(Vector<float> left, Vector<float> right, Vector<float> addend) =>
        Vector.MultiplyAddEstimate(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Min(Vector<float> left, Vector<float> right) => Vector.MinNative(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Max(Vector<float> left, Vector<float> right) => Vector.MaxNative(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> SquareRoot(Vector<float> value) => Vector.SquareRoot(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Round(Vector<float> value) => Vector.Round(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> ScaleByPowerOfTwo(Vector<float> value, Vector<float> exponent) =>
        value * Vector.AsVectorSingle(Vector.ShiftLeft(Vector.ConvertToInt32Native(exponent) + new Vector<int>(127), 23));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchPanel(float* source)
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector<float> value) => Vector.Sum(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> LowHalves(byte* source) => Vector.AsVectorSingle(Vector.ShiftLeft(Vector.Load((uint*)source), 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> HighHalves(byte* source) => Vector.AsVectorSingle(Vector.Load((uint*)source) & new Vector<uint>(0xFFFF0000));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> FirstHalves(ushort* source) => Vector.AsVectorSingle(Vector.ShiftLeft(Vector.WidenLower(Vector.Load(source)), 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> SecondHalves(ushort* source) => Vector.AsVectorSingle(Vector.ShiftLeft(Vector.WidenUpper(Vector.Load(source)), 16));

    public static float Maximum(Vector<float> value)
    {
        var maximum = value[0];
        for (var lane = 1; lane < Count; lane++) maximum = MathF.Max(maximum, value[lane]);
        return maximum;
    }
}
