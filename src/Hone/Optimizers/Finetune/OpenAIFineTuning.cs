using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Hone.Optimizers;

/// <summary>Settings of <see cref="OpenAIFineTuning"/>. What is null is left to the service.</summary>
public sealed record OpenAIFineTuningOptions
{
    /// <summary>The service's name of the model to tune, e.g. <c>gpt-4.1-mini-2025-04-14</c>; the client's model when null.</summary>
    public string? BaseModel { get; init; }

    /// <summary>Part of the tuned model's name.</summary>
    public string? Suffix { get; init; }

    /// <summary>Passes over the data.</summary>
    public int? Epochs { get; init; }

    /// <summary>Rows a batch.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Factor on the service's learning rate.</summary>
    public double? LearningRateMultiplier { get; init; }

    /// <summary>Seed of the job.</summary>
    public int? Seed { get; init; }

    /// <summary>How often a job is looked at.</summary>
    /// <value>10 seconds by default.</value>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>
/// Tunes models by fine-tuning jobs of OpenAI's interface: uploads the rows, creates a job, waits for it. With a directory the ids are kept, and a run that
/// was interrupted waits for the job that it had created.
/// </summary>
public sealed class OpenAIFineTuning : IFineTuneProvider
{
    private readonly FineTuneService service;
    private readonly Func<string, IChatClient> clientOf;
    private readonly OpenAIFineTuningOptions options;

    /// <summary>Creates the provider.</summary>
    /// <param name="http">The client, with the credentials in its headers; it is not disposed.</param>
    /// <param name="server">The interface's address, e.g. <c>https://api.openai.com/v1</c>.</param>
    /// <param name="clientOf">Makes a chat client of a tuned model's name.</param>
    /// <param name="options">Settings.</param>
    public OpenAIFineTuning(HttpClient http, Uri server, Func<string, IChatClient> clientOf, OpenAIFineTuningOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(clientOf);
        (this.clientOf, this.options) = (clientOf, options ?? new());
        service = new(http, server, this.options.PollInterval, this.options.Time);
    }

    /// <inheritdoc/>
    public int MaxParallelJobs => 3;

    /// <inheritdoc/>
    public void Check(LM model) => BaseModelOf(model);

    /// <inheritdoc/>
    public async Task<LM> TuneAsync(FineTuneJob job, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        var name = await service.TuneAsync(job, file => Describe(job, file), cancellationToken).ConfigureAwait(false);
        return job.Model with { Client = clientOf(name), Name = name };
    }

    private string BaseModelOf(LM model) => options.BaseModel
        ?? (model.Client.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata)?.DefaultModelId
        ?? throw new HoneException($"The client of '{model.Name}' does not tell its model. Set {nameof(OpenAIFineTuningOptions)}.{nameof(OpenAIFineTuningOptions.BaseModel)}.");

    private JsonObject Describe(FineTuneJob job, string file)
    {
        var parameters = new JsonObject();
        if (options.Epochs is { } epochs)
            parameters["n_epochs"] = epochs;
        if (options.BatchSize is { } batch)
            parameters["batch_size"] = batch;
        if (options.LearningRateMultiplier is { } rate)
            parameters["learning_rate_multiplier"] = rate;
        var body = new JsonObject
        {
            ["model"] = BaseModelOf(job.Model),
            ["training_file"] = file,
            ["method"] = new JsonObject { ["type"] = "supervised", ["supervised"] = new JsonObject { ["hyperparameters"] = parameters } },
        };
        if (options.Suffix is not null)
            body["suffix"] = options.Suffix;
        if (options.Seed is { } seed)
            body["seed"] = seed;
        return body;
    }
}
