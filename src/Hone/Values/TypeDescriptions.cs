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
            return (TextOf(type) ?? OfEnumeration(type)) is { } text ? [text] : [];
        var found = new List<string>();
        if (OfEnumeration(type) is { } members)
            found.Add(members);
        Collect(type, found);
        return [.. found];
    }

    /// <summary>What is said of an enumeration that is a value itself, or the item of a list; null for nothing. Schemas say it of those inside objects.</summary>
    public static string? OfEnumeration(FieldType type)
    {
        var item = TypeHints.Bare(type);
        if (item.Kind is FieldTypeKind.List or FieldTypeKind.Set)
            item = TypeHints.Bare(item.Arguments[0]);
        return item.Kind == FieldTypeKind.Enum && InSchema(item) is { } text ? $"{item.Name}: {text}" : null;
    }

    /// <summary>What a schema says of an enumeration or object type: its description, and those of the members; null for nothing.</summary>
    public static string? InSchema(FieldType type)
    {
        var members = type.Members.Where(member => member.Description is not null)
            .Select(member => $"{TypeNames.LiteralText(member.Value)}: {member.Description}");
        var text = string.Join("; ", members);
        return text.Length == 0 ? type.Description : type.Description is null ? text : $"{type.Description} {text}";
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
