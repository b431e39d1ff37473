using System.Collections.Immutable;
using CsCheck;

namespace Hone.Tests.Adapters;

/// <summary>What an adapter writes it reads back, whatever the types and the values.</summary>
/// <remarks>
/// The exceptions, all of them of values that stand alone in a field and none inside a list or object: the chat format and XML take blanks around a
/// text for layout and know one kind of line end; in them a text that may also be of another type (<c>int | str</c>, <c>Any</c>) is read as that
/// type when it looks like it, and everything but null of <c>int | str | None</c> as text.
/// </remarks>
public sealed class RoundTripTests
{
    public static TheoryData<string> Adapters => [.. AdapterList.OneStepNames];

    [Theory]
    [MemberData(nameof(Adapters))]
    public void RenderOutputs_AnyValueOfAnyType_ParsesBack(string name)
    {
        var adapter = AdapterList.Named(name);
        Gen.Select(RandomValues.Text, RandomValues.Typed, RandomValues.Text).Sample(
            (before, middle, after) =>
            {
                var signature = SignatureOf(middle.Type);
                var outputs = FieldMap.Of(("a", before), ("answer", middle.Value), ("b", after));
                var text = adapter.RenderOutputs(signature, outputs);
                var read = adapter.Parse(signature, text);
                Equal(Expected(name, FieldType.String, before), read["a"], text);
                Equal(Expected(name, FieldType.String, after), read["b"], text);
                if (IsUnambiguous(name, middle.Type, middle.Value))
                    Equal(Expected(name, middle.Type, middle.Value), read["answer"], text);
            },
            iter: 4_000);
    }

    internal static Signature SignatureOf(FieldType type) => new(
    [
        new("question", FieldType.String, FieldDirection.Input),
        new("a", FieldType.String, FieldDirection.Output),
        new("answer", type, FieldDirection.Output),
        new("b", FieldType.String, FieldDirection.Output),
    ]);

    /// <summary>What reading gives for a value.</summary>
    internal static object? Expected(string adapter, FieldType type, object? value) =>
        value is string text && adapter is "chat" or "xml" && type.Kind is not (FieldTypeKind.Literal or FieldTypeKind.Enum)
            ? text.Trim().Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n')
            : value;

    /// <summary>False for fields that may hold text and something else, in formats that do not tell text from other values.</summary>
    internal static bool IsUnambiguous(string adapter, FieldType type, object? value) =>
        adapter is not ("chat" or "xml") || type.Kind is not (FieldTypeKind.Union or FieldTypeKind.Any)
        || (value is string text ? text.Length > 0 && text.All(c => c is 'a' or 'b' or 'c' or 'Z')
            : value is null || !(type.AdmitsNull && type.Arguments.Contains(FieldType.String)));

    internal static void Equal(object? expected, object? actual, string text) =>
        Assert.True(AreEqual(expected, actual), $"expected {JsonText.Write(expected)}, got {JsonText.Write(actual)} from\n{text}");

    internal static bool AreEqual(object? expected, object? actual) => (expected, actual) switch
    {
        (byte[] a, byte[] b) => a.AsSpan().SequenceEqual(b),
        (FieldMap a, FieldMap b) => a.Keys.SequenceEqual(b.Keys) && a.Values.Zip(b.Values).All(pair => AreEqual(pair.First, pair.Second)),
        (ImmutableArray<object?> a, ImmutableArray<object?> b) => a.Length == b.Length && a.Zip(b).All(pair => AreEqual(pair.First, pair.Second)),
        _ => Equals(expected, actual),
    };
}
