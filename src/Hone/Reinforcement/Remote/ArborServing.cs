using System.Text.Json;

namespace Hone.Reinforcement;

/// <summary>
/// The inference servers of Arbor. Arbor starts one, on one GPU, at the first call of a model that it does not know, which takes minutes and may outlast a call; and none ends by itself.
/// </summary>
public static class ArborServing
{
    /// <summary>Starts the inference server of <see cref="ArborOptions.Model"/> and waits until it serves; where it runs already, nothing happens.</summary>
    /// <param name="options">Model, <see cref="ArborOptions.InferenceGpus"/>, <see cref="ArborOptions.MaxSequenceLength"/>, and <see cref="ArborOptions.StartTimeout"/> for the wait.</param>
    /// <param name="cancellationToken">Ends the wait; the server may come up all the same.</param>
    /// <returns>The id to stop it by.</returns>
    /// <exception cref="TrainingServiceException">Arbor did not start it, or not in time.</exception>
    public static async Task<string> LaunchAsync(ArborOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        const string Path = "chat/launch";
        var answer = await options.Connect(options.StartTimeout).PostForObjectAsync(
            Path,
            writer =>
            {
                writer.WriteString("model", options.Model);
                writer.WriteNumber("max_seq_len", options.MaxSequenceLength);
                writer.WriteNumber("num_gpus", options.InferenceGpus);
            },
            isRepeatable: true,
            cancellationToken).ConfigureAwait(false);
        return answer.TryGetProperty("job_id", out var id) && id.ValueKind == JsonValueKind.String
            ? id.GetString()!
            : throw new TrainingServiceException($"Arbor started a server for {options.Model} and did not say under which id.") { Operation = Path, Status = 200 };
    }

    /// <summary>Stops an inference server: its GPUs become free.</summary>
    /// <param name="options">Where Arbor is.</param>
    /// <param name="id">What <see cref="LaunchAsync"/> returned.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TrainingServiceException">Arbor knows no such server, or does not answer.</exception>
    public static Task StopAsync(ArborOptions options, string id, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(id);
        return id == "*"
            ? throw new ArgumentException($"'*' is no server's id; {nameof(StopAllAsync)} stops all of them.", nameof(id))
            : KillAsync(options, id, cancellationToken);
    }

    /// <summary>Stops every inference server of Arbor, those that others started and those that training jobs left behind (<see cref="ArborJobEnd.Terminate"/>) as well.</summary>
    /// <param name="options">Where Arbor is.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TrainingServiceException">Arbor does not answer.</exception>
    public static Task StopAllAsync(ArborOptions options, CancellationToken cancellationToken = default) => KillAsync(options, "*", cancellationToken);

    private static Task KillAsync(ArborOptions options, string id, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);

        // A second request of a lost first one would find no such server, and fail.
        return options.Connect().PostForObjectAsync("chat/kill", writer => writer.WriteString("job_id", id), isRepeatable: id == "*", cancellationToken);
    }
}
