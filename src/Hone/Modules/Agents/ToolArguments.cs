using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Checks the arguments that a model wrote against a tool's schema, and mends what can be mended without loss.</summary>
internal static class ToolArguments
{
    /// <summary>The arguments as the tool is given them.</summary>
    /// <exception cref="ToolFailure">An argument is unknown, missing, or does not fit; the message is for the model.</exception>
    public static AIFunctionArguments Read(AIFunction tool, FieldMap given, IServiceProvider? services)
    {
        var schema = tool.JsonSchema;
        var hasList = schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("properties", out var properties)
            && properties.ValueKind == JsonValueKind.Object;
        var read = new AIFunctionArguments { Services = services };
        if (!hasList)
        {
            foreach (var (name, value) in given)
                read[name] = ToJson(value);
            return read;
        }

        schema.TryGetProperty("properties", out properties);
        RefuseUnknown(tool, given, schema);
        var required = ToolSchemas.RequiredOf(schema);
        List<string>? missing = null;
        foreach (var property in properties.EnumerateObject())
        {
            var isRequired = required.Contains(property.Name);
            var type = ToolSchemas.TypeOf(property.Value, schema);
            if (!given.TryGetValue(property.Name, out var value) || (value is null && !isRequired && !type.AdmitsNull))
            {
                if (isRequired)
                    (missing ??= []).Add(property.Name);
                continue;
            }

            var failure = default(CoercionFailure);
            if (!ToolValueReader.TryRead(ClrValues.ToCanonical(value), property.Value, schema, out var coerced, ref failure))
                throw new ToolFailure(
                    $"The argument '{property.Name}' of the tool '{tool.Name}' does not fit: {failure.Reason}{At(failure.Path)}. {Usage(tool)}");
            read[property.Name] = ToJson(coerced);
        }

        if (missing is not null)
            throw new ToolFailure(
                $"The tool '{tool.Name}' needs the argument{(missing.Count > 1 ? "s" : string.Empty)} {string.Join(", ", missing.Select(Quoted))}. {Usage(tool)}");
        if (given.Count > read.Count)
        {
            // A tool that takes further arguments gets them as they are.
            foreach (var (name, value) in given)
            {
                if (!properties.TryGetProperty(name, out _))
                    read[name] = ToJson(value);
            }
        }

        return read;
    }

    // As JSON the values fit parameters of any type, and nothing has to be known of that type.
    private static object? ToJson(object? value) => value is null ? null : JsonElement.Parse(JsonText.Write(value));

    private static void RefuseUnknown(AIFunction tool, FieldMap given, JsonElement schema)
    {
        if (schema.TryGetProperty("additionalProperties", out var further) && further.ValueKind is not JsonValueKind.False)
            return;
        var known = TunedTool.ArgumentsOf(schema);
        var unknown = given.Keys.FirstOrDefault(name => !known.Contains(name, StringComparer.Ordinal));
        if (unknown is not null)
            throw new ToolFailure($"The tool '{tool.Name}' has no argument '{unknown}'. {Usage(tool)}");
    }

    private static string Usage(AIFunction tool)
    {
        var (schema, known) = (tool.JsonSchema, TunedTool.ArgumentsOf(tool.JsonSchema));
        if (known.Count == 0)
            return "It takes no arguments.";
        var required = ToolSchemas.RequiredOf(schema);
        return $"Its arguments are: {string.Join(", ", known.Select(name => required.Contains(name) ? name : name + " (optional)"))}.";
    }

    private static string At(string path) => path.Length == 0 ? string.Empty : $" at {path}";

    private static string Quoted(string name) => $"'{name}'";
}
