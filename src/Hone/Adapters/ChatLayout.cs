using System.Runtime.CompilerServices;
using System.Text;

namespace Hone;

/// <summary>The parts of a chat prompt that depend on the signature alone, rendered once per signature.</summary>
internal sealed class ChatLayout
{
    private static readonly ConditionalWeakTable<Signature, ChatLayout> Cache = new();

    private ChatLayout(Signature signature)
    {
        System = RenderSystem(signature);
        Reminder = RenderReminder(signature);
        History = signature.Inputs.FirstOrDefault(field => field.Type.Kind == FieldTypeKind.History);
    }

    /// <summary>Text of the system message.</summary>
    public string System { get; }

    /// <summary>Last sentence of the current request.</summary>
    public string Reminder { get; }

    /// <summary>The input that holds the conversation so far, if any.</summary>
    public SignatureField? History { get; }

    public static ChatLayout Of(Signature signature) => Cache.GetValue(signature, static each => new ChatLayout(each));

    private static string RenderSystem(Signature signature)
    {
        var text = new StringBuilder();
        text.Append("Your input fields are:\n");
        FieldInventory.Append(text, signature.Inputs);
        text.Append("\nYour output fields are:\n");
        FieldInventory.Append(text, signature.Outputs);
        text.Append("\nEvery exchange has this structure, with the values filled in.\n\n");
        foreach (var field in signature.Fields)
        {
            text.Append(ChatMarkers.Header(field.Name)).Append("\n{").Append(field.Name).Append('}');
            if (field.Direction == FieldDirection.Output && TypeHints.For(field.Type) is { } hint)
                text.Append("        # note: ").Append(hint);
            text.Append("\n\n");
        }

        text.Append(ChatMarkers.Header(ChatMarkers.Completed)).Append("\nYour objective is:");
        foreach (var line in signature.Instructions.Split('\n'))
            text.Append(string.IsNullOrWhiteSpace(line) ? "\n" : "\n        ").Append(line.TrimEnd());
        return text.ToString().TrimEnd();
    }

    private static string RenderReminder(Signature signature)
    {
        var text = new StringBuilder("Respond with ");
        for (var i = 0; i < signature.Outputs.Length; i++)
        {
            var field = signature.Outputs[i];
            text.Append(i > 0 ? ", then " : "the output fields, starting with ").Append('`').Append(ChatMarkers.Header(field.Name)).Append('`');
            if (field.Type.Kind != FieldTypeKind.String)
                text.Append(" (").Append(TypeNames.Of(field.Type)).Append(')');
        }

        return text.Append(signature.Outputs.IsEmpty ? string.Empty : ", and end with ").Append('`')
            .Append(ChatMarkers.Header(ChatMarkers.Completed)).Append("`.").ToString();
    }
}
