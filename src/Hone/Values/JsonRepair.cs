using System.Collections.Immutable;

namespace Hone;

/// <summary>What <see cref="JsonRepair"/> made of a text.</summary>
/// <param name="Found">False when the text holds no JSON at all.</param>
/// <param name="Value">Null, text, bool, long, BigInteger, double, <see cref="ImmutableArray{T}"/> of object or <see cref="FieldMap"/>.</param>
internal readonly record struct JsonRepairResult(bool Found, object? Value);

/// <summary>
/// Reads JSON as models write it: fenced, surrounded by prose, single-quoted, unquoted, commented, cut off, with Python words. Never throws;
/// one pass.
/// </summary>
internal static class JsonRepair
{
    /// <summary>
    /// A text that is one JSON scalar is that scalar. Otherwise the objects and arrays in it count: a later one of the same shape replaces the one
    /// before it (a corrected answer), others, and those parted by a comma alone, are returned together as a list.
    /// </summary>
    public static JsonRepairResult Parse(string text) => Parse(text, out _);

    /// <summary>As <see cref="Parse(string)"/>, telling how many characters were looked at.</summary>
    internal static JsonRepairResult Parse(string text, out long work)
    {
        work = text.Length;
        if (TryScalar(text.AsSpan().Trim().Trim('\uFEFF'), out var scalar))
            return new(true, scalar);
        var parser = new JsonRepairParser(text);
        var values = new List<object?>();
        while (parser.TryReadNext(out var value, out var isListed))
        {
            if (values.Count > 0 && !isListed && HaveSameShape(values[^1], value, ref work))
                values[^1] = value;
            else if (values.Count == 0 || !IsEmpty(value))
                values.Add(value);
        }

        work += parser.Work;
        return values.Count switch
        {
            0 => default,
            1 => new(true, values[0]),
            _ => new(true, values.ToImmutableArray()),
        };
    }

    internal static bool TryScalar(ReadOnlySpan<char> text, out object? value)
    {
        (var isScalar, value) = text switch
        {
            "null" => (true, null),
            "true" => (true, true),
            "false" => (true, false),
            "NaN" => (true, double.NaN),
            "Infinity" => (true, double.PositiveInfinity),
            "-Infinity" => (true, (object?)double.NegativeInfinity),
            _ => (false, null),
        };
        if (isScalar)
            return true;
        if (text.Length >= 2 && text[0] == '"' && text[^1] == '"' && JsonRepairParser.TryReadStrictString(text, out var quoted))
        {
            value = quoted;
            return true;
        }

        return text.Length > 0 && (char.IsAsciiDigit(text[0]) || text[0] == '-') && TryStrictNumber(text, out value);
    }

    private static bool TryStrictNumber(ReadOnlySpan<char> text, out object? value)
    {
        value = null;
        var digits = text.TrimStart('-');
        if (digits.IsEmpty || text.Length - digits.Length > 1 || (digits.Length > 1 && digits[0] == '0' && char.IsAsciiDigit(digits[1])))
            return false;
        if (digits[^1] == '.' || digits.IndexOfAnyExcept("0123456789.eE+-") >= 0)
            return false;
        value = JsonNumbers.Read(text);
        return value is not null;
    }

    private static bool IsEmpty(object? value) => value is FieldMap { Count: 0 } or ImmutableArray<object?> { Length: 0 };

    private static bool HaveSameShape(object? left, object? right, ref long work)
    {
        work++;
        switch (left, right)
        {
            case (FieldMap a, FieldMap b):
                if (a.Count != b.Count)
                    return false;
                foreach (var (name, value) in a)
                {
                    if (!b.TryGetValue(name, out var other) || !HaveSameShape(value, other, ref work))
                        return false;
                }

                return true;
            case (ImmutableArray<object?> a, ImmutableArray<object?> b):
                if (a.Length != b.Length)
                    return false;
                for (var i = 0; i < a.Length; i++)
                {
                    if (!HaveSameShape(a[i], b[i], ref work))
                        return false;
                }

                return true;
            default:
                return left?.GetType() == right?.GetType();
        }
    }
}
