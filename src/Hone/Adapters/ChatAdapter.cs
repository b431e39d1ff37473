using System.Text;

namespace Hone;

/// <summary>
/// The default adapter: each field stands under a marker line <c>[[ ## name ## ]]</c>, an answer ends with <c>[[ ## completed ## ]]</c>.
/// Text inside a value can never open a field: markers in inputs are escaped, and unknown ones in answers are plain text.
/// </summary>
/// <remarks>
/// What <see cref="RenderOutputs"/> writes, <see cref="Parse"/> reads back, but for a text that is a field by itself: blanks around it are layout, line
/// ends are one newline, and where the field may also hold something else (<c>int | str</c>, <c>Any</c>) a text that looks like it is taken for it.
/// </remarks>
public sealed class ChatAdapter : PromptAdapter
{
    /// <summary>The shared instance.</summary>
    public static ChatAdapter Default { get; } = new();

    /// <inheritdoc/>
    public override string Name => nameof(ChatAdapter);

    /// <inheritdoc/>
    public override FieldMap Parse(Signature signature, string completion) => Read(signature, completion).Outputs;

    /// <inheritdoc/>
    /// <remarks>An output that is absent, or null where its type has no null, is marked as not supplied.</remarks>
    public override string RenderOutputs(Signature signature, FieldMap outputs)
    {
        ArgumentNullException.ThrowIfNull(signature);
        ArgumentNullException.ThrowIfNull(outputs);
        var text = new StringBuilder();
        foreach (var field in signature.Outputs)
            text.Append(OpeningOf(field.Name)).Append(ChatMarkers.Escape(FormatOutput(field, outputs))).Append(ClosingOf(field.Name));
        return text.Append(ChatMarkers.Header(ChatMarkers.Completed)).Append('\n').ToString();
    }

    /// <inheritdoc/>
    public override FieldStreamReader ReadStream(Signature signature) => new ChatStreamReader(signature);

    internal override ParsedAnswer Read(Signature signature, string completion)
    {
        ArgumentNullException.ThrowIfNull(signature);
        ArgumentNullException.ThrowIfNull(completion);
        var sections = ChatSections.Read(signature, completion, RepairsLocally, out var isRepaired);
        var raw = new (bool Found, object? Value)[sections.Length];
        for (var i = 0; i < raw.Length; i++)
            raw[i] = (sections[i] is not null, sections[i]);
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
            text.Append(ChatMarkers.Header(field.Name)).Append("\n{").Append(field.Name).Append('}');
            if (field.Direction == FieldDirection.Output && HintFor(field) is { } hint)
                text.Append("        # note: ").Append(hint);
            text.Append("\n\n");
        }

        if (!signature.Outputs.IsEmpty)
            text.Append(ChatMarkers.Header(ChatMarkers.Completed));
    }

    /// <inheritdoc/>
    protected override string Reminder(Signature signature)
    {
        ArgumentNullException.ThrowIfNull(signature);
        if (signature.Outputs.IsEmpty)
            return string.Empty;
        var text = new StringBuilder("Respond with ");
        for (var i = 0; i < signature.Outputs.Length; i++)
        {
            var field = signature.Outputs[i];
            text.Append(i > 0 ? ", then " : "the output fields, starting with ").Append('`').Append(ChatMarkers.Header(field.Name)).Append('`');
            if (TypeHints.IsPlainText(field.Type))
                continue;
            text.Append(" (").Append(TypeHints.InReminder(field.Type)).Append(')');
        }

        return text.Append(", and end with `")
            .Append(ChatMarkers.Header(ChatMarkers.Completed)).Append("`.").ToString();
    }

    /// <inheritdoc/>
    protected override string OpeningOf(string field) => $"{ChatMarkers.Opening}{field}{ChatMarkers.Closing}\n";

    /// <inheritdoc/>
    protected override string ClosingOf(string field) => "\n\n";

    /// <inheritdoc/>
    protected override string Escape(string value) => ChatMarkers.Escape(value);
}
