namespace EmbeddedModel;

/// <summary>The signatures of the research program's two predictors, as the program itself declares them.</summary>
internal sealed record ProgramSignatures(Signature AppendNotes, Signature GenerateQuery)
{
    /// <summary>Reads them off the program.</summary>
    public static ProgramSignatures Read()
    {
        var byPath = new Program<Claim, Research>(new ResearchHop(NoSearch.Instance)).Predictors.ToDictionary();
        return new(byPath["append_notes"], byPath["generate_query"]);
    }

    private sealed class NoSearch : IRetriever
    {
        public static readonly NoSearch Instance = new();

        public Task<IReadOnlyList<Passage>> SearchAsync(string query, int count, CancellationToken cancellationToken = default) =>
            Task.FromResult<IReadOnlyList<Passage>>([]);
    }
}
