namespace Hone.Optimizers;

/// <summary>Names of files in a run directory.</summary>
internal static class SearchFolder
{
    /// <summary>2: keys rest on everything that models are shown, and lines say what a budget had counted. 1: on the states alone.</summary>
    public const int FormatVersion = 2;

    public const string Result = "result.json";
    public const string Best = "best.json";

    /// <summary>True when a program has a model that another one lacks: tuned weights.</summary>
    public static bool HasOwnModels<TIn, TOut>(Program<TIn, TOut> program, Program<TIn, TOut> other) =>
        !ReferenceEquals(program.Model, other.Model)
        || program.NamedModels.Any(entry => !ReferenceEquals(other.NamedModels.GetValueOrDefault(entry.Key), entry.Value));
}

/// <summary>The readable part of a run directory: candidates as program files, the result, the report.</summary>
internal sealed class SearchFolder<TIn, TOut>(string directory)
{
    public string Directory => directory;

    public Task WriteCandidateAsync(Program<TIn, TOut> program, OptimizationCandidate entry, CancellationToken cancellationToken) =>
        AtomicFile.WriteTextAsync(
            Path.Combine(directory, "candidates", FormattableString.Invariant($"{entry.Index:0000}.json")), program.SaveState() + "\n", cancellationToken);

    /// <param name="optimizer">The optimizer's name.</param>
    /// <param name="student">The program as it came: weights that the result has from it are not written.</param>
    /// <param name="result">The result.</param>
    /// <param name="cancellationToken">Stops writing.</param>
    public async Task WriteResultAsync(string optimizer, Program<TIn, TOut> student, OptimizationResult<TIn, TOut> result, CancellationToken cancellationToken)
    {
        var best = Path.Combine(directory, SearchFolder.Best);
        if (SearchFolder.HasOwnModels(result.Program, student))
            await result.Program.SaveAsync(best, cancellationToken).ConfigureAwait(false);
        else
            await AtomicFile.WriteTextAsync(best, result.Program.SaveState() + "\n", cancellationToken).ConfigureAwait(false);
        await AtomicFile.WriteTextAsync(Path.Combine(directory, SearchFolder.Result), OptimizationResultJson.Write(optimizer, result), cancellationToken)
            .ConfigureAwait(false);
        await AtomicFile.WriteTextAsync(Path.Combine(directory, "report.html"), SearchReport.Page(optimizer, result), cancellationToken).ConfigureAwait(false);
    }
}
