using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Testing;

/// <summary>A fine-tuning job as a fake server keeps it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Model">The model to start from.</param>
/// <param name="Lines">The rows that were uploaded for it, each a JSON object.</param>
/// <param name="Body">The request that created it.</param>
public sealed record FineTuningJob(string Id, string Model, IReadOnlyList<string> Lines, string Body)
{
    /// <summary>validating_files, running, succeeded or failed; each look at the job brings it on.</summary>
    public string Status { get; internal set; } = "validating_files";
}

/// <summary>A server on the loopback address that speaks the fine-tuning part of OpenAI's interface: files, jobs, their states.</summary>
public sealed class FakeFineTuningServer : IAsyncDisposable
{
    private const string Missing = """{"error":{"message":"There is no such thing.","type":"invalid_request_error"}}""";

    private readonly FaultyServer server;
    private readonly Dictionary<string, string[]> files = new(StringComparer.Ordinal);
    private readonly List<FineTuningJob> jobs = [];

    /// <summary>Starts the server.</summary>
    public FakeFineTuningServer() => server = new(Handle);

    /// <summary>Where it listens, the interface's version included.</summary>
    public Uri Address => new(server.Address, "v1/");

    /// <summary>The jobs, in order of creation.</summary>
    public IReadOnlyList<FineTuningJob> Jobs => server.Locked(() => jobs.ToArray());

    /// <summary>Requests so far.</summary>
    public IReadOnlyList<ServerRequest> Requests => server.Requests;

    /// <summary>What jobs fail with; null lets them succeed.</summary>
    public string? Failure { get; set; }

    /// <summary>Makes something go wrong.</summary>
    public void Inject(ServerFault fault) => server.Inject(fault);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => server.DisposeAsync();

    private string Handle(string operation, LoopbackRequest request) => (request.Method, request.Path) switch
    {
        ("POST", "/v1/files") => Upload(request.Body),
        ("POST", "/v1/fine_tuning/jobs") => Create(request.Body),
        ("GET", var path) when path.StartsWith("/v1/fine_tuning/jobs/", StringComparison.Ordinal) => Look(operation),
        _ => throw new RefusalException(404, Missing),
    };

    private string Upload(string body)
    {
        if (!body.Contains("fine-tune", StringComparison.Ordinal))
            throw Refused("The purpose must be fine-tune.");
        string[] lines = [.. body.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith("{\"messages\"", StringComparison.Ordinal))];
        var id = $"file-{files.Count + 1}";
        files.Add(id, lines);
        return new JsonObject { ["id"] = id, ["object"] = "file" }.ToJsonString();
    }

    private string Create(string body)
    {
        var asked = FakeJson.Object(body);
        if (!files.TryGetValue(FakeJson.Text(asked, "training_file"), out var lines))
            throw new RefusalException(404, Missing);
        foreach (var line in lines)
        {
            using var row = JsonDocument.Parse(line);
            if (row.RootElement.GetProperty("messages").EnumerateArray().Last().GetProperty("role").GetString() != "assistant")
                throw Refused("The last message of a row must be the assistant's.");
        }

        var job = new FineTuningJob($"ftjob-{jobs.Count + 1}", FakeJson.Text(asked, "model"), lines, body);
        jobs.Add(job);
        return Written(job);
    }

    private string Look(string id)
    {
        var job = jobs.FirstOrDefault(known => known.Id == id) ?? throw new RefusalException(404, Missing);
        job.Status = job.Status switch
        {
            "validating_files" => "running",
            "running" => Failure is null ? "succeeded" : "failed",
            var ended => ended,
        };
        return Written(job);
    }

    private string Written(FineTuningJob job) => new JsonObject
    {
        ["id"] = job.Id,
        ["object"] = "fine_tuning.job",
        ["status"] = job.Status,
        ["fine_tuned_model"] = job.Status == "succeeded" ? $"ft:{job.Model}:{job.Id}" : null,
        ["error"] = job.Status == "failed" ? new JsonObject { ["message"] = Failure } : null,
    }.ToJsonString();

    private static RefusalException Refused(string message) => new(400, new JsonObject { ["error"] = new JsonObject { ["message"] = message } }.ToJsonString());
}
