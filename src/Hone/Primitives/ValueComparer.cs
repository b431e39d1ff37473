using System.Collections.Immutable;

namespace Hone;

/// <summary>Compares canonical values by what they hold: lists item by item, bytes byte by byte.</summary>
internal sealed class ValueComparer : IEqualityComparer<object?>
{
    public static readonly ValueComparer Instance = new();

    public new bool Equals(object? x, object? y) => (x, y) switch
    {
        (string a, string b) => string.Equals(a, b),
        (ImmutableArray<object?> a, ImmutableArray<object?> b) => SameItems(a, b),
        (byte[] a, byte[] b) => a.AsSpan().SequenceEqual(b),
        (FieldMap a, FieldMap b) => a.Equals(b),
        (IEnumerable<object?> a, IEnumerable<object?> b) and (not FieldMap, not FieldMap) => a.SequenceEqual(b, this),
        _ => object.Equals(x, y),
    };

    public int GetHashCode(object? obj) => obj switch
    {
        null => 0,
        byte[] bytes => bytes.Length,
        FieldMap map => map.GetHashCode(),
        IEnumerable<object?> sequence => HashOf(sequence),
        _ => obj.GetHashCode(),
    };

    private static bool SameItems(ImmutableArray<object?> left, ImmutableArray<object?> right)
    {
        if (left.Length != right.Length)
            return false;
        for (var i = 0; i < left.Length; i++)
        {
            if (!Instance.Equals(left[i], right[i]))
                return false;
        }

        return true;
    }

    private static int HashOf(IEnumerable<object?> sequence)
    {
        var hash = new HashCode();
        foreach (var item in sequence)
            hash.Add(Instance.GetHashCode(item));
        return hash.ToHashCode();
    }
}
