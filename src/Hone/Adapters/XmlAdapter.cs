using System.Text;

namespace Hone;

/// <summary>
/// Every field stands between tags of its name; lists, objects and dictionaries as nested tags. Reading is tolerant: a stray sign does not cost the
/// answer. Text inside values is escaped, so it cannot open a field.
/// </summary>
/// <remarks>
/// What <see cref="RenderOutputs"/> writes, <see cref="Parse"/> reads back, with the same exceptions for a text that is a field by itself as in the
/// chat format.
/// </remarks>
public sealed class XmlAdapter : PromptAdapter
{
    /// <summary>The shared instance.</summary>
    public static XmlAdapter Default { get; } = new();

    /// <inheritdoc/>
    public override string Name => nameof(XmlAdapter);

    /// <inheritdoc/>
    public override FieldMap Parse(Signature signature, string completion) => Read(signature, completion).Outputs;

    /// <inheritdoc/>
    /// <remarks>An output that is absent, or null where its type has no null, is marked as not supplied.</remarks>
    public override string RenderOutputs(Signature signature, FieldMap outputs)
    {
        ArgumentNullException.ThrowIfNull(signature);
        ArgumentNullException.ThrowIfNull(outputs);
        return string.Concat(signature.Outputs.Select(field => $"{OpeningOf(field.Name)}{Content(field, outputs)}{ClosingOf(field.Name)}")).TrimEnd();
    }

    /// <inheritdoc/>
    public override FieldStreamReader ReadStream(Signature signature) => new XmlStreamReader(signature);

    internal override ParsedAnswer Read(Signature signature, string completion)
    {
        ArgumentNullException.ThrowIfNull(signature);
        ArgumentNullException.ThrowIfNull(completion);
        var start = ChatSections.SkipThinking(completion);
        var elements = ElementsOf(signature, start == 0 ? completion : completion[start..], RepairsLocally, out var isRepaired)
            .ToLookup(element => element.Name, StringComparer.Ordinal);
        var raw = new (bool Found, object? Value)[signature.Outputs.Length];
        for (var i = 0; i < raw.Length; i++)
        {
            var field = signature.Outputs[i];
            if (elements[field.Name].ToArray() is { Length: > 0 } found)
                raw[i] = (true, ReadField(found, field.Type));
        }

        return new(OutputReader.Read(Name, signature, completion, raw), isRepaired);
    }

    /// <inheritdoc/>
    protected override void WriteStructure(StringBuilder text, Signature signature)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(signature);
        text.Append("Every exchange has this structure, with the values filled in.\n\n");
        foreach (var field in signature.Fields)
        {
            var isNested = field.Direction == FieldDirection.Output && XmlValues.IsNested(field.Type);
            text.Append(OpeningOf(field.Name));
            if (isNested)
                text.Append(XmlValues.Skeleton(field.Type)).Append("        # note: these tags, whose values must fit this schema: ").Append(JsonText.Write(JsonSchemas.Describe(field.Type)));
            else
                text.Append('{').Append(field.Name).Append('}');
            if (!isNested && field.Direction == FieldDirection.Output && HintFor(field) is { } hint)
                text.Append("        # note: ").Append(hint);
            text.Append(ClosingOf(field.Name));
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
        text.AppendJoin(", then ", signature.Outputs.Select(field =>
            TypeHints.IsPlainText(field.Type) || XmlValues.IsNested(field.Type) ? $"`<{field.Name}>`" : $"`<{field.Name}>` ({TypeHints.InReminder(field.Type)})"));
        var nested = signature.Outputs.Where(field => XmlValues.IsNested(field.Type)).ToList();
        if (nested.Count > 0)
            text.Append(". Write nested values as tags: ")
                .AppendJoin(", ", nested.Select(field => $"`<{field.Name}>{XmlValues.Skeleton(field.Type)}</{field.Name}>`"));
        return text.Append('.').ToString();
    }

    /// <inheritdoc/>
    protected override string OpeningOf(string field) => $"<{field}>\n";

    /// <inheritdoc/>
    protected override string ClosingOf(string field) => $"\n</{field}>\n\n";

    /// <inheritdoc/>
    protected override string Escape(string value) => XmlValues.Escape(value);

    private static string Content(SignatureField field, FieldMap outputs)
    {
        var value = outputs.GetValueOrDefault(field.Name);
        return value is not null && XmlValues.IsNested(field.Type)
            ? XmlValues.Write(value, field.Type).TrimEnd()
            : XmlValues.Escape(FormatOutput(field, outputs));
    }

    private static List<XmlElementText> ElementsOf(Signature signature, string text, bool mayRepair, out bool isRepaired)
    {
        bool IsOutput(string name) => signature.Outputs.Any(output => output.Name == name);

        isRepaired = false;
        var scanner = new XmlScanner(text);
        var found = scanner.Elements(IsOutput);
        if (found.Count > 0 || !mayRepair || scanner.Elements() is not [{ IsEmpty: false } root])
            return found;

        // One element around everything, as in <answer_sheet>…</answer_sheet>.
        var inside = new XmlScanner(root.Content).Elements(IsOutput);
        isRepaired = inside.Count > 0;
        return inside;
    }

    // Text at the top goes through the same coercion as in the other formats; nested values are read by their tags.
    private static object? ReadField(XmlElementText[] found, FieldType type) => XmlValues.IsNested(type) ? XmlValues.Read(found, type)
        : XmlValues.IsNull(found[0], type) ? null
        : XmlValues.TryAlternative(found[0], type, out var nested) ? nested
        : XmlScanner.Unescape(XmlValues.Text(found[0].Content));
}
