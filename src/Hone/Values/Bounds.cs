using System.Globalization;
using System.Numerics;

namespace Hone;

/// <summary>Compares canonical values with bounds: numbers exactly where both are exact, dates and times with dates and times.</summary>
internal static class Bounds
{
    /// <summary>The outcome of comparing with what is not a number: no bound holds.</summary>
    public const int Unordered = int.MinValue;

    public static bool IsNumber(object? value) => value is long or int or double or decimal or BigInteger;

    public static bool IsTime(object? value) => value is DateOnly or DateTimeOffset or TimeOnly or TimeSpan;

    /// <summary>Negative, zero or positive; <see cref="Unordered"/> for NaN; null when the two cannot be compared.</summary>
    public static int? Compare(object value, object bound)
    {
        if (IsNumber(value) && IsNumber(bound))
            return CompareNumbers(value, bound);
        return value switch
        {
            DateOnly date => ScalarReader.TryDate(bound, out var other) ? date.CompareTo((DateOnly)other!) : null,
            DateTimeOffset time => ScalarReader.TryTime(bound, out var other) ? time.CompareTo((DateTimeOffset)other!) : null,
            TimeOnly time => ScalarReader.TryClock(bound, out var other) ? time.CompareTo((TimeOnly)other!) : null,
            TimeSpan span => ScalarReader.TryDuration(bound, out var other) ? span.CompareTo((TimeSpan)other!) : null,
            _ => null,
        };
    }

    /// <summary>True when the value divides evenly, and for values that are no numbers.</summary>
    public static bool IsMultiple(object value, object factor)
    {
        if (!IsNumber(value) || !IsNumber(factor))
            return true;
        if (IsWhole(value) && IsWhole(factor))
            return (Whole(value) % Whole(factor)).IsZero;
        if (ScalarReader.TryDecimal(value, out var number) && ScalarReader.TryDecimal(factor, out var unit) && (decimal)unit! != 0)
            return (decimal)number! % (decimal)unit == 0;
        return Math.IEEERemainder(Real(value), Real(factor)) == 0;
    }

    private static int CompareNumbers(object value, object bound)
    {
        if (IsWhole(value) && IsWhole(bound))
            return Whole(value).CompareTo(Whole(bound));
        if (value is decimal || bound is decimal)
        {
            if (ScalarReader.TryDecimal(value, out var left) && ScalarReader.TryDecimal(bound, out var right))
                return ((decimal)left!).CompareTo((decimal)right!);
        }

        var (a, b) = (Real(value), Real(bound));
        return double.IsNaN(a) || double.IsNaN(b) ? Unordered : a.CompareTo(b);
    }

    private static bool IsWhole(object value) => value is long or int or BigInteger;

    private static BigInteger Whole(object value) => value switch
    {
        long number => number,
        int number => number,
        _ => (BigInteger)value,
    };

    private static double Real(object value) => value is BigInteger big ? (double)big : Convert.ToDouble(value, CultureInfo.InvariantCulture);
}
