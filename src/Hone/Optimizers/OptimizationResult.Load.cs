namespace Hone.Optimizers;

/// <summary>Reads the results of optimizers back from their run directories.</summary>
public static class OptimizationResult
{
    /// <summary>The result of a finished run, candidates included, without running anything. It has the type that the optimizer returned, e.g. <see cref="GepaResult{TIn,TOut}"/>.</summary>
    /// <param name="directory">The run directory.</param>
    /// <param name="program">
    /// The program that was optimized, on the model that the results shall have; for <c>KnnFewShot</c> one around whose module a <c>KnnDemos</c> is put, since
    /// embeddings are no part of a file.
    /// </param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="HoneException">The directory holds no finished run of this program; the message names the file.</exception>
    public static async Task<OptimizationResult<TIn, TOut>> LoadAsync<TIn, TOut>(string directory, Program<TIn, TOut> program, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(program);
        var path = Path.Combine(directory, SearchFolder.Result);
        if (!File.Exists(path))
            throw new HoneException($"There is no {path}: the run has not ended, or it is one of Grpo, whose result is its program and report. Resume it with the same options.");
        var json = await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false);
        try
        {
            return OptimizationResultJson.Read(json, file => Load(file).State, Load(SearchFolder.Best));
        }
        catch (Exception error) when (error is System.Text.Json.JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException or IOException)
        {
            throw new HoneException($"{path} is not a result that this Hone can read: {error.Message}", error);
        }

        // A program whose demos are chosen by nearness was none before: the file of what it came from has no bank.
        Program<TIn, TOut> Load(string file)
        {
            var (at, text) = (Path.Combine(directory, file), File.ReadAllText(Path.Combine(directory, file)));
            var isBefore = program.Module is KnnDemos<TIn, TOut> && !HasBanks(text);
            return (isBefore ? program.WithModule(((KnnDemos<TIn, TOut>)program.Module).Module, ProgramState.Default) : program).LoadState(text, at);
        }
    }

    private static bool HasBanks(string json)
    {
        using var document = System.Text.Json.JsonDocument.Parse(json);
        return document.RootElement.TryGetProperty("demoBanks", out _);
    }
}
