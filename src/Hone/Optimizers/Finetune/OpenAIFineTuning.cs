using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
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
    private readonly HttpClient http;
    private readonly Uri server;
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
        (this.http, this.clientOf, this.options) = (http, clientOf, options ?? new());
        this.server = new(server.AbsoluteUri.TrimEnd('/') + "/");
    }

    /// <inheritdoc/>
    public int MaxParallelJobs => 3;

    /// <inheritdoc/>
    public void Check(LM model) => BaseModelOf(model);

    /// <inheritdoc/>
    public async Task<LM> TuneAsync(FineTuneJob job, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        var kept = job.Directory is null ? null : Path.Combine(job.Directory, $"{job.Name}.job.json");
        var id = kept is not null && File.Exists(kept) ? await ReadIdAsync(kept, cancellationToken).ConfigureAwait(false) : null;
        if (id is null)
        {
            id = await CreateAsync(job, await UploadAsync(job, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            if (kept is not null)
                await AtomicFile.WriteTextAsync(kept, new JsonObject { ["job"] = id }.ToJsonString() + "\n", cancellationToken).ConfigureAwait(false);
        }

        var name = await WaitAsync(job, id, cancellationToken).ConfigureAwait(false);
        return job.Model with { Client = clientOf(name), Name = name };
    }

    private string BaseModelOf(LM model) => options.BaseModel
        ?? (model.Client.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata)?.DefaultModelId
        ?? throw new HoneException($"The client of '{model.Name}' does not tell its model. Set {nameof(OpenAIFineTuningOptions)}.{nameof(OpenAIFineTuningOptions.BaseModel)}.");

    private async Task<string> UploadAsync(FineTuneJob job, CancellationToken cancellationToken)
    {
        using var form = new MultipartFormDataContent();
        using var purpose = new StringContent("fine-tune");
        using var file = new ByteArrayContent(FineTuneData.ToBytes(job.Rows));
        file.Headers.ContentType = new MediaTypeHeaderValue("application/jsonl");
        form.Add(purpose, "purpose");
        form.Add(file, "file", $"{job.Name}.jsonl");
        var reply = await SendAsync(HttpMethod.Post, "files", form, cancellationToken).ConfigureAwait(false);
        return reply.GetProperty("id").GetString()!;
    }

    private async Task<string> CreateAsync(FineTuneJob job, string file, CancellationToken cancellationToken)
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
        using var content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        var reply = await SendAsync(HttpMethod.Post, "fine_tuning/jobs", content, cancellationToken).ConfigureAwait(false);
        return reply.GetProperty("id").GetString()!;
    }

    private async Task<string> WaitAsync(FineTuneJob job, string id, CancellationToken cancellationToken)
    {
        var last = string.Empty;
        while (true)
        {
            var reply = await SendAsync(HttpMethod.Get, $"fine_tuning/jobs/{Uri.EscapeDataString(id)}", null, cancellationToken).ConfigureAwait(false);
            var status = reply.GetProperty("status").GetString()!;
            if (status != last)
                job.Report?.Invoke($"{job.Name}: job {id} is {status}");
            last = status;
            switch (status)
            {
                case "succeeded":
                    return reply.GetProperty("fine_tuned_model").GetString()!;
                case "failed" or "cancelled":
                    throw new HoneException($"The fine-tuning job {id} of '{job.Name}' {(status == "failed" ? "failed" : "was cancelled")}: {ReasonOf(reply)}");
            }

            await Task.Delay(options.PollInterval, options.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static string ReasonOf(JsonElement reply) =>
        reply.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object && error.TryGetProperty("message", out var message)
            ? message.GetString() ?? "no explanation"
            : "no explanation";

    private async Task<JsonElement> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(server, path)) { Content = content };
        using var response = await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        var text = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
            throw new HoneException($"The fine-tuning service refused {path} with {(int)response.StatusCode}: {SecretText.Scrub(ProgramText.Cut(text, 500))}");
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    private static async Task<string?> ReadIdAsync(string path, CancellationToken cancellationToken)
    {
        using var document = JsonDocument.Parse(await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false));
        return document.RootElement.GetProperty("job").GetString();
    }
}
