using System.Text.Json;
using CsCheck;

namespace Hone.Tests.Values;

public sealed class ValueRoundTripTests
{
    private static readonly Gen<(FieldType Type, object? Value)> TypedValue = AnyType.Of(3).SelectMany(type => AnyType.ValueOf(type).Select(value => (type, value)));

    [Fact]
    public void Coerce_OfJson_GivesTheValueBack() => TypedValue.Sample(
        (type, value) =>
        {
            var text = JsonText.Write(FieldMap.Of(("v", value)));
            AssertSame(type, value, CoerceJson(((FieldMap)JsonRepair.Parse(text).Value!)["v"], type));
            if (IsStandardJson(text, out var element))
                AssertSame(type, value, CoerceJson(JsonValues.FromElement(element.GetProperty("v")), type));
        },
        iter: 5000,
        print: Print);

    [Fact]
    public void Coerce_OfPromptText_GivesTheValueBack() => TypedValue.Where(each => IsText(each.Type) && !IsNullWord(each.Type, each.Value)).Sample(
        (type, value) => AssertSame(type, value, ValueCoercer.Coerce(ValueFormatter.Format(value, type), type), isText: true), iter: 5000, print: Print);

    [Fact]
    public void Coerce_Value_IsTheValueItself() => TypedValue.Sample((type, value) => AssertSame(type, value, CoerceJson(value, type)), iter: 2000, print: Print);

    [Fact]
    public void Coerce_AnyTextToAnyType_ThrowsOnlyCoercionErrors() => Gen.Select(AnyType.Of(2), Mutation.OfJson).Sample(
        (type, text) =>
        {
            try
            {
                ValueCoercer.Coerce(text, type);
            }
            catch (ValueCoercionException error)
            {
                Assert.StartsWith("$", error.Path, StringComparison.Ordinal);
                Assert.NotEmpty(error.Reason);
            }
        },
        iter: 20_000);

    [Fact]
    public void Coerce_AnyValueToAnyType_ThrowsOnlyCoercionErrors() => Gen.Select(AnyType.Of(2), TypedValue).Sample(
        (type, other) =>
        {
            try
            {
                CoerceJson(other.Value, type);
            }
            catch (ValueCoercionException error)
            {
                Assert.NotEmpty(error.Reason);
            }
        },
        iter: 20_000);

    private static string Print((FieldType Type, object? Value) each) => $"{TypeExpressionWriter.Fingerprint(each.Type)}: {JsonText.Write(each.Value)}";

    private static object? CoerceJson(object? raw, FieldType type)
    {
        var failure = default(CoercionFailure);
        return ValueCoercer.TryCoerceJson(raw, type, out var value, ref failure) ? value : throw failure.ToException();
    }

    // Types whose values may look like one another give back a value that reads the same, or at least stays what it became; all others the very value.
    private static void AssertSame(FieldType type, object? expected, object? actual, bool isText = false)
    {
        if (Look(type) == Likeness.None)
            Assert.True(FieldMap.ValuesEqual(expected, actual), $"{JsonText.Write(expected)} ({expected?.GetType().Name}) came back as {JsonText.Write(actual)} ({actual?.GetType().Name}) for {type}");
        if (Look(type) == Likeness.Values)
            actual = CoerceJson(expected = actual, type);
        if (isText)
            Assert.Equal(ValueFormatter.Format(expected, type), ValueFormatter.Format(actual, type));
        else
            Assert.Equal(JsonText.Write(expected), JsonText.Write(actual));
    }

    private enum Likeness
    {
        // No two values of the type look alike.
        None,

        // Some values look alike and are written alike.
        Text,

        // Some values fit two alternatives that write them differently.
        Values,
    }

    private static Likeness Look(FieldType type)
    {
        var inner = type.Arguments.Concat(type.Properties.Select(property => property.Type)).Select(Look).DefaultIfEmpty().Max();
        var own = type.Kind switch
        {
            FieldTypeKind.Any => Likeness.Text,
            FieldTypeKind.Literal => type.Literals.Length > 1 ? Likeness.Values : Likeness.None,
            FieldTypeKind.Union when TypeHints.OptionalOf(type) is { } only => only.Kind is FieldTypeKind.String or FieldTypeKind.Enum or FieldTypeKind.Reasoning ? Likeness.Text : Likeness.None,
            FieldTypeKind.Union when type.Arguments.Contains(FieldType.Any) => Likeness.Values,
            FieldTypeKind.Union => type.Arguments.Select(Group).GroupBy(group => group).Any(group => group.Count() > 1) ? Likeness.Values : Likeness.Text,
            _ => Likeness.None,
        };
        return own > inner ? own : inner;
    }

    private static char Group(FieldType type) => type.Kind switch
    {
        FieldTypeKind.Integer or FieldTypeKind.Number or FieldTypeKind.Decimal or FieldTypeKind.Boolean or FieldTypeKind.Duration or FieldTypeKind.DateTime => 'n',
        // 1E-07 is a decimal as well, and is written as 0.0000001 then.
        FieldTypeKind.Literal when !type.Literals.All(literal => literal is string) => 'n',
        FieldTypeKind.Object or FieldTypeKind.Reference or FieldTypeKind.Dictionary or FieldTypeKind.ToolCalls or FieldTypeKind.ToolResults => 'o',
        FieldTypeKind.Attachment or FieldTypeKind.Document or FieldTypeKind.Image or FieldTypeKind.Audio => 'o',
        FieldTypeKind.List or FieldTypeKind.Set or FieldTypeKind.Tuple or FieldTypeKind.History or FieldTypeKind.Citations => 'l',
        FieldTypeKind.Any => 'a',
        _ => 't',
    };

    // What can stand in a completion as text: no pictures, no ids of calls, and nothing that is text or something else by its looks.
    private static bool IsText(FieldType type) => type.Kind switch
    {
        FieldTypeKind.Any or FieldTypeKind.ToolCalls => false,
        FieldTypeKind.Union => TypeHints.OptionalOf(type) is { Kind: not FieldTypeKind.Literal } inner && IsText(inner),
        _ => !HoldsMedia(type),
    };

    // The text "None" of an optional field is null by intent.
    private static bool IsNullWord(FieldType type, object? value) => type.AdmitsNull && value is "None" or "null";

    private static bool HoldsMedia(FieldType type) => type.IsMedia || type.Arguments.Any(HoldsMedia) || type.Properties.Any(property => HoldsMedia(property.Type));

    private static bool IsStandardJson(string text, out JsonElement element)
    {
        try
        {
            element = JsonElement.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            // NaN and the infinities are written, but no JSON.
            element = default;
            return false;
        }
    }
}
