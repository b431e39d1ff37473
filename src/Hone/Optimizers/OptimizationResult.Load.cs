namespace Hone.Optimizers;

/// <summary>Reads the results of optimizers back from their run directories.</summary>
public static class OptimizationResult
{
    /// <summary>The result of a finished run, candidates included, without running anything. What only <c>Gepa</c> tells beyond it is not part of the file.</summary>
    /// <param name="directory">The run directory.</param>
    /// <param name="program">The program that was optimized, on the model that the results shall have.</param>
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
        var best = await program.LoadStateAsync(Path.Combine(directory, SearchFolder.Best), cancellationToken).ConfigureAwait(false);
        try
        {
            return OptimizationResultJson.Read(json, file => program.LoadState(File.ReadAllText(Path.Combine(directory, file)), Path.Combine(directory, file)).State, best);
        }
        catch (Exception error) when (error is System.Text.Json.JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException or IOException)
        {
            throw new HoneException($"{path} is not a result that this Hone can read: {error.Message}", error);
        }
    }
}
