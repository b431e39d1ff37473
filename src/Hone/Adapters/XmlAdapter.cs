using System.Text;

namespace Hone;

/// <summary>
/// Every field stands between tags of its name; lists, objects and dictionaries as nested tags. Reading is tolerant: a stray sign does not cost the
/// answer. Text inside values is escaped, so it cannot open a field.
/// </summary>
public sealed class XmlAdapter : PromptAdapter
{
    /// <summary>The shared instance.</summary>
    public static XmlAdapter Default { get; } = new();

    /// <inheritdoc/>
    public override string Name => nameof(XmlAdapter);

    /// <inheritdoc/>
    public override FieldMap Parse(Signature signature, string completion)
    {
        ArgumentNullException.ThrowIfNull(signature);
        ArgumentNullException.ThrowIfNull(completion);
        var start = ChatSections.SkipThinking(completion);
        var elements = new XmlScanner(start == 0 ? completion : completion[start..])
            .Elements(name => signature.Outputs.Any(output => output.Name == name))
            .ToLookup(element => element.Name, StringComparer.Ordinal);
        var raw = new (bool Found, object? Value)[signature.Outputs.Length];
        for (var i = 0; i < raw.Length; i++)
        {
            var field = signature.Outputs[i];
            if (elements[field.Name].ToArray() is { Length: > 0 } found)
                raw[i] = (true, ReadField(found, field.Type));
        }

        return OutputReader.Read(Name, signature, completion, raw);
    }

    /// <inheritdoc/>
    /// <remarks>An output that is absent, or null where its type has no null, is marked as not supplied.</remarks>
    public override string RenderOutputs(Signature signature, FieldMap outputs)
    {
        ArgumentNullException.ThrowIfNull(signature);
        ArgumentNullException.ThrowIfNull(outputs);
        return string.Join("\n", signature.Outputs.Select(field => $"{OpeningOf(field.Name)}{Content(field, outputs)}{ClosingOf(field.Name)}")).TrimEnd();
    }

    /// <inheritdoc/>
    public override FieldStreamReader ReadStream(Signature signature) => new XmlStreamReader(signature);

    /// <inheritdoc/>
    protected override void WriteStructure(StringBuilder text, Signature signature)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(signature);
        text.Append("Every exchange has this structure, with the values filled in.\n\n");
        foreach (var field in signature.Fields)
        {
            text.Append(OpeningOf(field.Name));
            if (field.Direction == FieldDirection.Output && XmlValues.IsNested(field.Type))
                text.Append(XmlValues.Skeleton(field.Type));
            else
                text.Append('{').Append(field.Name).Append('}');
            if (field.Direction == FieldDirection.Output && TypeHints.For(field.Type) is { } hint)
                text.Append("        # note: ").Append(XmlValues.IsNested(field.Type) ? "values " + hint : hint);
            text.Append(ClosingOf(field.Name)).Append('\n');
        }

        text.Length -= 2;
    }

    /// <inheritdoc/>
    protected override string Reminder(Signature signature)
    {
        ArgumentNullException.ThrowIfNull(signature);
        if (signature.Outputs.IsEmpty)
            return string.Empty;
        var text = new StringBuilder("Respond with the output fields in their tags: ");
        text.AppendJoin(", then ", signature.Outputs.Select(field => $"`<{field.Name}>`"));
        var nested = signature.Outputs.Where(field => XmlValues.IsNested(field.Type)).ToList();
        if (nested.Count > 0)
            text.Append(". Write nested values as tags: ")
                .AppendJoin(", ", nested.Select(field => $"`<{field.Name}>{XmlValues.Skeleton(field.Type)}</{field.Name}>`"));
        return text.Append('.').ToString();
    }

    /// <inheritdoc/>
    protected override string OpeningOf(string field) => $"<{field}>\n";

    /// <inheritdoc/>
    protected override string ClosingOf(string field) => $"\n</{field}>\n";

    /// <inheritdoc/>
    protected override string Escape(string value) => XmlValues.Escape(value);

    private static string Content(SignatureField field, FieldMap outputs)
    {
        var isSupplied = outputs.TryGetValue(field.Name, out var value) && (value is not null || field.Type.AdmitsNull);
        return isSupplied && value is not null && XmlValues.IsNested(field.Type)
            ? XmlValues.Write(value, field.Type).TrimEnd()
            : XmlValues.Escape(OutputText(field, outputs));
    }

    // Text at the top goes through the same coercion as in the other formats; nested values are read by their tags.
    private static object? ReadField(XmlElementText[] found, FieldType type) => XmlValues.IsNested(type) ? XmlValues.Read(found, type)
        : found[0].IsEmpty && type.AdmitsNull ? null
        : XmlScanner.Unescape(XmlValues.Text(found[0].Content));
}
