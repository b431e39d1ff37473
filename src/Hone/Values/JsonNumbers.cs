using System.Globalization;
using System.Numerics;

namespace Hone;

/// <summary>Numbers of JSON as canonical values.</summary>
internal static class JsonNumbers
{
    // Every double of so many digits comes back from its text unchanged, and so does every decimal from the double.
    private const int ExactDigits = 15;

    /// <summary>
    /// A whole number as <see cref="long"/> or <see cref="BigInteger"/>, another as <see cref="double"/>, or as <see cref="decimal"/> when a double
    /// would lose digits. Null when the text is no number.
    /// </summary>
    public static object? Read(ReadOnlySpan<char> text)
    {
        if (text.IndexOfAny(".eE") < 0)
            return ScalarReader.TryInteger(text, out var whole) ? whole : null;
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            return null;
        return text.Length > ExactDigits && double.IsFinite(number) && TryReadExactly(text, number, out var exact) ? exact : number;
    }

    private static bool TryReadExactly(ReadOnlySpan<char> text, double number, out decimal exact)
    {
        // The text of a double as most programs write it: nothing is lost.
        exact = 0;
        Span<char> shortest = stackalloc char[32];
        if (!number.TryFormat(shortest, out var length, "R", CultureInfo.InvariantCulture) || text.SequenceEqual(shortest[..length]))
            return false;
        return decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out exact)
            && decimal.TryParse(shortest[..length], NumberStyles.Float, CultureInfo.InvariantCulture, out var rounded)
            && rounded != exact;
    }
}
