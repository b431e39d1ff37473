using System.Text;

namespace Hone.Engine;

/// <summary>Llama 3: header tokens around the role, trimmed contents. From 3.1 on there is always a system turn with two date lines.</summary>
internal sealed class Llama3Template(string name, bool hasDates) : ChatTemplate(name, "<|eot_id|>")
{
    private protected override string RenderTurns(IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt, ChatTemplateOptions options)
    {
        var text = new StringBuilder("<|begin_of_text|>");
        var first = 0;
        if (hasDates)
        {
            var system = turns.Count > 0 && turns[0].Role == "system" ? turns[first++].Content.Trim() : "";
            AppendHeader(text, "system").Append("Cutting Knowledge Date: December 2023\nToday Date: ").Append(options.DateString).Append("\n\n")
                .Append(system).Append(EndOfTurnToken);
        }
        for (var i = first; i < turns.Count; i++)
        {
            var turn = turns[i];
            AppendHeader(text, turn.Role == "tool" ? "ipython" : turn.Role).Append(turn.Content.Trim());
            foreach (var call in turn.ToolCalls)
                text.Append("{\"name\": ").Append(ChatTurn.ToPythonJson(call.Name)).Append(", \"parameters\": ")
                    .Append(ChatTurn.ToPythonJson(call.Arguments ?? new Dictionary<string, object?>())).Append('}');
            text.Append(EndOfTurnToken);
        }
        if (addGenerationPrompt) AppendHeader(text, "assistant");
        return text.ToString();
    }

    private static StringBuilder AppendHeader(StringBuilder text, string role) =>
        text.Append("<|start_header_id|>").Append(role).Append("<|end_header_id|>\n\n");
}
