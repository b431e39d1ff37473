using System.Text;

namespace Hone;

/// <summary>Replaces entities and unpacks sections of plain data in text that arrives in pieces.</summary>
internal sealed class XmlDecoder(StringBuilder output) : IFieldTextDecoder
{
    private const int LongestEntity = 10;

    private readonly StringBuilder held = new();
    private bool inData;

    public void Append(char c)
    {
        if (inData)
            AppendData(c);
        else if (held.Length > 0)
            AppendHeld(c);
        else if (c is '&' or '<')
            held.Append(c);
        else
            output.Append(c);
    }

    /// <summary>The text ends here: what was held back is part of it.</summary>
    public void Finish()
    {
        output.Append(held);
        held.Clear();
    }

    private void AppendHeld(char c)
    {
        if (held[0] == '<')
        {
            if (c != XmlScanner.DataStart[held.Length])
            {
                Release(c);
                return;
            }

            held.Append(c);
            inData = held.Length == XmlScanner.DataStart.Length;
            if (inData)
                held.Clear();
            return;
        }

        if (c == ';' && XmlScanner.Entity(held.ToString(1, held.Length - 1)) is { } character)
        {
            output.Append(character);
            held.Clear();
        }
        else if (held.Length < LongestEntity && (char.IsAsciiLetterOrDigit(c) || (c == '#' && held.Length == 1)))
            held.Append(c);
        else
            Release(c);
    }

    // Inside plain data only its end means something.
    private void AppendData(char c)
    {
        held.Append(c);
        if (held.Length >= 3 && held[^1] == '>' && held[^2] == ']' && held[^3] == ']')
        {
            output.Append(held, 0, held.Length - 3);
            held.Clear();
            inData = false;
            return;
        }

        while (held.Length > 0 && !(held[0] == ']' && held.Length <= 2 && held[^1] == ']'))
        {
            output.Append(held[0]);
            held.Remove(0, 1);
        }
    }

    private void Release(char c)
    {
        output.Append(held);
        held.Clear();
        Append(c);
    }
}
