using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>A tool under other words. Everything is asked of the tool at the time, so that what changes there shows here.</summary>
internal sealed class TunedTool(AIFunction tool, ToolText text) : DelegatingAIFunction(tool)
{
    /// <inheritdoc/>
    public override string Name => text.Name ?? InnerFunction.Name;

    /// <inheritdoc/>
    public override string Description => text.Description ?? InnerFunction.Description;

    /// <inheritdoc/>
    public override JsonElement JsonSchema => text.Arguments.IsEmpty ? InnerFunction.JsonSchema : Described(InnerFunction.JsonSchema);

    /// <summary>Names of the arguments in a schema.</summary>
    public static IReadOnlyList<string> ArgumentsOf(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object
            ? [.. properties.EnumerateObject().Select(property => property.Name)]
            : [];

    // Only descriptions change, never the shape.
    private JsonElement Described(JsonElement schema)
    {
        if (ArgumentsOf(schema).Count == 0)
            return schema;
        var root = JsonNode.Parse(schema.GetRawText())!.AsObject();
        var properties = root["properties"]!.AsObject();
        foreach (var (name, description) in text.Arguments)
        {
            if (properties[name] is JsonObject property)
                property["description"] = description;
            else if (properties.ContainsKey(name))
                properties[name] = new JsonObject { ["description"] = description };
        }

        return JsonElement.Parse(root.ToJsonString());
    }
}
