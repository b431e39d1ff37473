using System.Text;

namespace Hone;

/// <summary>Passes over a leading block of reasoning in text that arrives in pieces; a block that never closes is ordinary text.</summary>
internal sealed class ThinkFilter
{
    private readonly StringBuilder held = new();
    private State state;

    // How much of the tag that is looked for has been seen.
    private int matched;

    private enum State
    {
        Blanks,
        Opening,
        Thoughts,
        Answer,
    }

    /// <summary>The characters that certainly belong to the answer.</summary>
    public string Take(string text)
    {
        if (state == State.Answer)
            return text;
        for (var i = 0; i < text.Length; i++)
        {
            held.Append(text[i]);
            Advance(text[i]);
            if (state == State.Answer)
                return Finish() + text[(i + 1)..];
        }

        return string.Empty;
    }

    /// <summary>There is nothing more to come: what was held back.</summary>
    public string Finish()
    {
        var all = held.ToString();
        held.Clear();
        state = State.Answer;
        return all;
    }

    private void Advance(char c)
    {
        if (state == State.Blanks && !char.IsWhiteSpace(c))
            state = State.Opening;
        if (state == State.Opening)
        {
            state = c == ChatSections.ThinkOpening[matched] ? state : State.Answer;
            if (state == State.Opening && ++matched == ChatSections.ThinkOpening.Length)
                (state, matched) = (State.Thoughts, 0);
        }
        else if (state == State.Thoughts)
        {
            matched = c == ChatSections.ThinkClosing[matched] ? matched + 1 : c == '<' ? 1 : 0;
            if (matched < ChatSections.ThinkClosing.Length)
                return;
            held.Clear();
            state = State.Answer;
        }
    }
}
