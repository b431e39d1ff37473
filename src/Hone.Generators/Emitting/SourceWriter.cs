using System;
using System.Text;

namespace Hone.Generators;

/// <summary>Writes indented lines with line feeds, whatever the machine.</summary>
internal sealed class SourceWriter
{
    private readonly StringBuilder text = new();

    private int depth;

    public void Line(string line = "")
    {
        if (line.Length > 0)
            text.Append(' ', depth * 4).Append(line);
        text.Append('\n');
    }

    public void Open(string line)
    {
        Line(line);
        Open();
    }

    public void Open()
    {
        Line("{");
        depth++;
    }

    public void Close()
    {
        depth--;
        Line("}");
    }

    public void Indented(Action write)
    {
        depth++;
        write();
        depth--;
    }

    public override string ToString() => text.ToString();
}
