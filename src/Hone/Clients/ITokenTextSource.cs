namespace Hone;

/// <summary>Tells what token ids stand for, for people to read: a service of a local policy's chat client.</summary>
public interface ITokenTextSource
{
    /// <summary>
    /// The text of each id, which together are the text of the whole. A character that several ids make up stands with the last of them; the others have
    /// no text.
    /// </summary>
    IReadOnlyList<string> TextsOf(IReadOnlyList<int> ids);
}
