using System.Text;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>How a JSON adapter tells the model what its answer looks like.</summary>
public enum SchemaStyle
{
    /// <summary>An object with a placeholder and a note for each output; types in JSON Schema.</summary>
    JsonSchema,

    /// <summary>Types written down the short way, as in <c>name: string, age: int or null</c>: fewer tokens, easier for small models.</summary>
    Compact,
}

/// <summary>
/// Inputs as in the chat format, outputs as one JSON object. The provider is asked for a strict schema where it knows schemas and the types allow one,
/// else for JSON, else for nothing: the prompt says it all. Where the model knows tools, tools are given as tools.
/// </summary>
/// <remarks>
/// Of several objects in an answer the one with most of the outputs is read, of equal ones the last; of a name given twice, the last value. A text in
/// quotes is text wherever the type allows text.
/// </remarks>
public sealed class JsonAdapter : PromptAdapter
{
    /// <summary>Creates an adapter with native tools.</summary>
    public JsonAdapter() => UseNativeTools = true;

    /// <summary>The shared instance.</summary>
    public static JsonAdapter Default { get; } = new();

    /// <summary>The shared instance with short types.</summary>
    public static JsonAdapter Compact { get; } = new() { SchemaStyle = SchemaStyle.Compact };

    /// <summary>How the answer's types are told.</summary>
    /// <value>JSON Schema by default.</value>
    public SchemaStyle SchemaStyle { get; init; }

    /// <summary>False never asks the provider for a strict schema, even where it could be had.</summary>
    /// <value>True by default.</value>
    public bool UseStrictSchema { get; init; } = true;

    /// <inheritdoc/>
    public override string Name => SchemaStyle == SchemaStyle.Compact ? "JsonAdapter.Compact" : nameof(JsonAdapter);

    /// <inheritdoc/>
    public override ChatResponseFormat? ResponseFormatFor(Signature signature, ModelCapabilities capabilities)
    {
        ArgumentNullException.ThrowIfNull(signature);
        ArgumentNullException.ThrowIfNull(capabilities);
        if (signature.Outputs.IsEmpty)
            return null;
        if (UseStrictSchema && capabilities.ResponseSchema && JsonSchemas.Strict(signature) is { Refusal: null, Schema: var schema })
            return ChatResponseFormat.ForJsonSchema(schema, "outputs");
        return capabilities.JsonMode ? ChatResponseFormat.Json : null;
    }

    /// <inheritdoc/>
    public override FieldMap Parse(Signature signature, string completion) => Read(signature, completion).Outputs;

    /// <inheritdoc/>
    /// <remarks>An output that is absent, or null where its type has no null, is marked as not supplied.</remarks>
    public override string RenderOutputs(Signature signature, FieldMap outputs)
    {
        ArgumentNullException.ThrowIfNull(signature);
        ArgumentNullException.ThrowIfNull(outputs);
        var entries = signature.Outputs.Select(field => KeyValuePair.Create(
            field.Name,
            outputs.TryGetValue(field.Name, out var value) && (value is not null || field.Type.AdmitsNull) ? value : DemoRenderer.NotSupplied));
        return PrettyJson.Write(FieldMap.Create(entries));
    }

    /// <inheritdoc/>
    public override FieldStreamReader ReadStream(Signature signature) => new JsonStreamReader(signature);

    internal override bool AsksStrictly => UseStrictSchema;

    internal override bool IndentsObjects => SchemaStyle == SchemaStyle.Compact;

    internal override ParsedAnswer Read(Signature signature, string completion)
    {
        ArgumentNullException.ThrowIfNull(signature);
        ArgumentNullException.ThrowIfNull(completion);
        var found = JsonAnswer.Find(signature, completion, RepairsLocally, out var isRepaired);
        if (found is null && !string.IsNullOrWhiteSpace(completion))
        {
            throw new AdapterParseException(
                Name, signature, completion, ParseFailureKind.Structural, FieldMap.Empty,
                $"there is no JSON object in the answer. Expected one with {string.Join(", ", signature.Outputs.Select(output => output.Name))}.");
        }

        var raw = new (bool Found, object? Value)[signature.Outputs.Length];
        for (var i = 0; i < raw.Length; i++)
        {
            var isFound = found?.TryGetValue(signature.Outputs[i].Name, out raw[i].Value) == true;
            raw[i].Found = isFound;
        }

        return new(OutputReader.Read(Name, signature, completion, raw, isTyped: true), isRepaired);
    }

    /// <inheritdoc/>
    protected override void WriteStructure(StringBuilder text, Signature signature)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(signature);
        text.Append("Every exchange has this structure, with the values filled in.\n\n");
        if (!signature.Inputs.IsEmpty)
        {
            text.Append("Inputs look like this:\n\n");
            foreach (var field in signature.Inputs)
                text.Append(OpeningOf(field.Name)).Append('{').Append(field.Name).Append('}').Append(ClosingOf(field.Name));
        }

        if (signature.Outputs.IsEmpty)
            return;
        text.Append("The answer is one JSON object with these fields:\n\n{\n");
        for (var i = 0; i < signature.Outputs.Length; i++)
        {
            var field = signature.Outputs[i];
            text.Append("  \"").Append(field.Name).Append("\": ");
            WriteValue(text, field, i + 1 < signature.Outputs.Length ? "," : string.Empty);
            text.Append('\n');
        }

        text.Append('}');
    }

    /// <inheritdoc/>
    protected override string Reminder(Signature signature)
    {
        ArgumentNullException.ThrowIfNull(signature);
        if (signature.Outputs.IsEmpty)
            return string.Empty;
        var text = new StringBuilder("Respond with one JSON object that has the field").Append(signature.Outputs.Length > 1 ? "s " : " ");
        for (var i = 0; i < signature.Outputs.Length; i++)
        {
            var field = signature.Outputs[i];
            text.Append(i > 0 ? ", then " : string.Empty).Append('`').Append(field.Name).Append('`');
            if (!TypeHints.IsPlainText(field.Type))
                text.Append(" (").Append(TypeHints.InReminder(field.Type)).Append(')');
        }

        return text.Append(signature.Outputs.Length > 1 ? ", in this order, and nothing else." : ", and nothing else.").ToString();
    }

    /// <inheritdoc/>
    protected override string OpeningOf(string field) => $"{ChatMarkers.Opening}{field}{ChatMarkers.Closing}\n";

    /// <inheritdoc/>
    protected override string ClosingOf(string field) => "\n\n";

    /// <inheritdoc/>
    protected override string Escape(string value) => ChatMarkers.Escape(value);

    private void WriteValue(StringBuilder text, SignatureField field, string comma)
    {
        if (SchemaStyle == SchemaStyle.Compact)
        {
            text.Append(CompactSchemas.Write(field.Type).Replace("\n", "\n  ", StringComparison.Ordinal)).Append(comma);
            return;
        }

        var quote = JsonSchemas.Describe(field.Type).GetValueOrDefault("type") is "string" ? "\"" : string.Empty;
        text.Append(quote).Append('{').Append(field.Name).Append('}').Append(quote).Append(comma);
        if (HintFor(field) is { } hint)
            text.Append("        # note: ").Append(hint);
    }
}
