using System.Collections.Immutable;
using System.Numerics;
using CsCheck;

namespace Hone.Tests.Adapters;

/// <summary>Random field types, and random values of a type.</summary>
internal static class RandomValues
{
    private static readonly Gen<char> Char = Gen.Frequency(
        (12, Gen.Char["abcZ 019.,:;!?"]),
        (4, Gen.Char["[]{}()<>/&#\"'`\\*_-=|"]),
        (1, Gen.Char["\n\t\r"]),
        (1, Gen.Char["éΩ中\u2028\u0085\u00A0\uFEFF\u0001"]));

    private static readonly Gen<string> Piece = Gen.OneOf(
        new[]
        {
            "[[ ## answer ## ]]", "[[ ## completed ## ]]", "\n[[ ## a ## ]]\n", "[[ \\## a ## ]]", "</a>", "<a>", "<item>", "<![CDATA[", "]]>", "&lt;", "&amp;", "&#65;", "<!--",
            "{\"a\": 1}", "```json\n", "```", "</think>", "<think>", "null", "None", "true", "\"", "\\n", "\\u0041", "😀",
        }.Select(Gen.Const).ToArray());

    private static readonly Gen<FieldType> Scalar = Gen.OneOf(
        new[]
        {
            FieldType.String, FieldType.Integer, FieldType.Number, FieldType.Decimal, FieldType.Boolean, FieldType.Simple(FieldTypeKind.Date),
            FieldType.Simple(FieldTypeKind.DateTime), FieldType.Simple(FieldTypeKind.Guid), FieldType.Simple(FieldTypeKind.Uri), FieldType.Simple(FieldTypeKind.Bytes),
            FieldType.LiteralOf("yes", "it's fine", "a \"b\""), FieldType.LiteralOf(1L, 2L, 3L), FieldType.LiteralOf("a", true, 7L),
            FieldType.EnumOf("Color", new("Red", "red"), new("Green", "green")), FieldType.EnumOf("Level", new("Low", 1L), new("High", 2L)),
        }.Select(Gen.Const).ToArray());

    private static readonly Gen<FieldType> Special = Gen.OneOf(
        new[] { FieldType.Reasoning, FieldType.CodeIn("csharp"), FieldType.ToolCalls, FieldType.ToolResults, FieldType.Citations }.Select(Gen.Const).ToArray());

    /// <summary>Any text, markers of every format among it.</summary>
    public static Gen<string> Text { get; } = Gen.Frequency((3, Gen.String[Char, 0, 12]), (1, Piece), (1, Gen.Select(Piece, Gen.String[Char, 0, 6], (piece, rest) => piece + rest)));

    /// <summary>Any type.</summary>
    public static Gen<FieldType> Type { get; } = Gen.Frequency((5, TypeOf(2)), (1, Special));

    /// <summary>A type with a value of it.</summary>
    public static Gen<(FieldType Type, object? Value)> Typed { get; } = Type.SelectMany(type => ValueOf(type).Select(value => (type, value)));

    public static Gen<object?> ValueOf(FieldType type) => type.Kind switch
    {
        FieldTypeKind.String or FieldTypeKind.Reasoning => Text.Select(text => (object?)text),
        FieldTypeKind.Code => Gen.String[Gen.Char["ab =;\n\"<&{}"], 0, 20].Select(text => (object?)text),
        FieldTypeKind.Integer => Gen.OneOf(Gen.Long.Select(number => (object?)number), Gen.Int[-9, 9].Select(number => (object?)(long)number), Gen.Const((object?)BigInteger.Pow(10, 30))),
        FieldTypeKind.Number => Gen.OneOf(Gen.Double.Where(number => !double.IsNaN(number)), Gen.Int[-9, 9].Select(number => (double)number), Gen.Const(double.NaN)).Select(number => (object?)number),
        FieldTypeKind.Decimal => Gen.Select(Gen.Int, Gen.Int, Gen.Int[0, 28], (low, high, scale) => (object?)new decimal(low, high, 0, high < 0, (byte)scale)),
        FieldTypeKind.Boolean => Gen.Bool.Select(flag => (object?)flag),
        FieldTypeKind.Date => Gen.Date.Select(date => (object?)DateOnly.FromDateTime(date)),
        FieldTypeKind.DateTime => Gen.Select(Gen.DateTime, Gen.Int[-14, 14], (time, hours) => (object?)new DateTimeOffset(
            new DateTime(Math.Clamp(time.Ticks, TimeSpan.TicksPerDay, DateTime.MaxValue.Ticks - TimeSpan.TicksPerDay)), TimeSpan.FromHours(hours))),
        FieldTypeKind.Guid => Gen.Guid.Select(guid => (object?)guid),
        FieldTypeKind.Uri => Gen.String[Gen.Char["ab/?=&"], 0, 8].Select(path => (object?)new Uri("https://example.org/" + path)),
        FieldTypeKind.Bytes => Gen.Byte.Array[0, 6].Select(bytes => (object?)bytes),
        FieldTypeKind.Literal => Gen.OneOf(type.Literals.Select(Gen.Const).ToArray()),
        FieldTypeKind.Enum => Gen.OneOf(type.Members.Select(member => Gen.Const((object?)member.Value)).ToArray()),
        FieldTypeKind.Null => Gen.Const((object?)null),
        FieldTypeKind.Union => Gen.Int[0, type.Arguments.Length - 1].SelectMany(index => ValueOf(type.Arguments[index])),
        FieldTypeKind.List => List(ValueOf(type.Arguments[0]), 3),
        FieldTypeKind.Set => List(ValueOf(type.Arguments[0]), 3).Select(items => (object?)Distinct((ImmutableArray<object?>)items!)),
        FieldTypeKind.Tuple => All([.. type.Arguments.Select(ValueOf)]).Select(items => (object?)items),
        FieldTypeKind.Dictionary => Gen.Select(Gen.OneOf(Gen.String[Gen.Char["ab"], 1, 3], Text), ValueOf(type.Arguments[1])).List[0, 3]
            .Select(entries => (object?)FieldMap.Create(entries.Select(entry => KeyValuePair.Create(entry.Item1, entry.Item2)))),
        FieldTypeKind.Object => All([.. type.Properties.Select(property => ValueOf(property.Type))])
            .Select(values => (object?)FieldMap.Create(type.Properties.Zip(values, (property, value) => KeyValuePair.Create(property.Name, value)))),
        FieldTypeKind.ToolCalls => Gen.Select(Gen.String[Gen.Char["ab_"], 1, 4], Arguments).List[0, 2].Select(calls =>
            (object?)ToolValues.Of(new ToolCalls([.. calls.Select(call => new ToolCall(call.Item1, call.Item2))]))),
        FieldTypeKind.ToolResults => Gen.Select(Gen.String[Gen.Char["ab_"], 1, 4], Text, Gen.Bool).List[0, 2].Select(results =>
            (object?)ToolValues.Of(new ToolResults([.. results.Select(result => new ToolResult("id", result.Item1, result.Item2, result.Item3))]))),
        FieldTypeKind.Citations => Gen.Select(Text, Gen.Int[0, 9]).List[0, 2].Select(citations =>
            ToolValues.Of(new Citations([.. citations.Select(citation => new Citation(citation.Item1, 0, citation.Item2, citation.Item2 + 1))]))).Select(value => (object?)value),
        _ => Gen.OneOf(Text.Select(text => (object?)text), Gen.Long.Select(number => (object?)number), Gen.Bool.Select(flag => (object?)flag), Gen.Const((object?)null)),
    };

    private static Gen<FieldMap> Arguments { get; } = Gen.Select(Text, Gen.Int, (text, number) => FieldMap.Of(("text", text), ("number", (long)number)));

    private static Gen<FieldType> TypeOf(int depth)
    {
        if (depth == 0)
            return Scalar;
        var inner = TypeOf(depth - 1);
        return Gen.Frequency(
            (4, Scalar),
            (1, inner.Select(FieldType.ListOf)),
            (1, inner.Select(FieldType.SetOf)),
            (1, inner.Select(type => FieldType.DictionaryOf(FieldType.String, type))),
            (1, Gen.Select(inner, inner, (first, second) => FieldType.TupleOf(first, second))),
            (2, Gen.Select(inner, inner, (first, second) => FieldType.ObjectOf("Thing", new("name", first), new("größe_2", second), new("item", FieldType.Integer), new("a b", FieldType.String)))),
            (1, inner.Select(FieldType.Optional)),
            (1, Gen.Select(Scalar, inner, UnionOf)),
            (1, Gen.Const(FieldType.Any)));
    }

    // Alternatives that JSON tells apart; text in another form than text itself, such as a date, would be taken for text or for a number.
    private static FieldType UnionOf(FieldType first, FieldType second)
    {
        var shapes = new[] { first, second }.Select(Shape).ToList();
        return shapes.Contains(null) || shapes[0] == shapes[1] ? FieldType.UnionOf(FieldType.Integer, FieldType.String) : FieldType.UnionOf(first, second);
    }

    private static string? Shape(FieldType type) => type.Kind switch
    {
        FieldTypeKind.String => "text",
        FieldTypeKind.Integer or FieldTypeKind.Number => "number",
        FieldTypeKind.Boolean => "flag",
        FieldTypeKind.List => "list",
        FieldTypeKind.Object => "object",
        _ => null,
    };

    private static Gen<object?> List(Gen<object?> item, int most) => item.List[0, most].Select(items => (object?)items.ToImmutableArray());

    private static Gen<ImmutableArray<object?>> All(ImmutableArray<Gen<object?>> items) => items.Aggregate(
        Gen.Const(ImmutableArray<object?>.Empty), (all, item) => Gen.Select(all, item, (list, value) => list.Add(value)));

    private static ImmutableArray<object?> Distinct(ImmutableArray<object?> items)
    {
        var distinct = ImmutableArray<object?>.Empty;
        foreach (var item in items)
            distinct = distinct.Any(each => RoundTripTests.AreEqual(each, item)) ? distinct : distinct.Add(item);
        return distinct;
    }
}
