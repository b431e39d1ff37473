using System.Text;

namespace Hone.Sandbox;

/// <summary>What code prints, up to a limit.</summary>
internal sealed class OutputText(int limit)
{
    private readonly StringBuilder text = new();

    public bool IsCut { get; private set; }

    public void AppendLine(string line)
    {
        Append(line);
        Append("\n");
    }

    public override string ToString() => text.ToString();

    private void Append(string piece)
    {
        var room = limit - text.Length;
        if (piece.Length > room)
        {
            IsCut = true;
            piece = piece[..room];
        }

        text.Append(piece);
    }
}
