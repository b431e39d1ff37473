using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Reads canonical values as the special .NET types.</summary>
internal static class SpecialReaders
{
    /// <summary>A reader that gives null for a value that does not fit, or null when the type is none of the special ones.</summary>
    /// <param name="type">The type to build.</param>
    /// <param name="language">The language of code.</param>
    public static Func<object, object?>? Create(Type type, string? language)
    {
        if (type == typeof(Reasoning))
            return value => value is string text ? new Reasoning(text) : value as Reasoning;
        if (type == typeof(Code))
            return value => value is string text ? new Code(text, language ?? Code.DefaultLanguage) : value as Code;
        if (type == typeof(Citations))
            return value => value is ImmutableArray<object?> items ? ToolValues.ToCitations(items) : value as Citations;
        if (type == typeof(ToolCalls))
            return value => value is FieldMap map ? ToolValues.ToCalls(map) : value as ToolCalls;
        if (type == typeof(ToolResults))
            return value => value is FieldMap map ? ToolValues.ToResults(map) : value as ToolResults;
        if (typeof(Media).IsAssignableFrom(type))
            return value => Fitting(value, type);
        if (typeof(AIContent).IsAssignableFrom(type))
            return value => Fitting((value as Media)?.Content ?? value, type);
        return ClrTypes.IsTool(type) || PromptType.Of(type) is not null ? value => Fitting(value, type) : null;
    }

    private static object? Fitting(object value, Type type) => type.IsInstanceOfType(value) ? value : null;
}
