using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// An adapter in the usual shape: a system message with the fields, the structure of an answer and the objective; demos; the conversation so far;
/// the inputs, each between an opening and a closing text, and a reminder. Images and other media stand where their field does. A format of your
/// own says how a field opens and closes, what an answer looks like, and how it is read.
/// </summary>
public abstract class PromptAdapter : Adapter
{
    private readonly ConditionalWeakTable<Signature, Layout> layouts = new();
    private Func<string, string>? escape;

    /// <inheritdoc/>
    public override IReadOnlyList<ChatMessage> Render(AdapterRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var (signature, inputs, demos) = request;
        var layout = layouts.GetValue(signature, CreateLayout);
        if (demos.IsEmpty && layout.History is null)
            return RenderAlone(signature, inputs, layout);
        var messages = new List<ChatMessage>(2 + (2 * demos.Length)) { new(ChatRole.System, layout.System) };
        if (!demos.IsEmpty)
            AddDemos(messages, signature, demos);
        if (layout.History is { } history && inputs.TryGetValue(history.Name, out var turns))
            HistoryRenderer.Add(messages, this, request, history, turns);
        var user = RenderInputs(signature, inputs, null, layout.Reminder, layout.History);
        if (user.Count > 0)
            messages.Add(new(ChatRole.User, user));
        return messages;
    }

    /// <inheritdoc/>
    public override string RenderCorrection(Signature signature, AdapterParseException failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return $"Your answer could not be read: {failure.Reason} Answer again, completely. {Reminder(signature)}";
    }

    /// <summary>Writes what an exchange looks like, with placeholders for the values; it stands between the list of fields and the objective.</summary>
    protected abstract void WriteStructure(StringBuilder text, Signature signature);

    /// <summary>The last sentence of the current request: which outputs to answer with, and in what form.</summary>
    protected abstract string Reminder(Signature signature);

    /// <summary>What stands before the value of an input.</summary>
    protected abstract string OpeningOf(string field);

    /// <summary>What stands behind the value of an input.</summary>
    protected abstract string ClosingOf(string field);

    /// <summary>Makes text inside a value harmless that would mean something in this format.</summary>
    protected virtual string Escape(string value) => value;

    /// <summary>True to show an input that is an object with a line a property instead of on one line.</summary>
    internal virtual bool IndentsObjects => false;

    /// <summary>The content of a user message: the inputs that have a value, in signature order.</summary>
    internal IList<AIContent> RenderInputs(Signature signature, FieldMap inputs, string? prefix, string? suffix, SignatureField? left)
    {
        var text = PromptText.Rent(escape ??= Escape);
        if (prefix is not null)
            text.Append(prefix).Append("\n\n");
        foreach (var field in signature.Inputs)
        {
            if (field.Name != left?.Name && inputs.TryGetValue(field.Name, out var value) && !IsAbsent(value, field.Type))
                AppendBlock(text, field, value);
        }

        if (suffix is not null)
            text.Append(suffix);
        return text.ReturnContents();
    }

    /// <summary>A field that stands alone in a user message, e.g. the results of tools in an earlier turn.</summary>
    internal string RenderBlock(string name, string value) => $"{OpeningOf(name)}{Escape(value)}{ClosingOf(name)}".Trim();

    // Most requests: the system message and the inputs.
    private ChatMessage[] RenderAlone(Signature signature, FieldMap inputs, Layout layout)
    {
        var system = new ChatMessage(ChatRole.System, layout.System);
        var user = RenderInputs(signature, inputs, null, layout.Reminder, null);
        return user.Count > 0 ? [system, new(ChatRole.User, user)] : [system];
    }

    private static bool IsAbsent(object? value, FieldType type) => value is null && !type.AdmitsNull;

    private void AppendBlock(PromptText text, SignatureField field, object? value)
    {
        text.Append(OpeningOf(field.Name));
        if (IndentsObjects && value is FieldMap map && TypeHints.Bare(field.Type).Kind is FieldTypeKind.Object or FieldTypeKind.Reference)
        {
            var start = text.Builder.Length;
            PrettyJson.Write(text.Builder, map, text.AddNested);
            text.EscapeFrom(start);
        }
        else
        {
            ValueFormatter.AppendTo(text, value, field.Type);
        }

        text.EndField();
        text.Append(ClosingOf(field.Name));
    }

    private void AddDemos(List<ChatMessage> messages, Signature signature, ImmutableArray<Demo> demos)
    {
        foreach (var (demo, isComplete) in DemoRenderer.InOrder(signature, demos))
        {
            messages.Add(new(ChatRole.User, RenderInputs(signature, demo.Fields, isComplete ? null : DemoRenderer.IncompleteNotice, null, null)));
            messages.Add(new(ChatRole.Assistant, RenderOutputs(signature, demo.Fields)));
        }
    }

    private Layout CreateLayout(Signature signature)
    {
        var text = new StringBuilder();
        if (!signature.Inputs.IsEmpty)
        {
            text.Append("Your input fields are:\n");
            FieldInventory.Append(text, signature.Inputs);
            text.Append('\n');
        }

        if (!signature.Outputs.IsEmpty)
        {
            text.Append("Your output fields are:\n");
            FieldInventory.Append(text, signature.Outputs);
            text.Append('\n');
        }

        WriteStructure(text, signature);
        while (text.Length > 0 && text[^1] == '\n')
            text.Length--;
        text.Append("\nYour objective is:");
        foreach (var line in signature.Instructions.Split('\n'))
            text.Append(string.IsNullOrWhiteSpace(line) ? "\n" : "\n        ").Append(line.TrimEnd());
        return new(
            text.ToString().TrimEnd(),
            Reminder(signature),
            signature.Inputs.FirstOrDefault(field => TypeHints.Bare(field.Type).Kind == FieldTypeKind.History));
    }

    // The parts of a prompt that depend on the signature alone, rendered once per signature.
    private sealed record Layout(string System, string Reminder, SignatureField? History);
}
