using System.Collections;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;

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
    private readonly ImmutableArray<KeyValuePair<string, object?>> entries;

    private FieldMap(ImmutableArray<KeyValuePair<string, object?>> entries) => this.entries = entries;

    /// <summary>The map without entries.</summary>
    public static FieldMap Empty { get; } = new([]);

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
        var builder = ImmutableArray.CreateBuilder<KeyValuePair<string, object?>>();
        foreach (var entry in entries)
        {
            var index = IndexOf(builder, entry.Key);
            if (index < 0)
                builder.Add(entry);
            else
                builder[index] = entry;
        }

        return builder.Count == 0 ? Empty : new(builder.ToImmutable());
    }

    /// <summary>Builds a map from name–value pairs.</summary>
    public static FieldMap Of(params ReadOnlySpan<(string Name, object? Value)> entries)
    {
        var pairs = new KeyValuePair<string, object?>[entries.Length];
        for (var i = 0; i < entries.Length; i++)
            pairs[i] = new(entries[i].Name, entries[i].Value);
        return Create(pairs);
    }

    /// <summary>This map with one field set: replaced in place, or appended.</summary>
    public FieldMap With(string name, object? value) => Create(entries.Append(new(name, value)));

    /// <summary>This map without one field.</summary>
    public FieldMap Without(string name) => Create(entries.Where(entry => entry.Key != name));

    /// <inheritdoc/>
    public bool ContainsKey(string key) => IndexOf(entries, key) >= 0;

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out object? value)
    {
        var index = IndexOf(entries, key);
        value = index < 0 ? null : entries[index].Value;
        return index >= 0;
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => ((IEnumerable<KeyValuePair<string, object?>>)entries).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>True when both maps hold equal values under the same names, whatever their order.</summary>
    public bool Equals(FieldMap? other) =>
        other is not null && Count == other.Count && entries.All(entry => other.TryGetValue(entry.Key, out var value) && ValuesEqual(entry.Value, value));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as FieldMap);

    /// <inheritdoc/>
    public override int GetHashCode() => entries.Aggregate(0, (hash, entry) => hash ^ entry.Key.GetHashCode(StringComparison.Ordinal));

    /// <summary>The fields as text, for debugging.</summary>
    public override string ToString()
    {
        var text = new StringBuilder("{");
        foreach (var (name, value) in entries)
            text.Append(text.Length > 1 ? ", " : " ").Append(name).Append(": ").Append(value ?? "null");
        return text.Append(" }").ToString();
    }

    internal static bool ValuesEqual(object? left, object? right) => (left, right) switch
    {
        (IEnumerable<object?> a, IEnumerable<object?> b) and (not FieldMap, not FieldMap) => a.SequenceEqual(b, ValueComparer.Instance),
        _ => Equals(left, right),
    };

    private static int IndexOf(IReadOnlyList<KeyValuePair<string, object?>> entries, string name)
    {
        for (var i = 0; i < entries.Count; i++)
        {
            if (string.Equals(entries[i].Key, name, StringComparison.Ordinal))
                return i;
        }

        return -1;
    }

    private sealed class ValueComparer : IEqualityComparer<object?>
    {
        public static readonly ValueComparer Instance = new();

        bool IEqualityComparer<object?>.Equals(object? x, object? y) => ValuesEqual(x, y);

        int IEqualityComparer<object?>.GetHashCode(object? obj) => 0;
    }
}
