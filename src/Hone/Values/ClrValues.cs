using System.Collections;
using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Converts between .NET values and canonical ones.</summary>
internal static partial class ClrValues
{
    /// <summary>A deep snapshot in canonical form: later changes to lists or objects do not show in it.</summary>
    /// <exception cref="HoneException">The value contains itself.</exception>
    public static object? ToCanonical(object? value) => ToCanonical(value, 0);

    /// <summary>A canonical list of values that are canonical already.</summary>
    public static ImmutableArray<object?> List(IEnumerable<object?> items) => [.. items];

    public static bool IsCanonicalList(IEnumerable list) => list is ImmutableArray<object?>;

    private static object? ToCanonical(object? value, int depth)
    {
        const int MaximumDepth = 100;
        if (depth > MaximumDepth)
            throw new HoneException($"A value is nested more than {MaximumDepth} deep; does it contain itself? Pass a tree of values.");
        return value switch
        {
            null or string or bool or long or double or decimal or BigInteger => value,
            DateOnly or DateTimeOffset or TimeOnly or TimeSpan or Guid or Uri => value,
            sbyte or byte or short or ushort or int or uint => Convert.ToInt64(value, CultureInfo.InvariantCulture),
            ulong number => number <= long.MaxValue ? (object)(long)number : new BigInteger(number),
            float number => double.Parse(number.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
            char c => c.ToString(),
            byte[] bytes => bytes.Clone(),
            DateTime time => new DateTimeOffset(time.Kind == DateTimeKind.Unspecified ? DateTime.SpecifyKind(time, DateTimeKind.Utc) : time),
            Enum member => EnumValue(member),
            FieldMap map => FromMap(map, depth),
            ImmutableArray<object?> items => FromItems(value, items, depth),
            Media or AITool => value,
            Reasoning reasoning => reasoning.Text,
            Code code => code.Text,
            Citations citations => ToolValues.Of(citations),
            ToolCalls calls => ToolValues.Of(calls),
            ToolResults results => ToolValues.Of(results),
            AIContent content => Media.FromContent(content),
            History history => FromList(history.Turns, depth),
            JsonElement element => JsonValues.FromElement(element),
            JsonNode node => JsonValues.FromNode(node),
            _ when PromptType.Of(value.GetType()) is not null => value,
            IDictionary dictionary => FromEntries(Entries(dictionary), depth),
            IEnumerable<KeyValuePair<string, object?>> pairs => FromEntries(pairs.Select(pair => ((object)pair.Key, pair.Value)), depth),
            ITuple tuple => FromList(Enumerable.Range(0, tuple.Length).Select(i => tuple[i]), depth),
            IEnumerable list => FromSequence(list, depth),
            _ => FromObject(value, depth),
        };
    }

    // What is canonical already is shared, not copied; each part is looked at once.
    private static FieldMap FromMap(FieldMap map, int depth)
    {
        KeyValuePair<string, object?>[]? changed = null;
        var index = 0;
        foreach (var (name, value) in map)
        {
            var canonical = ToCanonical(value, depth + 1);
            if (changed is null && !ReferenceEquals(canonical, value))
                changed = [.. map];
            if (changed is not null)
                changed[index] = new(name, canonical);
            index++;
        }

        return changed is null ? map : FieldMap.Adopt(changed);
    }

    private static object FromItems(object boxed, ImmutableArray<object?> items, int depth)
    {
        object?[]? changed = null;
        for (var i = 0; i < items.Length; i++)
        {
            var canonical = ToCanonical(items[i], depth + 1);
            if (changed is null && !ReferenceEquals(canonical, items[i]))
                changed = [.. items];
            if (changed is not null)
                changed[i] = canonical;
        }

        return changed is null ? boxed : ImmutableCollectionsMarshal.AsImmutableArray(changed);
    }

    private static object FromSequence(IEnumerable list, int depth)
    {
        // Dictionaries that implement only the generic read-only interface come here as pairs.
        return ClrCollections.IsDictionary(list)
            ? FromEntries(list.Cast<object>().Select(PairOf), depth)
            : FromList(list.Cast<object?>(), depth);
    }

    private static (object Key, object? Value) PairOf(object pair)
    {
        var shape = ClrShape.Find(pair.GetType());
        return (shape.Members[0].Getter.Invoke(pair)!, shape.Members[1].Getter.Invoke(pair));
    }

    private static IEnumerable<(object Key, object? Value)> Entries(IDictionary dictionary)
    {
        foreach (DictionaryEntry entry in dictionary)
            yield return (entry.Key, entry.Value);
    }

    private static object FromEntries(IEnumerable<(object Key, object? Value)> entries, int depth) =>
        FieldMap.Create(entries.Select(entry =>
            KeyValuePair.Create(JsonText.Scalar(ToCanonical(entry.Key, depth + 1)!), ToCanonical(entry.Value, depth + 1))));

    private static object FromList(IEnumerable<object?> items, int depth)
    {
        var builder = ImmutableArray.CreateBuilder<object?>();
        foreach (var item in items)
            builder.Add(ToCanonical(item, depth + 1));
        return builder.DrainToImmutable();
    }

    private static object FromObject(object value, int depth)
    {
        var shape = ClrShape.Find(value.GetType());
        if (shape.Members.IsEmpty)
        {
            throw new HoneException(
                $"A value of type {value.GetType()} has no public properties, so it cannot be a field value. Pass text, numbers, lists or records.");
        }

        var entries = new KeyValuePair<string, object?>[shape.Members.Length];
        for (var i = 0; i < entries.Length; i++)
            entries[i] = new(shape.Members[i].Name, ToCanonical(shape.Members[i].Getter.Invoke(value), depth + 1));
        return FieldMap.Adopt(entries);
    }

    private static object EnumValue(Enum value)
    {
        var type = ClrTypes.Of(value.GetType());
        if (type.Kind == FieldTypeKind.Set)
            return FlagValues(value, type.Arguments[0]);
        foreach (var member in type.Members)
        {
            if (value.Equals(member.ClrValue))
                return member.Value;
        }

        return value.ToString();
    }

    private static ImmutableArray<object?> FlagValues(Enum value, FieldType type)
    {
        var bits = ClrTypeRules.Bits(value);
        var names = ImmutableArray.CreateBuilder<object?>();
        foreach (var member in type.Members)
        {
            var bit = ClrTypeRules.Bits(member.ClrValue!);
            if ((bits & bit) != 0)
                names.Add(member.Value);
            bits &= ~bit;
        }

        return bits == 0 ? names.ToImmutable() : throw new HoneException(
            $"{value.GetType().Name} {value} has flags without a name, so it cannot be shown to a model.");
    }
}
