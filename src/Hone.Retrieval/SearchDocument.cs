namespace Hone.Retrieval;

/// <summary>A document to index.</summary>
/// <param name="Title">Title; searched together with the text.</param>
/// <param name="Text">Body.</param>
/// <param name="Id">Identity returned with each hit; the title when null.</param>
public sealed record SearchDocument(string Title, string Text, string? Id = null);
