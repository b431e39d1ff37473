using System.Text;

namespace Hone.Engine;

/// <summary>
/// Qwen3: ChatML without default system text. Reasoning of earlier assistant turns is dropped, that after the last user question is kept, and a
/// final assistant turn always has a think block.
/// </summary>
internal sealed class Qwen3Template() : ChatMLTemplate("qwen3", null)
{
    private const string Open = "<think>", Close = "</think>";

    private protected override void AppendTurn(StringBuilder text, IReadOnlyList<ChatTurn> turns, int index)
    {
        var turn = turns[index];
        if (turn.Role != "assistant")
        {
            base.AppendTurn(text, turns, index);
            return;
        }
        var (reasoning, content) = SplitReasoning(turn);
        text.Append("<|im_start|>assistant\n");
        if (index > LastQuestion(turns) && (index == turns.Count - 1 || reasoning.Length > 0))
        {
            text.Append(Open).Append('\n').Append(reasoning.Trim('\n')).Append('\n').Append(Close).Append("\n\n");
            content = content.TrimStart('\n');
        }
        text.Append(content);
        AppendToolCalls(text, turn, content);
        text.Append("<|im_end|>\n");
    }

    private protected override void AppendGenerationPrompt(StringBuilder text, ChatTemplateOptions options)
    {
        base.AppendGenerationPrompt(text, options);
        if (!options.EnableThinking) text.Append(Open).Append("\n\n").Append(Close).Append("\n\n");
    }

    private static (string Reasoning, string Content) SplitReasoning(ChatTurn turn)
    {
        if (turn.Reasoning is not null) return (turn.Reasoning, turn.Content);
        var firstClose = turn.Content.IndexOf(Close, StringComparison.Ordinal);
        if (firstClose < 0) return ("", turn.Content);
        var before = turn.Content[..firstClose].TrimEnd('\n');
        var open = before.LastIndexOf(Open, StringComparison.Ordinal);
        var reasoning = (open < 0 ? before : before[(open + Open.Length)..]).TrimStart('\n');
        var lastClose = turn.Content.LastIndexOf(Close, StringComparison.Ordinal);
        return (reasoning, turn.Content[(lastClose + Close.Length)..].TrimStart('\n'));
    }

    // A user turn that only carries tool responses is no question.
    private static int LastQuestion(IReadOnlyList<ChatTurn> turns)
    {
        for (var i = turns.Count - 1; i >= 0; i--)
        {
            var content = turns[i].Content;
            var isResponse = content.StartsWith("<tool_response>", StringComparison.Ordinal)
                && content.EndsWith("</tool_response>", StringComparison.Ordinal);
            if (turns[i].Role == "user" && !isResponse) return i;
        }
        return turns.Count - 1;
    }
}
