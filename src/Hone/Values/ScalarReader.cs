using System.Globalization;
using System.Numerics;
using System.Xml;

namespace Hone;

/// <summary>Lax readings of scalars, invariant of culture: <c>"1_000"</c> is a number, <c>"yes"</c> is true.</summary>
internal static class ScalarReader
{
    // Above this magnitude a number is taken for milliseconds, as pydantic does.
    private const double LargestSeconds = 2e10;

    // Reading digits takes quadratic time; no real answer comes near.
    private const int LongestInteger = 4300;

    private static readonly string[] TimeFormats =
        ["yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd"];

    private static readonly string[] ClockFormats = ["HH:mm", "HH:mm:ss", "HH:mm:ss.FFFFFFF"];

    public static bool TryInteger(object? raw, out object? value)
    {
        value = raw switch
        {
            long or BigInteger => raw,
            bool flag => flag ? 1L : 0L,
            double number => FromDouble(number),
            decimal number when decimal.Truncate(number) == number => Narrow(new BigInteger(number)),
            string text => FromText(text),
            _ => null,
        };
        return value is not null;
    }

    public static bool TryInteger(ReadOnlySpan<char> text, out object? value)
    {
        value = FromText(text);
        return value is not null;
    }

    public static bool TryNumber(object? raw, out object? value)
    {
        value = raw switch
        {
            double => raw,
            long number => (double)number,
            BigInteger number => (double)number,
            decimal number => double.Parse(number.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
            bool flag => flag ? 1.0 : 0.0,
            string text => DoubleFromText(text),
            _ => null,
        };
        return value is not null;
    }

    public static bool TryDecimal(object? raw, out object? value)
    {
        value = raw switch
        {
            decimal => raw,
            long number => (decimal)number,
            BigInteger number when BigInteger.Abs(number) <= new BigInteger(decimal.MaxValue) => (decimal)number,
            double number when double.IsFinite(number) => DecimalFromText(number.ToString("R", CultureInfo.InvariantCulture)),
            string text => DecimalFromText(text),
            _ => null,
        };
        return value is not null;
    }

    public static bool TryBoolean(object? raw, out object? value)
    {
        value = raw switch
        {
            bool => raw,
            0L or 0.0 => false,
            1L or 1.0 => true,
            string text => BooleanFromText(text.AsSpan().Trim()),
            _ => null,
        };
        return value is not null;
    }

    public static bool TryDate(object? raw, out object? value)
    {
        value = raw switch
        {
            DateOnly => raw,
            string text when DateOnly.TryParseExact(
                text.AsSpan().Trim(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) => date,
            _ when TryTime(raw, out var time) && ((DateTimeOffset)time!).TimeOfDay == TimeSpan.Zero =>
                DateOnly.FromDateTime(((DateTimeOffset)time).Date),
            _ => null,
        };
        return value is not null;
    }

    /// <summary>ISO 8601, a space allowed for the T; a time without offset is UTC. A number counts seconds (or milliseconds) since 1970.</summary>
    public static bool TryTime(object? raw, out object? value)
    {
        value = raw switch
        {
            DateTimeOffset => raw,
            DateOnly date => new DateTimeOffset(date.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero),
            long seconds => FromSeconds(seconds),
            double seconds => FromSeconds(seconds),
            string text => TimeFromText(text.AsSpan().Trim()),
            _ => null,
        };
        return value is not null;
    }

    /// <summary>A time of day: ISO 8601, seconds optional, or a point in time's.</summary>
    public static bool TryClock(object? raw, out object? value)
    {
        value = raw switch
        {
            TimeOnly => raw,
            string text when TimeOnly.TryParseExact(
                text.AsSpan().Trim(), ClockFormats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) => time,
            _ => null,
        };
        return value is not null;
    }

    /// <summary>A length of time: ISO 8601 such as <c>PT1H30M</c>, clock form such as <c>1.02:30:00</c>, or a number of seconds.</summary>
    public static bool TryDuration(object? raw, out object? value)
    {
        value = raw switch
        {
            TimeSpan => raw,
            long seconds => FromSecondsSpan(seconds),
            double seconds => FromSecondsSpan(seconds),
            string text => DurationFromText(text.AsSpan().Trim()),
            _ => null,
        };
        return value is not null;
    }

    public static bool TryBytes(object? raw, out object? value)
    {
        value = raw as byte[];
        if (raw is string text)
        {
            var bytes = new byte[((text.Length + 3) / 4 * 3) + 3];
            value = Convert.TryFromBase64String(text, bytes, out var count) ? bytes[..count] : null;
        }

        return value is not null;
    }

    /// <summary>Digits with an optional sign, single underscores between digits or commas between thousands, and a fraction of zeros.</summary>
    private static object? FromText(ReadOnlySpan<char> text)
    {
        var span = text.Trim();
        var point = span.IndexOf('.');
        if (point > 0 && point < span.Length - 1 && span[(point + 1)..].IndexOfAnyExcept('0') < 0)
            span = span[..point];
        if (long.TryParse(span, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            return whole;
        if (span.Length > LongestInteger || !TryDropSeparators(span, out var digits))
            return null;
        return BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var large) ? Narrow(large) : null;
    }

    private static object? DoubleFromText(string text)
    {
        var span = text.AsSpan().Trim();
        if (double.TryParse(span, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            return number;
        if (TryDropSeparators(span, out var digits) && double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out number))
            return number;
        var isNegative = span.StartsWith("-");
        var word = span.TrimStart("+-");
        return word.Equals("inf", StringComparison.OrdinalIgnoreCase) || word.Equals("infinity", StringComparison.OrdinalIgnoreCase)
            ? isNegative ? double.NegativeInfinity : double.PositiveInfinity
            : word.Equals("nan", StringComparison.OrdinalIgnoreCase) ? double.NaN : null;
    }

    private static object? DecimalFromText(string text) =>
        TryDropSeparators(text.AsSpan().Trim(), out var digits)
            && decimal.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    private static object? BooleanFromText(ReadOnlySpan<char> text)
    {
        Span<char> lower = stackalloc char[5];
        if (text.IsEmpty || text.Length > lower.Length)
            return null;
        var length = text.ToLowerInvariant(lower);
        return lower[..length] switch
        {
            "1" or "on" or "t" or "true" or "y" or "yes" => true,
            "0" or "off" or "f" or "false" or "n" or "no" => false,
            "1.0" => true,
            "0.0" => false,
            _ => null,
        };
    }

    private static object? FromDouble(double number) =>
        !double.IsFinite(number) || Math.Truncate(number) != number ? null
        : Math.Abs(number) < 9e18 ? (object)(long)number
        : new BigInteger(number);

    private static object? FromSeconds(double seconds)
    {
        var milliseconds = Math.Abs(seconds) > LargestSeconds ? seconds : seconds * 1000;
        return double.IsFinite(milliseconds) && Math.Abs(milliseconds) < 62_000_000_000_000
            ? DateTimeOffset.UnixEpoch.AddMilliseconds(milliseconds)
            : null;
    }

    private static object? FromSecondsSpan(double seconds) =>
        Math.Abs(seconds) < TimeSpan.MaxValue.TotalSeconds - 1 ? TimeSpan.FromSeconds(seconds) : null;

    private static object? DurationFromText(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > 64)
            return null;
        if (text.Contains(':'))
            return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var span) ? span : null;
        if (text.TrimStart('-')[..Math.Min(1, text.TrimStart('-').Length)] is not "P")
            return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) ? FromSecondsSpan(seconds) : null;
        try
        {
            return XmlConvert.ToTimeSpan(text.ToString());
        }
        catch (Exception error) when (error is FormatException or OverflowException)
        {
            return null;
        }
    }

    private static object? TimeFromText(ReadOnlySpan<char> text)
    {
        if (text.Length is < 10 or > 40)
            return null;
        Span<char> normalized = stackalloc char[text.Length];
        text.CopyTo(normalized);
        normalized = normalized[..CutFraction(normalized)];
        if (text.Length > 10 && text[10] is ' ' or 't' or '_')
            normalized[10] = 'T';
        if (normalized[^1] == 'z')
            normalized[^1] = 'Z';
        return DateTimeOffset.TryParseExact(normalized, TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : null;
    }

    // A hundred nanoseconds are the smallest step of .NET's times; finer digits are dropped. Gives the length that is left.
    private static int CutFraction(Span<char> text)
    {
        const int Digits = 7;
        var start = text.IndexOf('.') + 1;
        var digits = start == 0 ? -1 : text[start..].IndexOfAnyExceptInRange('0', '9');
        digits = start > 0 && digits < 0 ? text.Length - start : digits;
        if (digits <= Digits)
            return text.Length;
        text[(start + digits)..].CopyTo(text[(start + Digits)..]);
        return text.Length - digits + Digits;
    }

    private static object Narrow(BigInteger number) => number >= long.MinValue && number <= long.MaxValue ? (object)(long)number : number;

    private static bool TryDropSeparators(ReadOnlySpan<char> text, out string digits)
    {
        digits = string.Empty;
        if (text.IndexOfAny('_', ',') < 0)
        {
            digits = text.ToString();
            return text.Length > 0;
        }

        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '_' && !(i > 0 && i < text.Length - 1 && char.IsAsciiDigit(text[i - 1]) && char.IsAsciiDigit(text[i + 1])))
                return false;
        }

        if (text.Contains(',') && !HasGroupsOfThree(text))
            return false;
        digits = text.ToString().Replace("_", string.Empty, StringComparison.Ordinal).Replace(",", string.Empty, StringComparison.Ordinal);
        return true;
    }

    // 4,200 and -1,234,567.89, but neither 4,2 nor 1234,567.
    private static bool HasGroupsOfThree(ReadOnlySpan<char> text)
    {
        var whole = text.TrimStart("+-");
        var point = whole.IndexOf('.');
        whole = point < 0 ? whole : whole[..point];
        var first = whole.IndexOf(',');
        if (first is < 1 or > 3 || text.Length - text.TrimStart("+-").Length > 1)
            return false;
        for (var i = 0; i < whole.Length; i++)
        {
            var isComma = i >= first && (i - first) % 4 == 0;
            if (isComma ? whole[i] != ',' : !char.IsAsciiDigit(whole[i]))
                return false;
        }

        return (whole.Length - first) % 4 == 0;
    }
}
