using System.Collections;
using System.Text;

namespace Hone;

/// <summary>Writes a field's value as prompt text.</summary>
internal static class ValueFormatter
{
    /// <summary>Text and scalars plain, lists and objects as one-line JSON, a list given for a text field as numbered passages.</summary>
    public static string Format(object? value, FieldType type) => value switch
    {
        null => "null",
        string text => text,
        FieldMap or History => JsonText.Write(value),
        IEnumerable list when ClrValues.IsCanonicalList(list) => type.Kind == FieldTypeKind.String ? FormatPassages(list) : JsonText.Write(list),
        bool or long or double or decimal or System.Numerics.BigInteger or DateOnly or DateTimeOffset or byte[] or Guid or Uri =>
            JsonText.Scalar(value),
        _ => Format(ClrValues.ToCanonical(value), type),
    };

    private static string FormatPassages(IEnumerable list)
    {
        var passages = list.Cast<object?>().Select(item => Passage(Format(item, FieldType.Any))).ToList();
        return passages.Count switch
        {
            0 => "N/A",
            1 => passages[0],
            _ => string.Join('\n', passages.Select((passage, i) => $"[{i + 1}] {passage}")),
        };
    }

    private static string Passage(string text)
    {
        if (text.AsSpan().IndexOfAny('\n', '«', '»') < 0)
            return $"«{text}»";
        var block = new StringBuilder("«««\n    ");
        block.Append(text.Replace("\n", "\n    ", StringComparison.Ordinal));
        return block.Append("\n»»»").ToString();
    }
}
