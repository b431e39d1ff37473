namespace Hone.Optimizers;

/// <summary>Names of files in a run directory.</summary>
internal static class SearchFolder
{
    /// <summary>2: keys rest on everything that models are shown, and lines say what a budget had counted. 1: on the states alone.</summary>
    public const int FormatVersion = 2;

    public const string Result = "result.json";
    public const string Best = "best.json";
}

/// <summary>The readable part of a run directory: candidates as program files, the result, the report.</summary>
internal sealed class SearchFolder<TIn, TOut>(string directory)
{
    public Task WriteCandidateAsync(Program<TIn, TOut> program, OptimizationCandidate entry, CancellationToken cancellationToken) =>
        AtomicFile.WriteTextAsync(
            Path.Combine(directory, "candidates", FormattableString.Invariant($"{entry.Index:0000}.json")), program.SaveState() + "\n", cancellationToken);

    public async Task WriteResultAsync(string optimizer, OptimizationResult<TIn, TOut> result, CancellationToken cancellationToken)
    {
        await AtomicFile.WriteTextAsync(Path.Combine(directory, SearchFolder.Best), result.Program.SaveState() + "\n", cancellationToken).ConfigureAwait(false);
        await AtomicFile.WriteTextAsync(Path.Combine(directory, SearchFolder.Result), OptimizationResultJson.Write(optimizer, result), cancellationToken)
            .ConfigureAwait(false);
        await AtomicFile.WriteTextAsync(Path.Combine(directory, "report.html"), SearchReport.Page(optimizer, result), cancellationToken).ConfigureAwait(false);
    }
}
