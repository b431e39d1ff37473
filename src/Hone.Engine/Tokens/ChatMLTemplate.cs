using System.Text;

namespace Hone.Engine;

/// <summary>ChatML: <c>&lt;|im_start|&gt;role\ncontent&lt;|im_end|&gt;\n</c>, with a default system turn when the first message is none.</summary>
internal class ChatMLTemplate : ChatTemplate
{
    private readonly string? _defaultSystem;

    internal ChatMLTemplate(string name, string? defaultSystem) : base(name, "<|im_end|>") => _defaultSystem = defaultSystem;

    private protected override string RenderTurns(IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt, ChatTemplateOptions options)
    {
        var text = new StringBuilder();
        if (_defaultSystem is not null && (turns.Count == 0 || turns[0].Role != "system"))
            text.Append("<|im_start|>system\n").Append(_defaultSystem).Append("<|im_end|>\n");
        for (var i = 0; i < turns.Count; i++)
        {
            if (turns[i].Role == "tool") AppendToolResponse(text, turns, i);
            else AppendTurn(text, turns, i);
        }
        if (addGenerationPrompt) AppendGenerationPrompt(text, options);
        return text.ToString();
    }

    private protected virtual void AppendTurn(StringBuilder text, IReadOnlyList<ChatTurn> turns, int index)
    {
        var turn = turns[index];
        text.Append("<|im_start|>").Append(turn.Role).Append('\n').Append(turn.Content);
        AppendToolCalls(text, turn, turn.Content);
        text.Append("<|im_end|>\n");
    }

    private protected virtual void AppendGenerationPrompt(StringBuilder text, ChatTemplateOptions options) => text.Append("<|im_start|>assistant\n");

    private protected static void AppendToolCalls(StringBuilder text, ChatTurn turn, string content)
    {
        for (var i = 0; i < turn.ToolCalls.Count; i++)
        {
            if (i > 0 || content.Length > 0) text.Append('\n');
            text.Append("<tool_call>\n{\"name\": ").Append(ChatTurn.ToPythonJson(turn.ToolCalls[i].Name)).Append(", \"arguments\": ")
                .Append(ChatTurn.ToPythonJson(turn.ToolCalls[i].Arguments ?? new Dictionary<string, object?>())).Append("}\n</tool_call>");
        }
    }

    // Consecutive tool messages are one user turn.
    private static void AppendToolResponse(StringBuilder text, IReadOnlyList<ChatTurn> turns, int index)
    {
        if (index == 0 || turns[index - 1].Role != "tool") text.Append("<|im_start|>user");
        text.Append("\n<tool_response>\n").Append(turns[index].Content).Append("\n</tool_response>");
        if (index == turns.Count - 1 || turns[index + 1].Role != "tool") text.Append("<|im_end|>\n");
    }
}
