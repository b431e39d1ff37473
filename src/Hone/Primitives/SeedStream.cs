namespace Hone;

/// <summary>
/// Named streams of randomness: every random decision derives its own seed from (parent seed, purpose, ordinals), so that results do not depend
/// on the order in which work happens to run.
/// </summary>
/// <param name="Seed">The seed of this stream.</param>
public readonly record struct SeedStream(long Seed)
{
    /// <summary>The stream for a purpose, e.g. <c>("rollout", step, example, rollout)</c>.</summary>
    public SeedStream Derive(string purpose, params ReadOnlySpan<long> ordinals)
    {
        // SplitMix64 finalizer over a running state: cheap, stable across platforms and .NET versions.
        var state = Mix((ulong)Seed ^ 0x9E3779B97F4A7C15UL);
        foreach (var character in purpose)
            state = Mix(state ^ character);
        foreach (var ordinal in ordinals)
            state = Mix(state + 0x9E3779B97F4A7C15UL + (ulong)ordinal);
        return new((long)(state & long.MaxValue));
    }

    /// <summary>A generator that starts at this seed.</summary>
    public Random CreateRandom() => new((int)(Mix((ulong)Seed) >> 33));

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
