namespace Hone;

/// <summary>For those who write an <see cref="IRetriever"/>: tells observers and trace listeners of its searches, as Hone's own retrievers do.</summary>
public static class RetrieverObservation
{
    /// <summary>True when somebody watches the current flow; without, a retriever searches as if there were no observers.</summary>
    public static bool IsOn => Observation.IsOn(HoneScope.Current);

    /// <summary>Runs a search so that its start and end are told, as <see cref="CallKind.Retrieval"/>.</summary>
    /// <param name="source">What is searched: the type of the retriever, or the name of an index.</param>
    /// <param name="query">What is searched for; observers are told, spans are not.</param>
    /// <param name="search">The search.</param>
    /// <param name="cancellationToken">Stops the search before it begins; <paramref name="search"/> has its own.</param>
    public static Task<IReadOnlyList<Passage>> RunAsync(
        string source, string query, Func<Task<IReadOnlyList<Passage>>> search, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(search);
        cancellationToken.ThrowIfCancellationRequested();
        return IsOn ? Observation.RunAsync(CallKind.Retrieval, source, query, search) : search();
    }
}
