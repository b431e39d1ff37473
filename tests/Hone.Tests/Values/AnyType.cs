using System.Collections.Immutable;
using System.Numerics;
using CsCheck;

namespace Hone.Tests.Values;

/// <summary>Generates field types of every kind, and canonical values of them.</summary>
internal static class AnyType
{
    private static readonly FieldTypeKind[] Plain =
    [
        FieldTypeKind.String, FieldTypeKind.Integer, FieldTypeKind.Number, FieldTypeKind.Decimal, FieldTypeKind.Boolean, FieldTypeKind.Bytes, FieldTypeKind.Date,
        FieldTypeKind.DateTime, FieldTypeKind.Time, FieldTypeKind.Duration, FieldTypeKind.Guid, FieldTypeKind.Uri,
    ];

    private static readonly FieldType[] Special =
    [
        FieldType.Image, FieldType.Audio, FieldType.Attachment, FieldType.Document, FieldType.Reasoning, FieldType.Citations, FieldType.ToolCalls, FieldType.ToolResults,
        FieldType.History, FieldType.CodeIn(), FieldType.CodeIn("c++"), FieldType.CodeIn("it's"),
    ];

    /// <summary>A node with children of its own kind.</summary>
    public static FieldType Tree { get; } = FieldType.ObjectOf(
        "Tree", new ObjectProperty("label", FieldType.String), new ObjectProperty("children", FieldType.ListOf(FieldType.ReferenceTo("Tree", () => Tree!)), false, ImmutableArray<object?>.Empty));

    /// <summary>Text with everything that a quoting scheme can trip over.</summary>
    public static Gen<string> Text { get; } = Gen.OneOf(
        Gen.String[Gen.Char["ab\"'\\{}[]():,;#`|<> \n\r\t\0é→/*-_1.\u2028"], 0, 12],
        Gen.OneOf("None", "null", "true", "1", "-", "...", "```\nx\n```", "[1, 2]", "{\"a\": 1}", "»", "'''", "\"\"\"", "\uD83D\uDE00"));

    /// <summary>Types of values that text can carry; named types have names that are unlikely to meet.</summary>
    public static Gen<FieldType> Of(int depth)
    {
        var leaf = Gen.Frequency(
            (6, Gen.OneOf(Plain).Select(FieldType.Simple)),
            (2, Gen.OneOf(Special)),
            (1, Gen.OneOf(FieldType.Any, FieldType.Null, Tree)),
            (2, Literal),
            (1, Enumeration));
        if (depth == 0)
            return leaf;
        var inner = Of(depth - 1);
        return Gen.Frequency(
            (3, leaf),
            (2, inner.Select(FieldType.ListOf)),
            (1, inner.Select(FieldType.SetOf)),
            (1, inner.Array[1, 3].Select(items => FieldType.TupleOf([.. items]))),
            (1, Gen.Select(Gen.OneOf(FieldType.String, FieldType.Integer, FieldType.Simple(FieldTypeKind.Date)), inner, FieldType.DictionaryOf)),
            (1, inner.Select(FieldType.Optional)),
            (1, inner.Array[1, 3].Select(items => FieldType.UnionOf([.. items]))),
            (2, Object(inner)));
    }

    /// <summary>Every object and enumeration inside a type, for a registry; null when two different ones share a name.</summary>
    public static TypeRegistry? Registry(FieldType type)
    {
        var named = new Dictionary<string, FieldType>();
        return Collect(type, named) ? named.Values.Aggregate(TypeRegistry.Empty, (registry, each) => registry.With(each)) : null;
    }

    /// <summary>Canonical values of a type.</summary>
    public static Gen<object?> ValueOf(FieldType type, int depth = 3) => type.Kind switch
    {
        FieldTypeKind.Any => Json(2),
        FieldTypeKind.Null => Gen.Const((object?)null),
        FieldTypeKind.String or FieldTypeKind.Reasoning => Text.Select(text => (object?)text),
        FieldTypeKind.Code => Gen.OneOf("x = 1", "if a:\n    b", "{'a': 1}").Select(text => (object?)text),
        FieldTypeKind.Integer => Gen.OneOf(Gen.Long.Select(number => (object?)number), Gen.Const((object?)(BigInteger.One << 100))),
        FieldTypeKind.Number => Gen.OneOf(Gen.Double, Gen.OneOf(0.0, -0.0, 1e300, 5e-324, double.PositiveInfinity, double.NegativeInfinity, 42)).Select(number => (object?)number),
        FieldTypeKind.Decimal => Gen.Decimal.Select(number => (object?)(number / 1.0000000000000000000000000000m)), // without zeros at the end
        FieldTypeKind.Boolean => Gen.Bool.Select(flag => (object?)flag),
        FieldTypeKind.Bytes => Gen.Byte.Array[0, 5].Select(bytes => (object?)bytes),
        FieldTypeKind.Date => Gen.Int[0, 3_000_000].Select(day => (object?)DateOnly.FromDayNumber(day)),
        FieldTypeKind.DateTime => Gen.Select(Gen.Long[DateTime.UnixEpoch.Ticks, DateTime.UnixEpoch.AddYears(300).Ticks], Gen.Int[-14 * 60, 14 * 60])
            .Select((ticks, minutes) => (object?)new DateTimeOffset(ticks, TimeSpan.FromMinutes(minutes))),
        FieldTypeKind.Time => Gen.Long[0, TimeSpan.TicksPerDay - 1].Select(ticks => (object?)new TimeOnly(ticks)),
        FieldTypeKind.Duration => Gen.Long.Select(ticks => (object?)new TimeSpan(ticks)),
        FieldTypeKind.Guid => Gen.Guid.Select(guid => (object?)guid),
        FieldTypeKind.Uri => Gen.OneOf("https://x.y/z?a=1&b=ü", "ftp://h/", "mailto:a@b.c").Select(text => (object?)new Uri(text)),
        FieldTypeKind.Literal => Gen.OneOf([.. type.Literals]),
        FieldTypeKind.Enum => Gen.OneOf(type.Members.Select(member => (object?)member.Value).ToArray()),
        FieldTypeKind.List or FieldTypeKind.Set or FieldTypeKind.Tuple or FieldTypeKind.Dictionary or FieldTypeKind.Union or FieldTypeKind.Object
            or FieldTypeKind.Reference => Composite(type, depth),
        _ => SpecialValue(type.Kind),
    };

    private static Gen<FieldType> Literal { get; } = Gen.OneOf(
        Text.Select(text => (object?)text),
        Gen.OneOf<object?>(1L, -7L, true, false, null, 1.5, -0.25, 1e300, 1e-7, 2.0, BigInteger.Pow(10, 30))).Array[1, 4]
        .Select(values => FieldType.LiteralOf([.. values.Distinct()]));

    private static Gen<string> Name { get; } = Gen.String[Gen.Char["abcdefghijklmnop"], 8, 12].Select(name => "T" + name);

    private static Gen<FieldType> Enumeration { get; } = Gen.Select(Name, Text.Where(text => text.Trim() == text && text.Length > 0).HashSet[1, 3]).Select((name, values) =>
        FieldType.EnumOf(name, [.. values.Select((value, i) => new EnumMember($"M{i}", value))]));

    private static Gen<FieldType> Object(Gen<FieldType> inner) => Gen.Select(Name, Gen.Select(Gen.String[Gen.Char["abcxyz_"], 1, 4], inner).Array[0, 3]).Select((name, properties) =>
        FieldType.ObjectOf(name, [.. properties.DistinctBy(each => each.Item1).Select(each => new ObjectProperty(each.Item1, each.Item2))]));

    private static Gen<object?> Composite(FieldType type, int depth)
    {
        Gen<object?> Inner(FieldType each) => ValueOf(each, depth - 1);

        var most = depth > 0 ? 3 : 0;
        switch (type.Kind)
        {
            case FieldTypeKind.List:
                return Inner(type.Arguments[0]).List[0, most].Select(items => (object?)items.ToImmutableArray());
            case FieldTypeKind.Set:
                return Inner(type.Arguments[0]).List[0, most].Select(items => (object?)Distinct(items));
            case FieldTypeKind.Tuple:
                return Sequence([.. type.Arguments.Select(Inner)]).Select(items => (object?)items.ToImmutableArray());
            case FieldTypeKind.Dictionary:
                return Gen.Select(ValueOf(type.Arguments[0]), Inner(type.Arguments[1])).List[0, most].Select(entries =>
                    (object?)FieldMap.Create(entries.Select(entry => KeyValuePair.Create(JsonText.Scalar(entry.Item1!), entry.Item2))));
            case FieldTypeKind.Union:
                return Gen.OneOf(type.Arguments.Select(Inner).ToArray());
            default:
                var properties = type.Resolved.Properties;
                return Sequence([.. properties.Select(property => depth > 0 || property.IsRequired ? Inner(property.Type) : Gen.Const(property.Default))]).Select(values =>
                    (object?)FieldMap.Create(properties.Zip(values, (property, value) => KeyValuePair.Create(property.Name, value))));
        }
    }

    private static Gen<object?> SpecialValue(FieldTypeKind kind) => Gen.Select(Text, Json(1), Gen.Byte.Array[1, 4]).Select((text, json, bytes) => ClrValues.ToCanonical(kind switch
    {
        FieldTypeKind.Image => Image.FromBytes(bytes, "image/png"),
        FieldTypeKind.Audio => Audio.FromUri(new Uri("https://x.y/a.wav")),
        FieldTypeKind.Attachment => Attachment.FromBytes(bytes, "application/zip", "a.zip"),
        FieldTypeKind.Document => Document.FromText("body: " + text, text, null),
        FieldTypeKind.Citations => new Citations([new Citation(text, 1, 2, 3) { DocumentTitle = text }]),
        FieldTypeKind.ToolCalls => new ToolCalls([new ToolCall("f", FieldMap.Of(("x", json))) { Id = "7" }]),
        FieldTypeKind.ToolResults => new ToolResults([new ToolResult("7", "f", json, true)]),
        FieldTypeKind.History => History.Of(FieldMap.Of(("q", json))),
        _ => (object?)null,
    }));

    private static Gen<object?> Json(int depth)
    {
        var leaf = Gen.OneOf(
            Text.Select(text => (object?)text), Gen.Long.Select(number => (object?)number), Gen.Double.Where(double.IsFinite).Select(number => (object?)number),
            Gen.Bool.Select(flag => (object?)flag), Gen.Const((object?)null));
        if (depth == 0)
            return leaf;
        return Gen.OneOf(
            leaf,
            Json(depth - 1).List[0, 3].Select(items => (object?)items.ToImmutableArray()),
            Gen.Select(Gen.String[Gen.Char["ab c\""], 0, 3], Json(depth - 1)).List[0, 3].Select(entries =>
                (object?)FieldMap.Create(entries.Select(entry => KeyValuePair.Create(entry.Item1, entry.Item2)))));
    }

    private static Gen<List<object?>> Sequence(Gen<object?>[] items) => items.Aggregate(
        Gen.Const(new List<object?>()), (all, item) => Gen.Select(all, item).Select((list, value) => list.Append(value).ToList()));

    private static ImmutableArray<object?> Distinct(IEnumerable<object?> items)
    {
        var kept = new List<object?>();
        foreach (var item in items.Where(item => !kept.Exists(each => FieldMap.ValuesEqual(each, item))))
            kept.Add(item);
        return [.. kept];
    }

    private static bool Collect(FieldType type, Dictionary<string, FieldType> named)
    {
        if (type.Kind is FieldTypeKind.Object or FieldTypeKind.Enum && !named.TryAdd(type.Name!, type) && !named[type.Name!].Equals(type))
            return false;
        return type.Arguments.All(argument => Collect(argument, named)) && type.Properties.All(property => Collect(property.Type, named));
    }
}
