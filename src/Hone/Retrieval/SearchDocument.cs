namespace Hone;

/// <summary>A document to index.</summary>
/// <param name="Title">Title; searched together with the text. May be empty.</param>
/// <param name="Text">Body.</param>
/// <param name="Id">Identity returned with each hit; the title when null.</param>
public sealed record SearchDocument(string Title, string Text, string? Id = null)
{
    /// <summary>What is searched: title and text, or the text alone when there is no title.</summary>
    internal string Content => Title.Length == 0 ? Text : $"{Title} | {Text}";
}
