namespace Hone.Engine;

/// <summary>SplitMix64 (Steele, Lea, Flood 2014): a small, fast stream that is the same on every platform.</summary>
internal struct RandomStream(ulong seed)
{
    private ulong _state = Mix(seed + 0x9E3779B97F4A7C15);

    /// <summary>The next 64 bits.</summary>
    public ulong NextBits() => Mix(_state += 0x9E3779B97F4A7C15);

    /// <summary>The next number in [0, 1), with 53 random bits.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
