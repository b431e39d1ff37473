using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Optimizers;

/// <summary>What stands beside a file of rows: which program it is for, whose runs it is made of, which of them counted.</summary>
/// <param name="Program">Key of the program whose prompts are learned.</param>
/// <param name="Teachers">Keys of the programs whose runs are learned from; empty for the program itself.</param>
/// <param name="MetricThreshold">Lowest score of a run that is learned from; null for every score that counts as success.</param>
/// <param name="Runs">Runs made.</param>
/// <param name="Accepted">Runs learned from.</param>
internal sealed record FineTuneManifest(string Program, IReadOnlyList<string> Teachers, double? MetricThreshold, int Runs, int Accepted)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Writes the rows of a job as <c>NAME.jsonl</c>, and <c>NAME.manifest.json</c> beside it.</summary>
    public async Task WriteAsync(string directory, FineTuneJob job, CancellationToken cancellationToken)
    {
        var file = $"{job.Name}.jsonl";
        await FineTuneData.WriteAsync(Path.Combine(directory, file), job.Rows, cancellationToken).ConfigureAwait(false);
        await AtomicFile.WriteTextAsync(Path.Combine(directory, $"{job.Name}.manifest.json"), Describe(file, job).ToJsonString(Indented) + "\n", cancellationToken).ConfigureAwait(false);
    }

    private JsonObject Describe(string file, FineTuneJob job)
    {
        var byPredictor = new JsonObject();
        foreach (var (predictor, count) in job.Rows.CountBy(row => row.Predictor).OrderBy(entry => entry.Key, StringComparer.Ordinal))
            byPredictor[predictor] = count;
        return new()
        {
            ["file"] = file,
            ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(FineTuneData.ToBytes(job.Rows))),
            ["format"] = "chat",
            ["rows"] = job.Rows.Count,
            ["rows_by_predictor"] = byPredictor,
            ["model"] = ProgramParts.Identity(job.Model),
            ["program"] = Program,
            ["teachers"] = new JsonArray([.. Teachers.Select(teacher => (JsonNode)teacher)]),
            ["metric_threshold"] = MetricThreshold,
            ["runs"] = Runs,
            ["runs_accepted"] = Accepted,
        };
    }
}
