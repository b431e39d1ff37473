using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Testing;

/// <summary>
/// A service on the loopback address that speaks the Tinker protocol and really learns: its model is a toy policy. Requests are checked like SkyRL's
/// server checks them, and faults can be switched on. The model's tokens are those of <see cref="ToyTokenizer"/>.
/// </summary>
public sealed class FakeTinkerServer : IAsyncDisposable
{
    /// <summary>The base model's name.</summary>
    public const string BaseModel = "toy/policy";

    private readonly ToyTokenizer tokenizer;
    private readonly ImmutableArray<ToyChoice> choices;
    private readonly double[][] start;
    private readonly string? apiKey;
    private readonly FaultyServer server;
    private readonly Dictionary<string, FakeTinkerModel> models = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (double[][] Logits, int Version)> checkpoints = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> samplers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LoopbackResult> futures = new(StringComparer.Ordinal);
    private readonly HashSet<string> sessions = new(StringComparer.Ordinal);
    private int created;

    private FakeTinkerServer(ToyPolicy policy, string? apiKey)
    {
        (choices, this.apiKey) = (policy.Choices, apiKey);
        tokenizer = new(policy.Choices);
        start = [.. policy.Choices.Select(choice => new double[choice.Completions.Length])];
        server = new(Handle);
    }

    /// <summary>Where it is.</summary>
    public Uri Address => server.Address;

    /// <summary>What was asked so far, in order of arrival.</summary>
    public IReadOnlyList<ServerRequest> Requests => server.Requests;

    /// <summary>While true, operations are taken and their results are never ready, as when an engine has died behind the service.</summary>
    public bool IsEngineDead { get; set; }

    /// <summary>What the server says of its health.</summary>
    /// <value><c>ok</c> by default.</value>
    public string Health { get; set; } = "ok";

    /// <summary>False leaves out what tells of health and models, as older servers do.</summary>
    /// <value>True by default.</value>
    public bool TellsOfItself { get; set; } = true;

    /// <summary>Tokens of the base model's context, told with its name, as hosted services do; null does not tell, as SkyRL.</summary>
    public int? MaxContextLength { get; set; }

    /// <summary>True loads checkpoints at any time, as older servers do. Otherwise a model takes one as its first request only.</summary>
    public bool LoadsAtAnyTime { get; set; }

    /// <summary>True holds one model at a time, as SkyRL does with all weights: a second one is not made while the first is there.</summary>
    public bool HoldsOneModel { get; set; }

    /// <summary>Starts a server whose base model prefers nothing.</summary>
    /// <param name="policy">What the model chooses between.</param>
    /// <param name="apiKey">The only key that is let in; null lets everyone in.</param>
    public static FakeTinkerServer Start(ToyPolicy policy, string? apiKey = null)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return new(policy, apiKey);
    }

    /// <summary>Makes something go wrong.</summary>
    public void Inject(ServerFault fault) => server.Inject(fault);

    /// <summary>The server forgets sessions, models and results, as after a restart.</summary>
    /// <param name="keepCheckpoints">Whether what was saved is still there.</param>
    public void Restart(bool keepCheckpoints = true) => server.Locked(() =>
    {
        models.Clear();
        samplers.Clear();
        futures.Clear();
        sessions.Clear();
        if (!keepCheckpoints)
            checkpoints.Clear();
        return true;
    });

    /// <summary>Probability of a completion under the weights of the model that was made last.</summary>
    public double Probability(int choice, int completion) =>
        server.Locked(() => Math.Exp(models[$"model_{created}"].Weights.LogProb(choice, completion)));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => server.DisposeAsync();

    private string Handle(string operation, LoopbackRequest request)
    {
        if (apiKey is not null && request.Headers.GetValueOrDefault("X-API-Key") != apiKey)
            throw FakeJson.Refuse(401, "Invalid API key");
        if (!request.Path.StartsWith("/api/v1/", StringComparison.Ordinal))
            throw FakeJson.Refuse(404, "Not Found");
        if (request.Method == "GET")
            return operation switch
            {
                "healthz" when TellsOfItself => new JsonObject { ["status"] = Health }.ToJsonString(),
                "get_server_capabilities" when TellsOfItself => Capabilities(),
                _ => throw FakeJson.Refuse(404, "Not Found"),
            };
        var body = FakeJson.Object(request.Body);
        FakeTinkerSchemas.Check(operation, body);
        return operation switch
        {
            "create_session" => CreateSession(),
            "session_heartbeat" => sessions.Contains(FakeJson.Text(body, "session_id")) ? """{"type":"session_heartbeat"}""" : throw FakeJson.Refuse(404, "Session not found"),
            "create_model" => CreateModel(body),
            "unload_model" => Unload(body),
            "retrieve_future" => Retrieve(body),
            "asample" => Future(null, body, () => Sample(body)),
            "forward" => OfModel(body, model => Future(model, body, () => model.Pass(body, "forward_input", learns: false))),
            "forward_backward" => OfModel(body, model => Future(model, body, () => model.Pass(body, "forward_backward_input", learns: true))),
            "optim_step" => OfModel(body, model => Future(model, body, () => FakeTinkerModel.Step(model, body))),
            "save_weights" => OfModel(body, model => Save(model, body, FakeJson.Text(body, "path"), "weights", null)),
            "save_weights_for_sampler" => OfModel(body, model => SaveForSampler(model, body)),
            "load_weights" => OfModel(body, model => Load(model, body)),
            _ => throw FakeJson.Refuse(404, "Not Found"),
        };
    }

    private string Capabilities()
    {
        var model = new JsonObject { ["model_name"] = BaseModel };
        if (MaxContextLength is { } length)
            model["max_context_length"] = length;
        return new JsonObject { ["supported_models"] = new JsonArray(model) }.ToJsonString();
    }

    private string CreateSession()
    {
        var id = $"session_{sessions.Count + 1}";
        sessions.Add(id);
        return new JsonObject { ["type"] = "create_session", ["session_id"] = id }.ToJsonString();
    }

    private string CreateModel(JsonElement body)
    {
        if (!sessions.Contains(FakeJson.Text(body, "session_id")))
            throw FakeJson.Refuse(404, "Session not found");
        if (FakeJson.Text(body, "base_model") != BaseModel)
            throw FakeJson.Refuse(400, $"Unknown base model {FakeJson.Text(body, "base_model")}");
        var rank = body.GetProperty("lora_config").GetProperty("rank").GetInt32();
        var isFull = HoldsOneModel && models.Count > 0;
        var id = $"model_{(isFull ? created + 1 : ++created)}";
        if (!isFull)
            models[id] = new(id, tokenizer, new(start));
        var request = isFull
            ? Store(null, "SkyRLTrainBackend already has a 'policy' model")
            : Store(new JsonObject { ["model_id"] = id, ["base_model"] = BaseModel }.ToJsonString());
        return new JsonObject { ["model_id"] = id, ["base_model"] = BaseModel, ["lora_config"] = new JsonObject { ["rank"] = rank }, ["status"] = "created", ["request_id"] = request }.ToJsonString();
    }

    private string Unload(JsonElement body) => OfModel(body, model =>
    {
        models.Remove(model.Id);
        return new JsonObject { ["request_id"] = Store(new JsonObject { ["model_id"] = model.Id, ["status"] = "unloaded" }.ToJsonString()), ["model_id"] = model.Id }.ToJsonString();
    });

    private string SaveForSampler(FakeTinkerModel model, JsonElement body)
    {
        if (body.TryGetProperty("path", out var path) && path.ValueKind == JsonValueKind.String)
            return Save(model, body, path.GetString()!, "sampler_weights", null);
        var name = $"ss{body.GetProperty("sampling_session_seq_id").GetInt64()}_seq{body.GetProperty("seq_id").GetInt64()}";
        return Save(model, body, name, "sampler_weights", $"sampling_{samplers.Count + 1}");
    }

    private string Save(FakeTinkerModel model, JsonElement body, string name, string kind, string? sampler)
    {
        var path = $"tinker://{model.Id}/{kind}/{name}";
        if (!checkpoints.TryAdd(path, (model.Weights.Logits, model.Weights.Version)))
            throw FakeJson.Refuse(409, $"Checkpoint '{name}' already exists for model '{model.Id}'");
        if (sampler is not null)
            samplers[sampler] = path;
        return Future(model: null, body, () => sampler is null
            ? new JsonObject { ["path"] = path, ["type"] = kind == "weights" ? "save_weights" : "save_weights_for_sampler" }
            : new JsonObject { ["path"] = null, ["type"] = "save_weights_for_sampler", ["sampling_session_id"] = sampler });
    }

    private string Load(FakeTinkerModel model, JsonElement body)
    {
        // What counts is that something was asked before, whatever became of it; a request that is sent again counts, too.
        if (model.Uses > 1 && !LoadsAtAnyTime)
            throw FakeJson.Refuse(400, $"LoadWeights is not permitted with seq_id {(body.TryGetProperty("seq_id", out var number) ? number.ToString() : model.Uses)}");
        var path = FakeJson.Text(body, "path");
        if (!path.StartsWith("tinker://", StringComparison.Ordinal) || !path.Contains("/weights/", StringComparison.Ordinal))
            throw FakeJson.Refuse(400, "request.path must be in format tinker://source_model_id/weights/checkpoint_id");
        if (!checkpoints.TryGetValue(path, out var saved))
            throw FakeJson.Refuse(404, $"Checkpoint not found: {path}");
        return Future(model: null, body, () =>
        {
            model.Weights = new(saved.Logits, null, saved.Version);
            return new() { ["type"] = "load_weights" };
        });
    }

    private JsonObject Sample(JsonElement body)
    {
        var logits = LogitsFor(body);
        var parameters = body.GetProperty("sampling_params");
        if (!parameters.TryGetProperty("max_tokens", out var limit) || limit.ValueKind == JsonValueKind.Null)
            throw FakeJson.Refuse(400, "max_tokens is currently required");
        if (limit.GetInt32() <= 0)
            throw FakeJson.Refuse(400, "max_tokens must be a positive number");
        int[] prompt = [.. FakeTinkerModel.Tokens(body.GetProperty("prompt"))];
        if (prompt is not [var row] || row < 0 || row >= choices.Length)
            throw FakeJson.Refuse(400, $"The toy model's prompts are one token below {choices.Length}.");
        var seed = parameters.TryGetProperty("seed", out var given) ? given.GetInt32() : 0;
        var (completion, logProb) = ToyPolicy.Sample(logits[row], parameters.TryGetProperty("temperature", out var temperature) ? temperature.GetDouble() : 1, seed);
        return new()
        {
            ["sequences"] = new JsonArray(new JsonObject
            {
                ["stop_reason"] = "stop",
                ["tokens"] = new JsonArray(tokenizer.IdOf(row, completion)),
                ["logprobs"] = new JsonArray((float)logProb),
            }),
        };
    }

    private double[][] LogitsFor(JsonElement body)
    {
        if (body.TryGetProperty("sampling_session_id", out var session) && session.ValueKind == JsonValueKind.String)
            return samplers.TryGetValue(session.GetString()!, out var at) ? checkpoints[at].Logits : throw FakeJson.Refuse(404, "Sampling session not found");
        if (!body.TryGetProperty("model_path", out var path) || path.ValueKind == JsonValueKind.Null)
            return start;
        return checkpoints.TryGetValue(path.GetString()!, out var saved) ? saved.Logits : throw FakeJson.Refuse(404, $"Checkpoint not found: {path.GetString()}");
    }

    private string Retrieve(JsonElement body)
    {
        if (!futures.TryGetValue(FakeJson.Text(body, "request_id"), out var result))
            throw FakeJson.Refuse(404, "Future not found");
        if (result.Error is not null)
            throw FakeJson.Refuse(400, result.Error);
        return result.Text ?? throw FakeJson.Refuse(408, "Timeout waiting for result");
    }

    private string OfModel(JsonElement body, Func<FakeTinkerModel, string> use)
    {
        if (!models.TryGetValue(FakeJson.Text(body, "model_id"), out var model))
            throw FakeJson.Refuse(404, "Model not found");
        model.Uses++;
        return use(model);
    }

    // A request whose number the model has seen is the same request sent again: it is not done twice.
    private string Future(FakeTinkerModel? model, JsonElement body, Func<JsonObject> run)
    {
        var number = model is not null && body.TryGetProperty("seq_id", out var sequence) && sequence.ValueKind == JsonValueKind.Number ? sequence.GetInt64() : (long?)null;
        if (number is { } known && model!.Requests.TryGetValue(known, out var earlier))
            return earlier.Asked == body.GetRawText() ? Pending(earlier.Request) : throw FakeJson.Refuse(409, "Training request sequence number was reused");
        var request = Store(IsEngineDead ? null : run().ToJsonString());
        if (number is { } fresh)
            model!.Requests[fresh] = (request, body.GetRawText());
        return Pending(request);
    }

    private string Store(string? result, string? error = null)
    {
        var id = (futures.Count + 1).ToString(System.Globalization.CultureInfo.InvariantCulture);
        futures[id] = new(result, error);
        return id;
    }

    private static string Pending(string request) => new JsonObject { ["future_id"] = request, ["status"] = "pending", ["request_id"] = request }.ToJsonString();

    private sealed record LoopbackResult(string? Text, string? Error);
}
