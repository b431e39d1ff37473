namespace Hone;

/// <summary>A signature string could not be read.</summary>
public sealed class SignatureFormatException : HoneException
{
    /// <summary>Creates the error; the message shows the text around the position.</summary>
    public SignatureFormatException(string text, int position, string reason)
        : base($"The signature '{text}' is not valid at position {position}: {reason}")
    {
        Text = text;
        Position = position;
    }

    /// <summary>The whole signature string.</summary>
    public string Text { get; }

    /// <summary>Where the trouble is, counted in characters from 0.</summary>
    public int Position { get; }
}
