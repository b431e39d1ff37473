namespace MultiHopResearch.Hover;

/// <summary>
/// The claims of a HoVer file in the tutorial's split: those over three articles, one for each question that claims were made from, shuffled with Python's
/// generator of seed 0; 600 to learn from, 300 to choose by, the rest to report. Half, a quarter and the rest of a shorter file.
/// </summary>
internal sealed record HoverSplit(
    IReadOnlyList<Example<Claim, Research>> Train, IReadOnlyList<Example<Claim, Research>> Validation, IReadOnlyList<Example<Claim, Research>> Test)
{
    private const long ArticlesPerClaim = 3;
    private const int TrainCount = 600;
    private const int ValidationCount = 300;
    private const int Least = 4;

    /// <exception cref="HoneException">A row is not of HoVer, or too few claims are over three articles; the message names the file.</exception>
    public static async Task<HoverSplit> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var questions = new HashSet<string>(StringComparer.Ordinal);
        var claims = new List<Example<Claim, Research>>();
        await foreach (var row in DataFiles.ReadAsync(path, cancellationToken: cancellationToken))
        {
            if (row.Value("num_hops") is ArticlesPerClaim && questions.Add(row.Text("hpqa_id")))
                claims.Add(ToClaim(Corpus.Hover.ToExample(row)));
        }

        if (claims.Count < Least)
            throw new HoneException($"{path} holds {claims.Count} claims over {ArticlesPerClaim} articles; at least {Least} are needed.");
        PythonShuffle.Shuffle(claims, seed: 0);
        var (train, validation) = claims.Count > TrainCount + ValidationCount ? (TrainCount, ValidationCount) : (claims.Count / 2, claims.Count / 4);
        return new(claims[..train], claims[train..(train + validation)], claims[(train + validation)..]);
    }

    private static Example<Claim, Research> ToClaim(Example<FieldMap, FieldMap> row) =>
        new(new((string)row.Input["claim"]!), new([.. ((IEnumerable<object?>)row.Expected["titles"]!).Select(title => (string)title!)], [])) { Id = row.Id };
}
