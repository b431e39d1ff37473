using System.Globalization;
using System.Net;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone.Reinforcement;

/// <summary>
/// Trains on a service that speaks the Tinker protocol. The loop, the program, the metric and every number of the loss stay in this process; the
/// service samples, computes gradients and keeps the weights.
/// </summary>
internal sealed class TinkerSession : ITrainingSession
{
    private const string StepPath = "optim_step";
    private const string LoadPath = "load_weights";
    private const string UnloadPath = "unload_model";
    private const int SaveAttempts = 3;

    private readonly TinkerClient client;
    private readonly TinkerHeartbeat heartbeat;
    private readonly TrainingOptions training;
    private readonly string session;
    private readonly SemaphoreSlim sampling = new(1, 1);
    private readonly List<string> replaced = [];
    private string model;
    private TinkerWeights? weights;
    private long sequence;
    private int models;
    private int samplers;
    private int names;
    private int isUnloaded;

    private TinkerSession(TinkerClient client, TinkerHeartbeat heartbeat, TrainingOptions training, string session)
    {
        (this.client, this.heartbeat, this.training, this.session, model) = (client, heartbeat, training, session, string.Empty);
        Policy = new TinkerChatClient(client, CurrentAsync);
    }

    public TrainingCapabilities Capabilities => new()
    {
        Losses = Enum.GetValues<PolicyLossType>(),
        MaxSequenceLength = client.MaxSequenceLength,
        DefaultAnswerTokens = client.Options.MaxCompletionTokens,
        IsFullFineTuning = training.Lora is null,
    };

    public int PolicyVersion { get; private set; }

    public IChatClient Policy { get; }

    /// <summary>Checks what the run will ask for, and whether the service can do it, then opens a session and a model there.</summary>
    public static async Task<TinkerSession> StartAsync(TinkerClient client, TrainingOptions training, CancellationToken cancellationToken)
    {
        TinkerPreflight.Check(client, training);
        await TinkerService.CheckAsync(client, cancellationToken).ConfigureAwait(false);
        TinkerPreflight.Check(client, training); // against the context that the service has told
        var opened = await client.PostAsync("create_session", WriteSession, isRepeatable: true, cancellationToken).ConfigureAwait(false);
        var id = TinkerClient.Read("create_session", opened, body => body.GetProperty("session_id").GetString()!);
        var heartbeat = new TinkerHeartbeat(client, id);
        try
        {
            var session = new TinkerSession(client, heartbeat, training, id);
            session.model = await session.CreateModelAsync(cancellationToken).ConfigureAwait(false);
            return session;
        }
        catch (Exception)
        {
            await heartbeat.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async Task<ForwardBackwardResult> ForwardBackwardAsync(
        IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, CancellationToken cancellationToken = default)
    {
        TinkerPreflight.Check(loss);
        Check(data);
        loss = TinkerLoss.Resolve(loss);
        var started = client.Time.GetTimestamp();
        var submitted = await SubmitLearningAsync(data, loss, cancellationToken).ConfigureAwait(false);
        var logProbs = await ResultsAsync(submitted, cancellationToken).ConfigureAwait(false);
        return TinkerMetrics.Of(data, loss, logProbs, client.Time.GetElapsedTime(started).TotalSeconds);
    }

    public async Task<OptimizerStepResult> OptimizerStepAsync(OptimizerStepOptions options, CancellationToken cancellationToken = default)
    {
        TinkerPreflight.Check(client.Options, options);
        cancellationToken.ThrowIfCancellationRequested();
        var started = client.Time.GetTimestamp();
        return await TakeStepAsync(await SubmitStepAsync(options, cancellationToken).ConfigureAwait(false), started, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Both are submitted before the first result is waited for: the service works on them in the order of their numbers.</summary>
    public async Task<TrainingUpdate> UpdateAsync(
        IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, OptimizerStepOptions optimizer, CancellationToken cancellationToken = default)
    {
        TinkerPreflight.Check(loss);
        TinkerPreflight.Check(client.Options, optimizer);
        Check(data);
        loss = TinkerLoss.Resolve(loss);
        var started = client.Time.GetTimestamp();
        var learning = await SubmitLearningAsync(data, loss, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        var step = await SubmitStepAsync(optimizer, cancellationToken).ConfigureAwait(false);
        var logProbs = await ResultsAsync(learning, cancellationToken).ConfigureAwait(false);
        var pass = TinkerMetrics.Of(data, loss, logProbs, client.Time.GetElapsedTime(started).TotalSeconds);
        return new(pass, await TakeStepAsync(step, client.Time.GetTimestamp(), cancellationToken).ConfigureAwait(false));
    }

    public Task<IReadOnlyList<float[]>> ScoreAsync(IReadOnlyList<TrainingDatum> data, double temperature, CancellationToken cancellationToken = default)
    {
        TinkerPreflight.Check(new PolicyLossOptions { Temperature = temperature });
        Check(data);
        return CurrentLogProbsAsync(data, cancellationToken);
    }

    public async Task SaveStateAsync(string directory, CancellationToken cancellationToken = default)
    {
        if (Directory.Exists(directory))
            throw new HoneException($"Training state is written to a new directory, but {directory} exists.");
        var path = await SaveAsync("save_weights", $"state-{PolicyVersion.ToString(CultureInfo.InvariantCulture)}", cancellationToken).ConfigureAwait(false);
        await new TinkerReference(client.Options.BaseModel, path, PolicyVersion).SaveAsync(directory, cancellationToken).ConfigureAwait(false);
    }

    public async Task LoadStateAsync(string directory, CancellationToken cancellationToken = default)
    {
        var reference = await TinkerReference.LoadAsync(directory, client.Options.BaseModel, cancellationToken).ConfigureAwait(false);
        try
        {
            try
            {
                await LoadAsync(reference.Path, cancellationToken).ConfigureAwait(false);
            }
            catch (TrainingServiceException error) when (error.Status == (int)HttpStatusCode.BadRequest)
            {
                // Services take a checkpoint as a model's first request only; this model has had some, or the answer to the first got lost.
                await ReplaceModelAsync(cancellationToken).ConfigureAwait(false);
                await LoadAsync(reference.Path, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (TrainingStateLostException error) when (error.Operation == LoadPath)
        {
            throw new TrainingStateLostException(
                $"The service at {client.Options.Address} no longer has the checkpoint {reference.Path} that {directory} refers to: its storage was cleared or is another one. "
                + "The run cannot go on from here; start it in a new directory.", error)
            {
                Operation = LoadPath,
                Status = error.Status,
            };
        }

        await RefreshAsync(reference.PolicyVersion, cancellationToken).ConfigureAwait(false);
    }

    public async Task<LM> SnapshotAsync(string name, CancellationToken cancellationToken = default)
    {
        var version = PolicyVersion;
        var path = await SaveAsync("save_weights_for_sampler", name, cancellationToken).ConfigureAwait(false);
        return TinkerLM.OnSavedWeights(client, path, version, name);
    }

    public async Task<LM> LoadSnapshotAsync(string directory, string name, CancellationToken cancellationToken = default)
    {
        var reference = await TinkerReference.LoadAsync(directory, client.Options.BaseModel, cancellationToken).ConfigureAwait(false);
        return TinkerLM.OnSavedWeights(client, reference.Path, reference.PolicyVersion, name);
    }

    public async ValueTask DisposeAsync()
    {
        await heartbeat.DisposeAsync().ConfigureAwait(false);
        if (!client.Options.UnloadOnDispose || Interlocked.Exchange(ref isUnloaded, 1) != 0)
            return;
        try
        {
            foreach (var each in (IEnumerable<string>)[.. replaced, model])
                await client.PostAsync(UnloadPath, writer => writer.WriteString("model_id", each), isRepeatable: false, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TrainingServiceException error)
        {
            RemoteLog.NotClosed(client.Log, "The Tinker service", error.Message);
        }
    }

    private static void WriteSession(Utf8JsonWriter writer)
    {
        writer.WriteString("type", "create_session");
        writer.WriteStartArray("tags");
        writer.WriteStringValue("hone");
        writer.WriteEndArray();
        writer.WriteNull("user_metadata");
        writer.WriteString("sdk_version", "hone-" + typeof(TinkerSession).Assembly.GetName().Version!.ToString(3));
    }

    // Rank 0 asks for all weights. Hosted services would adapt the unembedding, too, unless told.
    private async Task<string> CreateModelAsync(CancellationToken cancellationToken)
    {
        const string path = "create_model";
        var number = models++;
        var created = await client.PostAsync(
            path,
            writer =>
            {
                writer.WriteString("type", path);
                writer.WriteString("session_id", session);
                writer.WriteNumber("model_seq_id", number);
                writer.WriteString("base_model", client.Options.BaseModel);
                writer.WriteStartObject("lora_config");
                writer.WriteNumber("rank", training.Lora?.Rank ?? 0);
                writer.WriteNumber("seed", (int)(training.Seed & int.MaxValue));
                writer.WriteBoolean("train_unembed", false);
                writer.WriteBoolean("train_mlp", true);
                writer.WriteBoolean("train_attn", true);
                writer.WriteEndObject();
            },
            isRepeatable: false, cancellationToken).ConfigureAwait(false);
        var (id, request) = TinkerClient.Read(path, created, body => (body.GetProperty("model_id").GetString()!, body.GetProperty("request_id").ToString()));
        await client.ResultAsync(path, request, cancellationToken).ConfigureAwait(false);
        return id;
    }

    // Snapshots may be sampled from the model that they were made of, so it stays where the service holds several. What it had learned is given up in any case.
    private async Task ReplaceModelAsync(CancellationToken cancellationToken)
    {
        var old = model;
        try
        {
            model = await CreateModelAsync(cancellationToken).ConfigureAwait(false);
            replaced.Add(old);
        }
        catch (TrainingServiceException error) when (error.Status == (int)HttpStatusCode.BadRequest)
        {
            await client.RunAsync(UnloadPath, writer => writer.WriteString("model_id", old), isRepeatable: false, cancellationToken).ConfigureAwait(false);
            model = await CreateModelAsync(cancellationToken).ConfigureAwait(false);
        }

        sequence = 0;
    }

    private Task LoadAsync(string path, CancellationToken cancellationToken)
    {
        var number = Next();
        return client.RunAsync(
            LoadPath,
            writer =>
            {
                writer.WriteString("model_id", model);
                writer.WriteString("path", path);
                writer.WriteBoolean("optimizer", true);
                writer.WriteNumber("seq_id", number);
            },
            isRepeatable: true, cancellationToken);
    }

    // The first weights are handed to the sampler when somebody samples: until then a saved state can be loaded, which services take as a first request only.
    private async ValueTask<TinkerWeights> CurrentAsync(CancellationToken cancellationToken)
    {
        if (weights is { } known)
            return known;
        await sampling.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return weights ?? await RefreshAsync(PolicyVersion, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            sampling.Release();
        }
    }

    private long Next() => Interlocked.Increment(ref sequence);

    private async Task<IReadOnlyList<float[]>> CurrentLogProbsAsync(IReadOnlyList<TrainingDatum> data, CancellationToken cancellationToken)
    {
        TinkerSequence[] sequences = [.. data.Select(datum => new TinkerSequence(datum, [.. Enumerable.Repeat(1.0, datum.CompletionIds.Count)]))];
        return await ResultsAsync(await SubmitAsync("forward", new("cross_entropy", sequences, null), cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
    }

    private async Task<Submitted> SubmitLearningAsync(IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, CancellationToken cancellationToken)
    {
        var current = TinkerLoss.NeedsCurrentLogProbs(data, loss) ? await CurrentLogProbsAsync(data, cancellationToken).ConfigureAwait(false) : null;
        return await SubmitAsync("forward_backward", TinkerLoss.Build(data, loss, current), cancellationToken).ConfigureAwait(false);
    }

    // All parts are submitted before the first result is waited for.
    private async Task<Submitted> SubmitAsync(string path, TinkerBatch batch, CancellationToken cancellationToken)
    {
        var parts = new List<(string Request, TinkerSequence[] Part)>();
        foreach (var part in batch.Sequences.Chunk(client.Options.MaxSequencesPerRequest))
        {
            var number = Next();
            var request = await client.SubmitAsync(
                path, writer => TinkerWire.WritePass(writer, model, path + "_input", batch with { Sequences = part }, number), isRepeatable: true, cancellationToken).ConfigureAwait(false);
            parts.Add((request, part));
        }

        return new(path, parts);
    }

    private async Task<float[][]> ResultsAsync(Submitted submitted, CancellationToken cancellationToken)
    {
        var logProbs = new List<float[]>();
        foreach (var (request, part) in submitted.Parts)
        {
            var result = await client.ResultAsync(submitted.Path, request, cancellationToken).ConfigureAwait(false);
            logProbs.AddRange(TinkerClient.Read(submitted.Path, result, body => TinkerWire.ReadLogProbs(body, part)));
        }

        return [.. logProbs];
    }

    private Task<string> SubmitStepAsync(OptimizerStepOptions options, CancellationToken cancellationToken)
    {
        var number = Next();
        return client.SubmitAsync(StepPath, writer => TinkerWire.WriteStep(writer, model, options, number), isRepeatable: true, cancellationToken);
    }

    private async Task<OptimizerStepResult> TakeStepAsync(string request, long started, CancellationToken cancellationToken)
    {
        var result = await client.ResultAsync(StepPath, request, cancellationToken).ConfigureAwait(false);
        var stepped = client.Time.GetTimestamp();
        await RefreshAsync(PolicyVersion + 1, cancellationToken).ConfigureAwait(false);
        return new(TinkerWire.ReadGradientNorm(result), client.Time.GetElapsedTime(started, stepped).TotalSeconds)
        {
            SyncSeconds = client.Time.GetElapsedTime(stepped).TotalSeconds,
        };
    }

    // Hands the trained weights to the sampler. They are named by numbers and need not be written to a disk.
    private async Task<TinkerWeights> RefreshAsync(int version, CancellationToken cancellationToken)
    {
        const string path = "save_weights_for_sampler";
        var result = await SaveAsync(path, writer => writer.WriteNumber("sampling_session_seq_id", ++samplers), cancellationToken).ConfigureAwait(false);
        var fresh = TinkerClient.Read(path, result, body =>
            body.TryGetProperty("sampling_session_id", out var id) && id.ValueKind == JsonValueKind.String
                ? TinkerWeights.Session(id.GetString()!, version)
                : TinkerWeights.Saved(body.GetProperty("path").GetString()!, version));
        (weights, PolicyVersion) = (fresh, version);
        return fresh;
    }

    private async Task<string> SaveAsync(string path, string name, CancellationToken cancellationToken)
    {
        var clean = new string([.. name.Select(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' ? character : '-').Take(200)]);
        var result = await SaveAsync(path, writer => writer.WriteString("path", $"{clean}-{(++names).ToString(CultureInfo.InvariantCulture)}"), cancellationToken).ConfigureAwait(false);
        return TinkerClient.Read(path, result, body => body.GetProperty("path").GetString()!);
    }

    // A request whose answer got lost is sent again as it is. A service that does not notice then says that the name is taken: another one is used.
    private async Task<JsonElement> SaveAsync(string path, Action<Utf8JsonWriter> name, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var number = Next();
            try
            {
                return await client.RunAsync(
                    path,
                    writer =>
                    {
                        writer.WriteString("model_id", model);
                        name(writer);
                        writer.WriteNumber("seq_id", number);
                        writer.WriteString("type", path);
                    },
                    isRepeatable: true, cancellationToken).ConfigureAwait(false);
            }
            catch (TrainingServiceException error) when (attempt < SaveAttempts && error.Status == (int)HttpStatusCode.Conflict)
            {
                continue;
            }
        }
    }

    private void Check(IReadOnlyList<TrainingDatum> data)
    {
        for (var i = 0; i < data.Count; i++)
        {
            var length = data[i].PromptIds.Count + data[i].CompletionIds.Count;
            if (data[i].PromptIds.Count == 0 || data[i].CompletionIds.Count == 0)
                throw new HoneException($"Training datum {i} of predictor '{data[i].Predictor}' has an empty prompt or completion: there is nothing to predict from or to learn.");
            if (length > client.MaxSequenceLength)
                throw new HoneException($"Training datum {i} of predictor '{data[i].Predictor}' has {length} tokens; {client.MaxSequenceLengthOf} is {client.MaxSequenceLength}.");
        }
    }

    /// <summary>A pass that the service has taken: the numbers under which its results are kept, part by part.</summary>
    private sealed record Submitted(string Path, IReadOnlyList<(string Request, TinkerSequence[] Part)> Parts);
}
