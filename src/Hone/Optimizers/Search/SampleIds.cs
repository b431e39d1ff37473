namespace Hone.Optimizers;

/// <summary>Numbers of independent samples: other seeds sample anew, the same seed asks for the same ones.</summary>
internal static class SampleIds
{
    /// <summary>How many samples a series has at most: the number of a sample in its series is its id modulo this.</summary>
    public const int Series = 1000;

    public static long Of(SeedStream seed, int number) => (seed.Derive("samples").CreateRandom().Next(1_000_000) * (long)Series) + number;
}
