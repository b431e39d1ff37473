using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone.Optimizers;

/// <summary>
/// The texts of a program that a search may rewrite, by name: the instructions of a predictor go by its path, those of a tool by
/// <c>tool:PATH#description</c> and <c>tool:PATH#arg.ARGUMENT</c>, where the path is that of <see cref="ProgramState.Tools"/>.
/// </summary>
internal static class TextComponents
{
    private const string Tool = "tool:";
    private const string Description = "#description";
    private const string Argument = "#arg.";

    /// <summary>Names in declaration order: those of predictors that are not frozen, then those of their tools when they are asked for.</summary>
    public static ImmutableArray<string> Of<TIn, TOut>(Program<TIn, TOut> program, OptimizerOptions options, bool withTools = false)
    {
        ImmutableArray<string> predictors = [.. options.OpenIn(program).Select(entry => entry.Key)];
        if (!withTools)
            return predictors;
        var frozen = AgentView.AllOf(program).Where(agent => options.IsFrozen(agent.Predictor)).SelectMany(agent => agent.Tools).Select(tool => tool.Key).ToHashSet(StringComparer.Ordinal);
        return [.. predictors, .. program.Tools.Where(entry => !frozen.Contains(entry.Key)).SelectMany(entry => Of(entry.Key, entry.Value))];
    }

    /// <summary>The tool, and the argument, that a text belongs to; null for the instructions of a predictor. Without an argument: the tool itself.</summary>
    public static (string Path, string? Argument)? ToolOf(string component)
    {
        if (!component.StartsWith(Tool, StringComparison.Ordinal))
            return null;
        var name = component[Tool.Length..];
        if (name.EndsWith(Description, StringComparison.Ordinal))
            return (name[..^Description.Length], null);
        var mark = name.IndexOf(Argument, StringComparison.Ordinal);
        return mark < 0 ? null : (name[..mark], name[(mark + Argument.Length)..]);
    }

    /// <summary>The text in effect; empty for an argument that nothing is said of.</summary>
    public static string Get<TIn, TOut>(Program<TIn, TOut> program, string component)
    {
        if (ToolOf(component) is not { } tool)
            return program.Predictors.First(entry => entry.Key == component).Value.Instructions;
        var function = program.Tools.First(entry => entry.Key == tool.Path).Value;
        return tool.Argument is null ? function.Description : DescriptionOf(function.JsonSchema, tool.Argument);
    }

    /// <summary>The state with another text. Of a tool only words change: its arguments and their types are the tool's own.</summary>
    public static ProgramState Set(ProgramState state, string component, string text)
    {
        if (ToolOf(component) is not { } tool)
            return state.With(component, state[component] with { Instructions = text });
        var words = state.Tools.GetValueOrDefault(tool.Path, ToolText.Default);
        return state.WithTool(
            tool.Path, tool.Argument is null ? words with { Description = text } : words with { Arguments = words.Arguments.SetItem(tool.Argument, text) });
    }

    private static IEnumerable<string> Of(string path, AIFunction function) =>
        TunedTool.ArgumentsOf(function.JsonSchema).Select(argument => $"{Tool}{path}{Argument}{argument}").Prepend($"{Tool}{path}{Description}");

    private static string DescriptionOf(JsonElement schema, string argument) =>
        schema.ValueKind == JsonValueKind.Object
        && schema.TryGetProperty("properties", out var properties)
        && properties.TryGetProperty(argument, out var property)
        && property.ValueKind == JsonValueKind.Object
        && property.TryGetProperty("description", out var text)
        && text.ValueKind == JsonValueKind.String
            ? text.GetString()!
            : string.Empty;
}
