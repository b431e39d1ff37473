namespace Hone;

/// <summary>One found document.</summary>
/// <param name="Id">Identity in the index.</param>
/// <param name="Title">Title.</param>
/// <param name="Text">Body.</param>
/// <param name="Score">Relevance; comparable within one search only.</param>
public sealed record Passage(string Id, string Title, string Text, double Score);

/// <summary>Finds documents for a query.</summary>
public interface IRetriever
{
    /// <summary>The best <paramref name="count"/> documents, best first; ties by index order. Fewer when fewer match.</summary>
    Task<IReadOnlyList<Passage>> SearchAsync(string query, int count, CancellationToken cancellationToken = default);
}
