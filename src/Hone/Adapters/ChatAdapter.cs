using System.Collections.Immutable;
using System.Text;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// The default adapter: each field stands under a marker line <c>[[ ## name ## ]]</c>, an answer ends with <c>[[ ## completed ## ]]</c>.
/// Text inside a value can never open a field: markers in inputs are escaped, and unknown ones in answers are plain text.
/// </summary>
public sealed class ChatAdapter : Adapter
{
    /// <summary>The shared instance.</summary>
    public static ChatAdapter Default { get; } = new();

    /// <inheritdoc/>
    public override string Name => nameof(ChatAdapter);

    /// <inheritdoc/>
    public override IReadOnlyList<ChatMessage> Render(AdapterRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var (signature, inputs, demos) = request;
        var layout = ChatLayout.Of(signature);
        var messages = new List<ChatMessage>(2 + (2 * demos.Length)) { new(ChatRole.System, layout.System) };
        foreach (var (demo, isComplete) in DemoRenderer.InOrder(signature, demos))
        {
            messages.Add(new(ChatRole.User, RenderInputs(signature, demo.Fields, isComplete ? null : DemoRenderer.IncompleteNotice, null, null)));
            messages.Add(new(ChatRole.Assistant, RenderOutputs(signature, demo.Fields)));
        }

        if (layout.History is { } history && inputs.TryGetValue(history.Name, out var turns))
            AddTurns(messages, signature, history, turns);
        messages.Add(new(ChatRole.User, RenderInputs(signature, inputs, null, layout.Reminder, layout.History)));
        return messages;
    }

    /// <inheritdoc/>
    public override FieldMap Parse(Signature signature, string completion)
    {
        ArgumentNullException.ThrowIfNull(signature);
        ArgumentNullException.ThrowIfNull(completion);
        var sections = ChatSections.Read(signature, completion);
        var raw = new (bool Found, object? Value)[sections.Length];
        for (var i = 0; i < raw.Length; i++)
            raw[i] = (sections[i] is not null, sections[i]);
        return OutputReader.Read(Name, signature, completion, raw);
    }

    /// <inheritdoc/>
    /// <remarks>An output that is absent, or null where its type has no null, is marked as not supplied.</remarks>
    public override string RenderOutputs(Signature signature, FieldMap outputs)
    {
        ArgumentNullException.ThrowIfNull(signature);
        ArgumentNullException.ThrowIfNull(outputs);
        var text = new StringBuilder();
        foreach (var field in signature.Outputs)
        {
            var isSupplied = outputs.TryGetValue(field.Name, out var value) && (value is not null || field.Type.AdmitsNull);
            AppendBlock(text, field.Name, isSupplied ? ValueFormatter.Format(value, field.Type) : DemoRenderer.NotSupplied);
        }

        return text.Append(ChatMarkers.Header(ChatMarkers.Completed)).Append('\n').ToString();
    }

    private static string RenderInputs(Signature signature, FieldMap inputs, string? prefix, string? suffix, SignatureField? left)
    {
        var text = new StringBuilder();
        if (prefix is not null)
            text.Append(prefix).Append("\n\n");
        foreach (var field in signature.Inputs)
        {
            if (field.Name != left?.Name && inputs.TryGetValue(field.Name, out var value))
                AppendBlock(text, field.Name, ValueFormatter.Format(value, field.Type));
        }

        return text.Append(suffix).ToString().Trim();
    }

    private static void AppendBlock(StringBuilder text, string name, string value) =>
        text.Append(ChatMarkers.Opening).Append(name).Append(ChatMarkers.Closing).Append('\n').Append(ChatMarkers.Escape(value)).Append("\n\n");

    private void AddTurns(List<ChatMessage> messages, Signature signature, SignatureField history, object? turns)
    {
        var items = turns switch
        {
            History conversation => conversation.Turns.CastArray<object?>(),
            ImmutableArray<object?> list => list,
            null => [],
            _ => throw Unreadable(turns),
        };
        foreach (var item in items)
        {
            var turn = item as FieldMap ?? throw Unreadable(item);
            var user = RenderInputs(signature, turn, null, null, history);
            if (user.Length > 0)
                messages.Add(new(ChatRole.User, user));
            messages.Add(new(ChatRole.Assistant, RenderOutputs(signature, turn)));
        }

        HoneException Unreadable(object? found) => new(
            $"{Name}: input '{history.Name}' of signature '{signature.Shape}' must be a {nameof(History)} or a list of turns, "
            + $"each a {nameof(FieldMap)} of field values; found {found?.GetType().Name ?? "null"}.");
    }
}
