using System.Numerics;

namespace Hone;

/// <summary>Whether a whole number fits the .NET type that its field is bound to; checked while parsing, so that it counts as an unreadable answer.</summary>
internal static class IntegerRange
{
    private static readonly Dictionary<Type, (BigInteger Low, BigInteger High)> Ranges = new()
    {
        [typeof(sbyte)] = (sbyte.MinValue, sbyte.MaxValue),
        [typeof(byte)] = (byte.MinValue, byte.MaxValue),
        [typeof(short)] = (short.MinValue, short.MaxValue),
        [typeof(ushort)] = (ushort.MinValue, ushort.MaxValue),
        [typeof(int)] = (int.MinValue, int.MaxValue),
        [typeof(uint)] = (uint.MinValue, uint.MaxValue),
        [typeof(long)] = (long.MinValue, long.MaxValue),
        [typeof(ulong)] = (ulong.MinValue, ulong.MaxValue),
    };

    /// <summary>True for values that fit, and for types without a range: those of the dynamic lane have any size.</summary>
    public static bool Holds(object? value, FieldType type) => type.Kind != FieldTypeKind.Integer
        || type.ClrType is not { } bound
        || !Ranges.TryGetValue(bound, out var range)
        || value switch
        {
            long number => number >= range.Low && number <= range.High,
            BigInteger number => number >= range.Low && number <= range.High,
            _ => true,
        };
}
