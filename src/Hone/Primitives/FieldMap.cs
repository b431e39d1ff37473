using System.Collections;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Hone;

/// <summary>An immutable, ordered map from field name to value: the inputs or outputs of one call.</summary>
/// <remarks>
/// Values are <em>canonical</em>: null, <see cref="string"/>, <see cref="bool"/>, <see cref="long"/>, <see cref="System.Numerics.BigInteger"/>,
/// <see cref="double"/>, <see cref="decimal"/>, byte arrays, dates, times, <see cref="Guid"/>, <see cref="Uri"/>,
/// <see cref="ImmutableArray{T}"/> of object, nested <see cref="FieldMap"/>s, enum members as text, and the immutable values of the special types:
/// media, tools and types with a prompt type of their own.
/// </remarks>
public sealed class FieldMap : IReadOnlyDictionary<string, object?>, IEquatable<FieldMap>
{
    // Few fields are found fastest by looking at each; more by a table.
    private const int FewFields = 16;

    private readonly ImmutableArray<KeyValuePair<string, object?>> entries;

    private readonly Dictionary<string, int>? positions;

    private FieldMap(KeyValuePair<string, object?>[] entries, Dictionary<string, int>? positions)
    {
        this.entries = ImmutableCollectionsMarshal.AsImmutableArray(entries);
        this.positions = positions;
    }

    /// <summary>The map without entries.</summary>
    public static FieldMap Empty { get; } = new([], null);

    /// <inheritdoc/>
    public int Count => entries.Length;

    /// <inheritdoc/>
    public IEnumerable<string> Keys => entries.Select(entry => entry.Key);

    /// <inheritdoc/>
    public IEnumerable<object?> Values => entries.Select(entry => entry.Value);

    /// <summary>The value of a field.</summary>
    /// <exception cref="HoneException">There is no such field; the message lists those that exist.</exception>
    public object? this[string key] => TryGetValue(key, out var value)
        ? value
        : throw new HoneException($"There is no field '{key}'. Fields: {(Count == 0 ? "none" : string.Join(", ", Keys))}.");

    /// <summary>Builds a map; a name given twice keeps its first position and its last value.</summary>
    public static FieldMap Create(IEnumerable<KeyValuePair<string, object?>> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        return entries switch
        {
            FieldMap map => map,
            _ => Adopt([.. entries]),
        };
    }

    /// <summary>Builds a map from name–value pairs.</summary>
    public static FieldMap Of(params ReadOnlySpan<(string Name, object? Value)> entries)
    {
        var pairs = new KeyValuePair<string, object?>[entries.Length];
        for (var i = 0; i < entries.Length; i++)
            pairs[i] = new(entries[i].Name, entries[i].Value);
        return Adopt(pairs);
    }

    /// <summary>The field at a position.</summary>
    internal KeyValuePair<string, object?> At(int position) => entries[position];

    /// <summary>This map with one field set: replaced in place, or appended.</summary>
    public FieldMap With(string name, object? value)
    {
        ArgumentNullException.ThrowIfNull(name);
        var index = IndexOf(name);
        var pairs = new KeyValuePair<string, object?>[index < 0 ? Count + 1 : Count];
        entries.CopyTo(pairs);
        pairs[index < 0 ? Count : index] = new(name, value);
        return Adopt(pairs);
    }

    /// <summary>This map without one field.</summary>
    public FieldMap Without(string name)
    {
        var index = IndexOf(name);
        if (index < 0)
            return this;
        var pairs = new KeyValuePair<string, object?>[Count - 1];
        entries.CopyTo(0, pairs, 0, index);
        entries.CopyTo(index + 1, pairs, index, pairs.Length - index);
        return Adopt(pairs);
    }

    /// <inheritdoc/>
    public bool ContainsKey(string key) => IndexOf(key) >= 0;

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out object? value)
    {
        var index = IndexOf(key);
        value = index < 0 ? null : entries[index].Value;
        return index >= 0;
    }

    /// <summary>Goes through the fields in order.</summary>
    public ImmutableArray<KeyValuePair<string, object?>>.Enumerator GetEnumerator() => entries.GetEnumerator();

    IEnumerator<KeyValuePair<string, object?>> IEnumerable<KeyValuePair<string, object?>>.GetEnumerator() =>
        ((IEnumerable<KeyValuePair<string, object?>>)entries).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => ((IEnumerable)entries).GetEnumerator();

    /// <summary>True when both maps hold equal values under the same names, whatever their order.</summary>
    public bool Equals(FieldMap? other)
    {
        if (ReferenceEquals(this, other))
            return true;
        if (other is null || Count != other.Count)
            return false;
        foreach (var (name, value) in entries)
        {
            if (!other.TryGetValue(name, out var counterpart) || !ValuesEqual(value, counterpart))
                return false;
        }

        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as FieldMap);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = Count;
        foreach (var (name, value) in entries)
            hash ^= HashCode.Combine(name, ValueComparer.Instance.GetHashCode(value));
        return hash;
    }

    /// <summary>The fields as JSON, nested ones and lists included; media as a few words on them.</summary>
    public override string ToString() => FieldMapText.Write(this);

    /// <summary>Compares canonical values by what they hold.</summary>
    internal static bool ValuesEqual(object? left, object? right) => ValueComparer.Instance.Equals(left, right);

    /// <summary>As <see cref="Create"/>, for an array that nobody else will change.</summary>
    internal static FieldMap Adopt(KeyValuePair<string, object?>[] pairs)
    {
        if (pairs.Length == 0)
            return Empty;
        if (pairs.Length > FewFields)
            return AdoptMany(pairs);
        var count = 0;
        foreach (var pair in pairs)
        {
            var index = IndexOf(pairs.AsSpan(0, count), pair.Key);
            pairs[index < 0 ? count++ : index] = pair;
        }

        return new(count == pairs.Length ? pairs : pairs[..count], null);
    }

    private static FieldMap AdoptMany(KeyValuePair<string, object?>[] pairs)
    {
        var positions = new Dictionary<string, int>(pairs.Length, StringComparer.Ordinal);
        var count = 0;
        foreach (var pair in pairs)
        {
            if (positions.TryAdd(pair.Key, count))
                pairs[count++] = pair;
            else
                pairs[positions[pair.Key]] = pair;
        }

        return new(count == pairs.Length ? pairs : pairs[..count], positions);
    }

    private static int IndexOf(ReadOnlySpan<KeyValuePair<string, object?>> entries, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        for (var i = 0; i < entries.Length; i++)
        {
            if (string.Equals(entries[i].Key, name))
                return i;
        }

        return -1;
    }

    private int IndexOf(string name) =>
        positions is null ? IndexOf(entries.AsSpan(), name) : positions.TryGetValue(name, out var index) ? index : -1;
}
