using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Testing;

/// <summary>
/// A server on the loopback address that speaks Arbor's protocol and really learns: its model is a toy policy. It is as strict as Arbor, has its
/// ways (numbers of arrival, weights that are handed to the sampler one group late), and faults can be switched on.
/// </summary>
public sealed class FakeArborServer : IAsyncDisposable
{
    /// <summary>The base model's name.</summary>
    public const string BaseModel = "toy/policy";

    private readonly ImmutableArray<ToyChoice> choices;
    private readonly FaultyServer server;
    private readonly Dictionary<string, FakeArborJob> jobs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double[][]> servable = new(StringComparer.Ordinal);
    private readonly FakeArborFiles files;
    private readonly Dictionary<string, string> launched = new(StringComparer.Ordinal);
    private int created;

    private FakeArborServer(ToyPolicy policy)
    {
        choices = policy.Choices;
        servable[BaseModel] = [.. choices.Select(choice => new double[choice.Completions.Length])];
        files = new(choices, servable);
        server = new(Handle);
    }

    /// <summary>Where it is.</summary>
    public Uri Address => new(server.Address, "v1/");

    /// <summary>What was asked so far, in order of arrival.</summary>
    public IReadOnlyList<ServerRequest> Requests => server.Requests;

    /// <summary>While true, groups are taken and nothing happens to them: the trainer has died, and the status does not show it.</summary>
    public bool IsTrainerDead { get; set; }

    /// <summary>True offers files and supervised jobs, as not every release of Arbor does.</summary>
    public bool OffersJobs { get; set; }

    /// <summary>Models whose inference server was launched and not stopped.</summary>
    public IReadOnlyList<string> Launched => server.Locked(() => launched.Keys.Order(StringComparer.Ordinal).ToArray());

    /// <summary>How many answers still show a number as wanted after its group has arrived.</summary>
    public int StaleAnswers { get; set; }

    /// <summary>Starts a server whose base model prefers nothing.</summary>
    public static FakeArborServer Start(ToyPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return new(policy);
    }

    /// <summary>Makes something go wrong.</summary>
    public void Inject(ServerFault fault) => server.Inject(fault);

    /// <summary>The server forgets all jobs, as after a restart; checkpoints stay on its disk.</summary>
    public void Restart() => server.Locked(() =>
    {
        jobs.Clear();
        return true;
    });

    /// <summary>Probability of a completion under the weights that the job made last is training.</summary>
    public double Probability(int choice, int completion) => server.Locked(() => Math.Exp(jobs.Values.Last().Weights.LogProb(choice, completion)));

    /// <summary>Groups that the job made last has learned from.</summary>
    public int GroupsTrained => server.Locked(() => jobs.Values.Last().Weights.Version);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => server.DisposeAsync();

    private string Handle(string operation, LoopbackRequest request)
    {
        if (request.Path == "/v1/files" || request.Path.StartsWith("/v1/fine_tuning/jobs", StringComparison.Ordinal))
            return OffersJobs ? files.Handle(request, operation) : throw FakeJson.Refuse(404, "Not Found");
        var body = FakeJson.Object(request.Body);
        FakeArborSchemas.Check(request.Path, body);
        return request.Path switch
        {
            "/v1/chat/completions" => Chat(body),
            "/v1/chat/launch" => Launch(body),
            "/v1/chat/kill" => Kill(body),
            "/v1/fine_tuning/grpo/initialize" => Initialize(body),
            "/v1/fine_tuning/grpo/status" => OfJob(body, job => job.Status(this)),
            "/v1/fine_tuning/grpo/step" => OfJob(body, job => job.Take(body, this)),
            "/v1/fine_tuning/grpo/checkpoint" => OfJob(body, job => Checkpoint(job, FakeJson.Text(body, "checkpoint_name"))),
            "/v1/fine_tuning/grpo/terminate" => OfJob(body, job =>
            {
                Checkpoint(job, "checkpoint_final");
                job.HasTrainer = false;
                return job.Status(this);
            }),
            "/v1/fine_tuning/grpo/cancel" => Cancel(body),
            _ => throw FakeJson.Refuse(404, "Not Found"),
        };
    }

    private string Initialize(JsonElement body)
    {
        var model = FakeJson.Text(body, "model");
        if (!servable.TryGetValue(model, out var logits))
            throw Error(404, "FileNotFoundError", $"{model} is not a model that the toy server has.");
        var name = body.TryGetProperty("run_name", out var given) && given.ValueKind == JsonValueKind.String ? given.GetString()! : $"toy-run-{++created}";
        var job = new FakeArborJob(
            string.Create(CultureInfo.InvariantCulture, $"grpo:{model[(model.LastIndexOf('/') + 1)..].ToLowerInvariant()}:{name}:20260102"), choices, new(logits),
            FakeArborTrainer.Read(body.GetProperty("trainer_config")));
        jobs[job.Id] = job;
        return job.Status(this);
    }

    private string Checkpoint(FakeArborJob job, string name)
    {
        if (!job.HasTrainer)
            throw Error(500, "RuntimeError", "Checkpoint request failed: the trainer does not answer");
        var directory = $"/storage/{job.Id}/checkpoints/{name}";
        servable[directory] = job.Weights.Logits;
        job.Checkpoints[name] = directory;
        return job.Status(this);
    }

    private string Cancel(JsonElement body)
    {
        var id = FakeJson.Text(body, "job_id");
        if (!jobs.TryGetValue(id, out var job) || job.IsCancelled)
            throw FakeJson.Refuse(404, $"GRPO job {id} not found");
        (job.IsCancelled, job.HasTrainer) = (true, false);
        return job.Status(this);
    }

    private string Chat(JsonElement body)
    {
        var model = FakeJson.Text(body, "model");
        var logits = jobs.TryGetValue(model, out var job) && !job.IsCancelled ? job.Served : servable.GetValueOrDefault(model);
        if (logits is null)
            return "null"; // whatever goes wrong behind the chat route ends so
        var prompt = string.Join('\n', body.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("content").GetString()));
        var row = ToyPolicy.ChoiceOf(choices, prompt);
        var temperature = body.TryGetProperty("temperature", out var value) ? value.GetDouble() : 1;
        var (completion, logProb) = ToyPolicy.Sample(logits[row], temperature, body.TryGetProperty("seed", out var seed) ? seed.GetInt64() : 0);
        var text = choices[row].Completions[completion];
        return new JsonObject
        {
            ["id"] = "chatcmpl-1",
            ["object"] = "chat.completion",
            ["model"] = model,
            ["choices"] = new JsonArray(new JsonObject
            {
                ["index"] = 0,
                ["finish_reason"] = "stop",
                ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = text },
                ["logprobs"] = body.TryGetProperty("logprobs", out var wanted) && wanted.ValueKind == JsonValueKind.True
                    ? new JsonObject { ["content"] = new JsonArray(new JsonObject { ["token"] = text, ["logprob"] = logProb }) }
                    : null,
            }),
            ["usage"] = new JsonObject { ["prompt_tokens"] = 1, ["completion_tokens"] = 1, ["total_tokens"] = 2 },
        }.ToJsonString();
    }

    private string Launch(JsonElement body)
    {
        var model = FakeJson.Text(body, "model");
        if (!servable.ContainsKey(model))
            throw Error(500, "RuntimeError", $"{model} is not a model that the toy server has.");
        if (!launched.TryGetValue(model, out var id))
            launched[model] = id = string.Create(CultureInfo.InvariantCulture, $"infer:{model[(model.LastIndexOf('/') + 1)..].ToLowerInvariant()}:{launched.Count + 1}");
        return new JsonObject { ["message"] = "Inference server launched", ["job_id"] = id, ["model"] = model }.ToJsonString();
    }

    private string Kill(JsonElement body)
    {
        var id = FakeJson.Text(body, "job_id");
        if (id == "*")
        {
            launched.Clear();
            return new JsonObject { ["message"] = "All inference servers terminated" }.ToJsonString();
        }

        var model = launched.FirstOrDefault(entry => entry.Value == id).Key ?? throw Error(400, "KeyError", $"'{id}'");
        launched.Remove(model);
        return new JsonObject { ["message"] = "Inference server terminated", ["job_id"] = id, ["aliases"] = new JsonArray(model) }.ToJsonString();
    }

    private string OfJob(JsonElement body, Func<FakeArborJob, string> use)
    {
        var id = FakeJson.Text(body, "job_id");
        return jobs.TryGetValue(id, out var job) ? use(job) : throw Error(400, "KeyError", $"'{id}'");
    }

    internal static RefusalException Error(int status, string type, string message) => new(status, new JsonObject
    {
        ["type"] = type,
        ["message"] = message,
        ["timestamp"] = "2026-01-02T03:04:05",
    }.ToJsonString());
}
