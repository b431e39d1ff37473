using System.Collections.Immutable;

namespace Hone;

/// <summary>What the model must know of the special types in a field, told below the field in the inventory.</summary>
internal static class TypeDescriptions
{
    private const string ToolCallsText =
        "Tool calls are a JSON object with the list \"tool_calls\"; each call has the \"name\" of a tool and its arguments \"args\", as in "
        + "{\"tool_calls\": [{\"name\": \"search\", \"args\": {\"query\": \"tallest tree\"}}]}.";

    /// <summary>One text for each special type found anywhere inside the type that has something to say, in order of appearance.</summary>
    public static ImmutableArray<string> Of(FieldType type)
    {
        if (type.Arguments.IsEmpty && type.Properties.IsEmpty)
            return TextOf(type) is { } text ? [text] : [];
        var found = new List<string>();
        Collect(type, found);
        return [.. found];
    }

    private static void Collect(FieldType type, List<string> found)
    {
        if (TextOf(type) is { } text && !found.Contains(text))
            found.Add(text);
        foreach (var argument in type.Arguments)
            Collect(argument, found);
        foreach (var property in type.Properties)
            Collect(property.Type, found);
    }

    private static string? TextOf(FieldType type) => type.Kind switch
    {
        FieldTypeKind.Code => OfCode(type.Name ?? Code.DefaultLanguage),
        FieldTypeKind.ToolCalls => ToolCallsText,
        FieldTypeKind.Custom => type.PromptType!.Description,
        _ => null,
    };

    private static string OfCode(string language) => $"Code is {language} source. Write it as one fenced block:\n{CodeBlocks.Example(language)}";
}
