using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>The tools of a session, called by code: by position and by name. For those who write an interpreter.</summary>
public sealed class CodeToolSet
{
    private readonly ImmutableArray<AIFunction> tools;
    private readonly CodeSessionOptions options;

    /// <summary>Takes the tools of a session, and checks all its names.</summary>
    /// <exception cref="HoneException">A tool or an output has a name that code cannot use, or two tools have the same one.</exception>
    public CodeToolSet(CodeSessionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        (this.options, tools) = (options, options.Tools);
        foreach (var output in options.Outputs)
            CodeValues.CheckName(output, "The output");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var tool in tools)
        {
            CodeValues.CheckName(tool.Name, "The tool");
            if (!seen.Add(tool.Name))
                throw new HoneException($"Two tools are called '{tool.Name}'. Give each its own name.");
        }
    }

    /// <summary>Names of the tools.</summary>
    public IEnumerable<string> Names => tools.Select(tool => tool.Name);

    /// <summary>Calls a tool.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="positional">A JSON array: values of its arguments in the order of its schema. One object may stand for all arguments.</param>
    /// <param name="named">A JSON object: values by name; null for none.</param>
    /// <param name="cancellationToken">Stops the tool.</param>
    /// <returns>Its result as JSON.</returns>
    /// <exception cref="CodeException">There is no such tool, its arguments do not fit, or it failed; the message is for the code.</exception>
    public async Task<string> InvokeAsync(string name, string positional, string? named = null, CancellationToken cancellationToken = default)
    {
        var tool = tools.FirstOrDefault(each => each.Name == name)
            ?? throw Failed($"There is no tool '{name}'.");
        var arguments = Arguments(tool, positional, named);
        try
        {
            var result = await tool.InvokeAsync(arguments, cancellationToken).ConfigureAwait(false);
            return CodeValues.ToJson(Shown(result));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception error) when (error is not CodeException)
        {
            throw Failed($"The tool '{name}' failed: {SecretText.Scrub(error is AggregateException { InnerExceptions: [var only] } ? only.Message : error.Message)}");
        }
    }

    private AIFunctionArguments Arguments(AIFunction tool, string positional, string? named)
    {
        var read = new AIFunctionArguments { Services = options.Services };
        var (known, required, isOpen) = Parameters(tool.JsonSchema);
        var inOrder = JsonElement.Parse(positional);
        if (named is not null)
        {
            foreach (var property in JsonElement.Parse(named).EnumerateObject())
                read[property.Name] = property.Value;
        }

        if (read.Count == 0 && inOrder.GetArrayLength() == 1 && inOrder[0].ValueKind == JsonValueKind.Object && StandsForAll(inOrder[0], known, required))
        {
            foreach (var property in inOrder[0].EnumerateObject())
                read[property.Name] = property.Value;
            return read;
        }

        if (inOrder.GetArrayLength() > known.Length)
            throw Failed($"The tool '{tool.Name}' takes {known.Length} arguments ({string.Join(", ", known)}), not {inOrder.GetArrayLength()}.");
        for (var i = 0; i < inOrder.GetArrayLength(); i++)
        {
            if (!read.TryAdd(known[i], inOrder[i]))
                throw Failed($"The tool '{tool.Name}' got its argument '{known[i]}' twice.");
        }

        if (!isOpen && read.Keys.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
            throw Failed($"The tool '{tool.Name}' has no argument '{unknown}'. Its arguments are: {string.Join(", ", known)}.");
        if (required.FirstOrDefault(name => !read.ContainsKey(name)) is { } missing)
            throw Failed($"The tool '{tool.Name}' needs the argument '{missing}'. Its arguments are: {string.Join(", ", known)}.");
        return read;
    }

    private static bool StandsForAll(JsonElement given, ImmutableArray<string> known, ImmutableArray<string> required) =>
        known.Length > 0 && given.EnumerateObject().All(property => known.Contains(property.Name)) && required.All(name => given.TryGetProperty(name, out _));

    private static (ImmutableArray<string> Known, ImmutableArray<string> Required, bool IsOpen) Parameters(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object || !schema.TryGetProperty("properties", out var properties) || properties.ValueKind != JsonValueKind.Object)
            return ([], [], true);
        ImmutableArray<string> required = schema.TryGetProperty("required", out var names) && names.ValueKind == JsonValueKind.Array
            ? [.. names.EnumerateArray().Select(name => name.GetString()!)]
            : [];
        var isOpen = schema.TryGetProperty("additionalProperties", out var further) && further.ValueKind != JsonValueKind.False;
        return ([.. properties.EnumerateObject().Select(property => property.Name)], required, isOpen);
    }

    private static object? Shown(object? result) => result switch
    {
        TextContent text => text.Text,
        AIContent content => content.ToString(),
        IEnumerable<AIContent> contents => contents.Select(Shown).ToArray(),
        _ => result,
    };

    private static CodeException Failed(string what) => new(CodeErrorKind.Runtime, "ToolError", what);
}
