namespace Hone.Engine;

/// <summary>Cosines and sines [positions, head width / 2] of the rotary embedding. Grows; not thread-safe.</summary>
internal sealed unsafe class RotaryTable : IDisposable
{
    private readonly double[] _frequencies;
    private readonly double _scale;
    private NativeBuffer? _cosines;
    private NativeBuffer? _sines;

    /// <param name="frequencies">Radians per position for each pair of channels, scaling applied.</param>
    /// <param name="scale">Multiplies every cosine and sine, and so queries and keys alike.</param>
    public RotaryTable(double[] frequencies, double scale = 1) => (_frequencies, _scale) = (frequencies, scale);

    public int Half => _frequencies.Length;

    public int Positions { get; private set; }

    public float* Cosines(int position) => _cosines!.Pointer + (nint)position * Half;

    public float* Sines(int position) => _sines!.Pointer + (nint)position * Half;

    /// <summary>Makes the first <paramref name="positions"/> positions available.</summary>
    public void Ensure(int positions)
    {
        if (positions <= Positions) return;
        positions = Math.Max(positions, Math.Min(2 * Positions, Positions + 4096));
        Dispose();
        (_cosines, _sines) = (new NativeBuffer((long)positions * Half), new NativeBuffer((long)positions * Half));
        for (var position = 0; position < positions; position++)
        {
            float* cosines = Cosines(position), sines = Sines(position);
            for (var i = 0; i < Half; i++)
            {
                var (sine, cosine) = Math.SinCos(position * _frequencies[i]);
                (cosines[i], sines[i]) = ((float)(_scale * cosine), (float)(_scale * sine));
            }
        }

        Positions = positions;
    }

    public void Dispose()
    {
        _cosines?.Dispose();
        _sines?.Dispose();
    }
}
