using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>What models are told of code: the names that it finds, its tools, what it gave.</summary>
internal static class CodeText
{
    /// <summary>The inputs that code finds as variables: those whose name and value can be some.</summary>
    public static IReadOnlyList<string> VariablesOf(Signature task) => [.. task.Inputs.Where(input => IsVariable(input)).Select(input => input.Name)];

    /// <summary>The variables of a call.</summary>
    public static FieldMap VariablesOf(Signature task, FieldMap inputs) => FieldMap.Create(
        VariablesOf(task).Where(inputs.ContainsKey).Select(name => KeyValuePair.Create(name, inputs[name])));

    /// <summary>The sentence that names them; empty when there are none.</summary>
    public static string VariablesIn(Signature task) =>
        VariablesOf(task) is { Count: > 0 } names ? $" These inputs are variables of your code already: {Names(names)}." : string.Empty;

    public static string Names(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"`{name}`"));

    /// <summary>The tools as functions, one a line.</summary>
    public static string Tools(IEnumerable<AIFunction> tools)
    {
        var text = new StringBuilder();
        foreach (var tool in tools)
        {
            text.Append(text.Length > 0 ? "\n" : string.Empty).Append("- `").Append(tool.Name).Append('(').Append(Parameters(tool.JsonSchema)).Append(")`");
            if (tool.Description.Length > 0)
                text.Append(": ").Append(tool.Description);
        }

        return text.Length == 0 ? "none" : text.ToString();
    }

    /// <summary>What a piece of code gave: what it printed, and its value.</summary>
    public static string Shown(CodeResult result, CodeLimits limits)
    {
        var text = new StringBuilder(result.Output.TrimEnd());
        if (result.IsOutputCut)
            text.Append("\n[The rest of the output was dropped.]");
        if (result.Value is { } value)
        {
            var shown = value as string ?? CodeValues.ToJson(value);
            var most = Math.Max(limits.MaxOutputLength, 1);
            text.Append(text.Length > 0 ? "\n" : string.Empty).Append("Value: ");
            text.Append(shown.Length <= most ? shown : string.Create(CultureInfo.InvariantCulture, $"{shown[..most]}\n[{shown.Length - most:N0} more characters]"));
            if (result.IsValueCut)
                text.Append("\n[The value goes on.]");
        }

        return text.Length == 0 ? "[The code printed nothing and its last expression has no value.]" : text.ToString();
    }

    /// <summary>What is wrong with a piece of code, for whoever wrote it.</summary>
    public static string Shown(CodeException error)
    {
        var printed = error.Output.TrimEnd();
        return printed.Length == 0 ? $"[Error] {error.Message}" : $"{printed}\n[Error] {error.Message}";
    }

    private static bool IsVariable(SignatureField input)
    {
        if (input.Type.IsMedia || TypeHints.Bare(input.Type).Kind is FieldTypeKind.Tool or FieldTypeKind.History || CodeValues.IsReserved(input.Name))
            return false;
        return CodeValues.IsName(input.Name);
    }

    private static string Parameters(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object || !schema.TryGetProperty("properties", out var properties) || properties.ValueKind != JsonValueKind.Object)
            return string.Empty;
        var required = schema.TryGetProperty("required", out var names) && names.ValueKind == JsonValueKind.Array
            ? names.EnumerateArray().Select(name => name.GetString()).ToHashSet()
            : [];
        return string.Join(", ", properties.EnumerateObject().Select(property => Parameter(property, schema, required.Contains(property.Name))));
    }

    private static string Parameter(JsonProperty property, JsonElement schema, bool isRequired)
    {
        var text = $"{property.Name}: {ToolSchemas.TypeOf(property.Value, schema)}{(isRequired ? string.Empty : ", optional")}";
        return property.Value.ValueKind == JsonValueKind.Object && property.Value.TryGetProperty("description", out var words) && words.GetString() is { Length: > 0 } description
            ? $"{text} ({description})"
            : text;
    }
}
