using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Hone.Testing;

/// <summary>A run as a fake MLflow server keeps it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name.</param>
public sealed record MlflowRun(string Id, string Name)
{
    private readonly Dictionary<string, List<(long Step, double Value)>> metrics = new(StringComparer.Ordinal);

    /// <summary>Values by metric and in order of arrival, each with its step.</summary>
    public IReadOnlyDictionary<string, List<(long Step, double Value)>> Metrics => metrics;

    /// <summary>Parameters; one cannot be changed.</summary>
    public Dictionary<string, string> Parameters { get; } = new(StringComparer.Ordinal);

    /// <summary>Tags.</summary>
    public Dictionary<string, string> Tags { get; } = new(StringComparer.Ordinal);

    /// <summary>Contents of the run's files by path.</summary>
    public Dictionary<string, string> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>RUNNING, FINISHED, FAILED or KILLED.</summary>
    public string Status { get; internal set; } = "RUNNING";

    internal void Add(string metric, long step, double value)
    {
        if (!metrics.TryGetValue(metric, out var values))
            metrics.Add(metric, values = []);
        values.Add((step, value));
    }
}

/// <summary>An MLflow tracking server on the loopback address that keeps runs in memory and refuses what the real one refuses.</summary>
public sealed partial class FakeMlflowServer : IAsyncDisposable
{
    private const string FilesPath = "/api/2.0/mlflow-artifacts/artifacts/0/";
    private const string Missing = """{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"There is no such thing."}""";

    private readonly FaultyServer server;
    private readonly Dictionary<string, string> experiments = new(StringComparer.Ordinal);
    private readonly Dictionary<string, MlflowRun> runs = new(StringComparer.Ordinal);

    /// <summary>Starts the server.</summary>
    public FakeMlflowServer() => server = new(Handle);

    /// <summary>Where the runs' files lie; without a value the server keeps them itself.</summary>
    public string? FileStore { get; init; }

    /// <summary>Where it listens.</summary>
    public Uri Address => server.Address;

    /// <summary>The runs, in order of their start.</summary>
    public IReadOnlyList<MlflowRun> Runs => server.Locked(() => runs.Values.ToArray());

    /// <summary>Names of the experiments.</summary>
    public IReadOnlyList<string> Experiments => server.Locked(() => experiments.Keys.ToArray());

    /// <summary>Requests so far.</summary>
    public IReadOnlyList<ServerRequest> Requests => server.Requests;

    /// <summary>Makes something go wrong.</summary>
    public void Inject(ServerFault fault) => server.Inject(fault);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => server.DisposeAsync();

    private string Handle(string operation, LoopbackRequest request)
    {
        if (request.Method == "PUT" && request.Path.StartsWith(FilesPath, StringComparison.Ordinal))
            return Keep(Uri.UnescapeDataString(request.Path[FilesPath.Length..]), request.Body);
        if (!request.Path.StartsWith("/api/2.0/mlflow/", StringComparison.Ordinal))
            throw new RefusalException(404, Missing);
        if (request.Method == "GET" && operation.StartsWith("get-by-name?experiment_name=", StringComparison.Ordinal))
            return Experiment(Uri.UnescapeDataString(operation[(operation.IndexOf('=', StringComparison.Ordinal) + 1)..]));
        if (request.Method == "GET" && operation.StartsWith("get?run_id=", StringComparison.Ordinal))
            return Shown(runs.GetValueOrDefault(Uri.UnescapeDataString(operation[(operation.IndexOf('=', StringComparison.Ordinal) + 1)..])) ?? throw new RefusalException(404, Missing));
        var body = FakeJson.Object(request.Body);
        return (request.Path[16..], request.Method) switch
        {
            ("experiments/create", "POST") => CreateExperiment(FakeJson.Text(body, "name")),
            ("runs/create", "POST") => CreateRun(body),
            ("runs/log-batch", "POST") => Log(RunOf(body), body),
            ("runs/set-tag", "POST") => Tag(RunOf(body), FakeJson.Text(body, "key"), FakeJson.Text(body, "value")),
            ("runs/update", "POST") => Update(RunOf(body), FakeJson.Text(body, "status")),
            _ => throw new RefusalException(404, Missing),
        };
    }

    private string Experiment(string name) => experiments.TryGetValue(name, out var id)
        ? new JsonObject { ["experiment"] = new JsonObject { ["experiment_id"] = id, ["name"] = name } }.ToJsonString()
        : throw new RefusalException(404, Missing);

    private string CreateExperiment(string name)
    {
        if (!experiments.TryAdd(name, $"{experiments.Count + 1}"))
            throw new RefusalException(400, """{"error_code":"RESOURCE_ALREADY_EXISTS","message":"The experiment exists."}""");
        return new JsonObject { ["experiment_id"] = experiments[name] }.ToJsonString();
    }

    private string CreateRun(JsonElement body)
    {
        if (!experiments.ContainsValue(FakeJson.Text(body, "experiment_id")))
            throw new RefusalException(404, Missing);
        var run = new MlflowRun($"run{runs.Count + 1}", FakeJson.Text(body, "run_name"));
        runs.Add(run.Id, run);
        return new JsonObject { ["run"] = new JsonObject { ["info"] = new JsonObject { ["run_id"] = run.Id, ["status"] = run.Status } } }.ToJsonString();
    }

    private string Shown(MlflowRun run) => new JsonObject
    {
        ["run"] = new JsonObject
        {
            ["info"] = new JsonObject { ["run_id"] = run.Id, ["status"] = run.Status, ["artifact_uri"] = FileStore ?? $"mlflow-artifacts:/0/{run.Id}/artifacts" },
            ["data"] = new JsonObject { ["tags"] = new JsonArray([.. run.Tags.Select(tag => (JsonNode)new JsonObject { ["key"] = tag.Key, ["value"] = tag.Value })]) },
        },
    }.ToJsonString();

    // RUN/artifacts/PATH
    private string Keep(string path, string body)
    {
        var parts = path.Split("/artifacts/", 2);
        if (parts.Length < 2 || !runs.TryGetValue(parts[0], out var run))
            throw new RefusalException(404, Missing);
        run.Files[parts[1]] = body;
        return "{}";
    }

    private static string Tag(MlflowRun run, string key, string value)
    {
        run.Tags[Named(key)] = value;
        return "{}";
    }

    private MlflowRun RunOf(JsonElement body) =>
        runs.TryGetValue(FakeJson.Text(body, "run_id"), out var run) ? run : throw new RefusalException(404, Missing);

    private static string Log(MlflowRun run, JsonElement body)
    {
        foreach (var (key, value) in Pairs(body, "params", 6000))
        {
            if (run.Parameters.TryGetValue(key, out var was) && was != value)
                throw new RefusalException(400, """{"error_code":"INVALID_PARAMETER_VALUE","message":"Changing param values is not allowed."}""");
            run.Parameters[key] = value;
        }

        foreach (var (key, value) in Pairs(body, "tags", 5000))
            run.Tags[key] = value;
        foreach (var metric in body.GetProperty("metrics").EnumerateArray())
        {
            FakeJson.Required(metric, "key", "value", "timestamp", "step");
            run.Add(Named(metric.GetProperty("key").GetString()!), metric.GetProperty("step").GetInt64(), metric.GetProperty("value").GetDouble());
        }

        return "{}";
    }

    private static string Update(MlflowRun run, string status)
    {
        run.Status = status is "FINISHED" or "FAILED" or "KILLED" or "RUNNING" ? status : throw FakeJson.Unprocessable("enum", "status", "No such status");
        return "{}";
    }

    private static IEnumerable<(string Key, string Value)> Pairs(JsonElement body, string name, int limit)
    {
        foreach (var pair in body.GetProperty(name).EnumerateArray())
        {
            var value = FakeJson.Text(pair, "value");
            if (value.Length > limit)
                throw new RefusalException(400, """{"error_code":"INVALID_PARAMETER_VALUE","message":"The value is too long."}""");
            yield return (Named(FakeJson.Text(pair, "key")), value);
        }
    }

    private static string Named(string name) => Name().IsMatch(name)
        ? name
        : throw new RefusalException(400, """{"error_code":"INVALID_PARAMETER_VALUE","message":"Names may only contain alphanumerics, underscores, dashes, periods, spaces and slashes."}""");

    [GeneratedRegex(@"^[\w\-. /]+$")]
    private static partial Regex Name();
}
