using System.Text.Json.Nodes;
using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>Settings of <see cref="ArborFineTuning"/>. What is null is left to the server.</summary>
public sealed record ArborFineTuningOptions
{
    /// <summary>Part of the tuned model's name.</summary>
    public string? Suffix { get; init; }

    /// <summary>GPUs of the job.</summary>
    public int? Gpus
    {
        get;
        init { if (value is { } count) ArgumentOutOfRangeException.ThrowIfLessThan(count, 1, nameof(Gpus)); field = value; }
    }

    /// <summary>Seed of the job.</summary>
    public int? Seed { get; init; }

    /// <summary>How often a job is looked at.</summary>
    /// <value>10 seconds by default.</value>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>
/// Tunes models by supervised jobs of an Arbor server. Releases of Arbor differ in whether they offer files and such jobs: the server is asked first, and one without them
/// is refused before anything is uploaded. How it learns (epochs, learning rate) is the server's own setting.
/// </summary>
public sealed class ArborFineTuning : IFineTuneProvider
{
    private const string Jobs = "fine_tuning/jobs";

    private static readonly HttpClient Shared = new() { Timeout = Timeout.InfiniteTimeSpan };

    private readonly ArborOptions server;
    private readonly ArborFineTuningOptions options;
    private readonly FineTuneService service;

    /// <summary>Creates the provider.</summary>
    /// <param name="server">Where the server is, and the model to start from.</param>
    /// <param name="options">Settings.</param>
    public ArborFineTuning(ArborOptions server, ArborFineTuningOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(server);
        (this.server, this.options) = (server, options ?? new());
        service = new(server.Http ?? Shared, server.Address, this.options.PollInterval, server.Time);
    }

    /// <inheritdoc/>
    public int MaxParallelJobs => 1;

    /// <summary>True when the server offers files and supervised jobs.</summary>
    public Task<bool> IsOfferedAsync(CancellationToken cancellationToken = default) => service.HasAsync(Jobs, cancellationToken);

    /// <summary>Nothing can be told from the model: the server tunes <see cref="ArborOptions.Model"/>.</summary>
    public void Check(LM model) => ArgumentNullException.ThrowIfNull(model);

    /// <inheritdoc/>
    /// <exception cref="TrainingNotSupportedException">The server does not offer such jobs. Nothing was uploaded.</exception>
    public async Task<LM> TuneAsync(FineTuneJob job, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        if (!await IsOfferedAsync(cancellationToken).ConfigureAwait(false))
            throw new TrainingNotSupportedException(
                $"The Arbor server at {server.Address} has no {Jobs}: this release of it only reinforces. Use Grpo on it, another {nameof(IFineTuneProvider)} for supervised tuning, "
                + "or a release that offers files and jobs.")
            {
                Options = [nameof(ArborFineTuning)],
            };
        var name = await service.TuneAsync(job, Describe, cancellationToken).ConfigureAwait(false);
        return job.Model with { Client = ArborLM.Open(server with { Model = name }).Client, Name = name };
    }

    // The server refuses members that it does not know.
    private JsonObject Describe(string file)
    {
        var body = new JsonObject { ["model"] = server.Model, ["training_file"] = file, ["method"] = new JsonObject { ["type"] = "supervised" } };
        if (options.Suffix is not null)
            body["suffix"] = options.Suffix;
        if (options.Gpus is { } gpus)
            body["num_gpus"] = gpus;
        if (options.Seed is { } seed)
            body["seed"] = seed;
        return body;
    }
}
