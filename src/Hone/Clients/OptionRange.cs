using System.Numerics;
using System.Runtime.CompilerServices;

namespace Hone;

/// <summary>Refuses settings that mean nothing, where they are made.</summary>
internal static class OptionRange
{
    /// <summary>The number, when it is at least <paramref name="least"/>.</summary>
    public static T AtLeast<T>(T value, T least, [CallerMemberName] string name = "")
        where T : struct, INumber<T> =>
        value >= least ? value : throw new LMConfigurationException($"{name} is {value}; it must be at least {least}.");

    /// <summary>The number, when it is null or not negative.</summary>
    public static T? NotNegative<T>(T? value, [CallerMemberName] string name = "")
        where T : struct, INumber<T> =>
        value is { } number ? AtLeast(number, T.Zero, name) : null;

    /// <summary>The time, when it is not negative.</summary>
    public static TimeSpan NotNegative(TimeSpan value, [CallerMemberName] string name = "") =>
        value >= TimeSpan.Zero ? value : throw new LMConfigurationException($"{name} is {value}; it must not be negative.");

    /// <summary>The time, when it is null or above zero.</summary>
    public static TimeSpan? Positive(TimeSpan? value, [CallerMemberName] string name = "") =>
        value is null || value > TimeSpan.Zero ? value : throw new LMConfigurationException($"{name} is {value}; it must be above zero.");
}
