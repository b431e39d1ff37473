using System.Text;

namespace Hone;

/// <summary><see cref="ChatMarkers.Unescape"/> for text that arrives in pieces.</summary>
internal sealed class ChatUnescaper(StringBuilder output) : IFieldTextDecoder
{
    // How far "[[ \…\## " has been seen, and with how many backslashes.
    private int state;
    private int backslashes;

    public void Append(char c)
    {
        while (!TryAdvance(c))
        {
            if (state == 0)
            {
                output.Append(c);
                return;
            }

            Release();
        }
    }

    /// <summary>The text ends here: what was held back is part of it.</summary>
    public void Finish()
    {
        while (state > 0)
            Release();
    }

    private bool TryAdvance(char c)
    {
        switch (state, c)
        {
            case (0 or 1, '[') or (2, ' ') or (5, '#'):
                state++;
                return true;
            case (3 or 4, '\\'):
                state = 4;
                backslashes++;
                return true;
            case (4, '#'):
                state = 5;
                return true;
            case (6, ' '):
                output.Append("[[ ").Append('\\', backslashes - 1).Append("## ");
                (state, backslashes) = (0, 0);
                return true;
            default:
                return false;
        }
    }

    // What was held is no marker. Of "[[", the second bracket may still open one.
    private void Release()
    {
        if (state == 2)
        {
            output.Append('[');
            state = 1;
            return;
        }

        output.Append("[[ ", 0, Math.Min(state, 3)).Append('\\', backslashes).Append('#', Math.Max(0, state - 4));
        (state, backslashes) = (0, 0);
    }
}
