using System.Collections;
using System.Text;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Writes a field's value as prompt text and parts.</summary>
internal static class ValueFormatter
{
    /// <summary>Text and scalars plain, lists and objects as one-line JSON, a list given for a text field as numbered passages.</summary>
    /// <remarks>A value that is no text is shown as a label such as <c>[image #1]</c>; use <see cref="AppendTo"/> for the part itself.</remarks>
    public static string Format(object? value, FieldType type)
    {
        if (value is string plain)
            return plain;
        if (value is null)
            return "null";
        if (JsonText.IsScalar(value))
            return JsonText.Scalar(value);
        var text = new PromptText();
        AppendTo(text, value, type);
        return text.ToString();
    }

    /// <summary>
    /// Appends a value. Pictures, recordings, files and documents that are the whole value become parts where they stand; inside lists and objects
    /// a label stands for them and the part follows the field.
    /// </summary>
    public static void AppendTo(PromptText text, object? value, FieldType type)
    {
        switch (value)
        {
            case string plain:
                text.AppendValue(plain);
                break;
            case null:
                text.Append("null");
                break;
            case Media media:
                text.AppendMedia(media, isNested: false);
                break;
            case AITool tool:
                AppendJson(text, tool);
                break;
            case FieldMap or History:
                AppendJson(text, TypeHints.Bare(type).Kind == FieldTypeKind.ToolCalls ? ToolValues.WithoutIds(value) : value);
                break;
            case IEnumerable list when ClrValues.IsCanonicalList(list):
                AppendList(text, list, type);
                break;
            case var scalar when JsonText.IsScalar(scalar):
                text.AppendValue(JsonText.Scalar(scalar));
                break;
            case var custom when PromptType.Of(custom.GetType()) is { } shown:
                text.AppendContents(shown.Show(custom), shown.Name);
                break;
            default:
                AppendTo(text, ClrValues.ToCanonical(value), type);
                break;
        }
    }

    private static void AppendList(PromptText text, IEnumerable list, FieldType type)
    {
        if (type.Kind == FieldTypeKind.String)
            text.AppendValue(FormatPassages(list));
        else if (type.Kind == FieldTypeKind.List && type.Arguments[0].Kind == FieldTypeKind.Tool)
            AppendLines(text, list);
        else
            AppendJson(text, list);
    }

    // One tool a line: easier to read than one long list.
    private static void AppendLines(PromptText text, IEnumerable list)
    {
        var isFirst = true;
        foreach (var item in list)
        {
            text.Append(isFirst ? string.Empty : "\n");
            AppendJson(text, item);
            isFirst = false;
        }

        if (isFirst)
            text.Append("[]");
    }

    private static void AppendJson(PromptText text, object? value)
    {
        var start = text.Builder.Length;
        JsonText.Write(text.Builder, value, text.AddNested);
        text.EscapeFrom(start);
        text.EndField();
    }

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
