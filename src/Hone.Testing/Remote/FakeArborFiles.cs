using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Testing;

/// <summary>Files and supervised jobs of the fake Arbor server, which not every release of the real one offers. A job learns what its rows say.</summary>
/// <param name="choices">What the toy models choose between.</param>
/// <param name="servable">Models by name; tuned ones are added.</param>
internal sealed class FakeArborFiles(ImmutableArray<ToyChoice> choices, Dictionary<string, double[][]> servable)
{
    private const int Epochs = 5;
    private const double LearningRate = 4;

    private readonly Dictionary<string, string[]> files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Model, string[] Lines, string Status)> jobs = new(StringComparer.Ordinal);

    public string Handle(LoopbackRequest request, string operation) => (request.Method, request.Path) switch
    {
        ("POST", "/v1/files") => Upload(request.Body),
        ("GET", "/v1/fine_tuning/jobs") => """{"object":"list","data":[],"has_more":false}""",
        ("POST", "/v1/fine_tuning/jobs") => Create(FakeJson.Object(request.Body)),
        ("GET", _) => Look(operation),
        _ => throw FakeJson.Refuse(404, "Not Found"),
    };

    private string Upload(string body)
    {
        if (!body.Contains(".jsonl", StringComparison.Ordinal))
            throw FakeJson.Refuse(400, "Only .jsonl files are supported");
        string[] lines = [.. body.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith('{'))];
        if (!Array.TrueForAll(lines, line => FakeJson.Object(line).TryGetProperty("messages", out _)))
            throw FakeJson.Refuse(400, "Invalid file format: each line should have messages");
        var id = $"file-{files.Count + 1}";
        files.Add(id, lines);
        return new JsonObject { ["id"] = id, ["object"] = "file", ["purpose"] = "training", ["format"] = "sft" }.ToJsonString();
    }

    private string Create(JsonElement body)
    {
        FakeArborSchemas.Check("/v1/fine_tuning/jobs", body);
        var model = FakeJson.Text(body, "model");
        if (!servable.ContainsKey(model) || !files.TryGetValue(FakeJson.Text(body, "training_file"), out var lines))
            throw FakeArborServer.Error(404, "FileNotFoundError", "no such model or file");
        var id = string.Create(CultureInfo.InvariantCulture, $"ftjob:toy-{jobs.Count + 1}:20260102");
        jobs[id] = (model, lines, "pending");
        return Written(id);
    }

    private string Look(string id)
    {
        if (!jobs.TryGetValue(Uri.UnescapeDataString(id), out var job))
            throw FakeJson.Refuse(404, "Not Found");
        id = Uri.UnescapeDataString(id);
        if (job.Status == "running")
            Learn(id, job.Model, job.Lines);
        jobs[id] = job with { Status = job.Status == "pending" ? "running" : "succeeded" };
        return Written(id);
    }

    private string Written(string id) => new JsonObject
    {
        ["object"] = "fine_tuning.job",
        ["id"] = id,
        ["fine_tuned_model"] = jobs[id].Status == "succeeded" ? $"{id}_model" : null,
        ["status"] = jobs[id].Status,
        ["model"] = jobs[id].Model,
    }.ToJsonString();

    private void Learn(string id, string model, string[] lines)
    {
        var weights = new ToyModel(servable[model]);
        for (var epoch = 0; epoch < Epochs; epoch++)
        {
            foreach (var line in lines)
            {
                var messages = FakeJson.Object(line).GetProperty("messages").EnumerateArray().Select(message => FakeJson.Text(message, "content")).ToArray();
                var row = ToyPolicy.ChoiceOf(choices, string.Join('\n', messages[..^1]));
                var answer = choices[row].Completions.FirstOrDefault(completion => completion.TrimEnd() == messages[^1].TrimEnd());
                if (answer is not null)
                    weights.AddSlope(row, choices[row].Completions.IndexOf(answer), -1.0 / lines.Length);
            }

            weights.Step(LearningRate);
        }

        servable[$"{id}_model"] = weights.Logits;
    }
}
