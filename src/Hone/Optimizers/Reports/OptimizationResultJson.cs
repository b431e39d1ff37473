using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Optimizers;

/// <summary>The <c>result.json</c> of a run directory: scores, lineage and cost; the states lie beside it. What is written can be read back.</summary>
internal static class OptimizationResultJson
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write<TIn, TOut>(string optimizer, OptimizationResult<TIn, TOut> result) => new JsonObject
    {
        ["optimizer"] = optimizer,
        ["stopReason"] = $"{result.StopReason}",
        ["error"] = result.Error,
        ["verdict"] = result.Verdict,
        ["baseline"] = result.BaselineScore,
        ["best"] = result.BestScore,
        ["gain"] = Compared(result.Comparison),
        ["test"] = Compared(result.Test),
        ["bestIndex"] = result.BestIndex,
        ["seconds"] = result.Duration.TotalSeconds,
        ["programRuns"] = result.ProgramRuns,
        ["usage"] = UsageJson.Write(result.UsageByRole),
        ["warnings"] = new JsonArray([.. result.Warnings.Select(warning => (JsonNode)warning)]),
        ["candidates"] = new JsonArray([.. result.Candidates.Select(Written)]),
        [FindingsJson.Section] = FindingsJson.Write(result),
    }.ToJsonString(Indented) + "\n";

    private static JsonObject? Compared(PairedComparison? pair) => pair is null ? null : new()
    {
        ["before"] = pair.Baseline,
        ["after"] = pair.Candidate,
        ["gain"] = pair.Gain,
        ["interval"] = new JsonArray(pair.Interval.Low, pair.Interval.High),
        ["significant"] = pair.IsSignificant,
    };

    private static JsonNode Written(OptimizationCandidate candidate)
    {
        var json = new JsonObject
        {
            ["index"] = candidate.Index,
            ["file"] = FormattableString.Invariant($"candidates/{candidate.Index:0000}.json"),
            ["origin"] = candidate.Origin,
            ["parents"] = new JsonArray([.. candidate.Parents.Select(parent => (JsonNode)parent)]),
            ["score"] = candidate.Score,
            ["scores"] = new JsonArray([.. candidate.Scores.Select(score => (JsonNode)score)]),
            ["programRunsBy"] = candidate.ProgramRunsBy,
        };
        if (candidate.Usage != default)
            json["usage"] = UsageJson.Write(candidate.Usage);
        if (!candidate.Parts.IsEmpty)
            json["parts"] = new JsonObject(candidate.Parts.Select(part => KeyValuePair.Create<string, JsonNode?>(part.Key, part.Value)));
        if (!candidate.Notes.IsEmpty)
            json["notes"] = new JsonObject(candidate.Notes.Select(note => KeyValuePair.Create<string, JsonNode?>(note.Key, note.Value)));
        return json;
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="json">The text.</param>
    /// <param name="state">The state of a candidate, by the name of its file.</param>
    /// <param name="best">The returned program.</param>
    public static OptimizationResult<TIn, TOut> Read<TIn, TOut>(string json, Func<string, ProgramState> state, Program<TIn, TOut> best)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        return FindingsJson.Read(root, new OptimizationResult<TIn, TOut>
        {
            Program = best,
            StopReason = Enum.Parse<StopReason>(root.GetProperty("stopReason").GetString()!),
            Error = root.GetProperty("error").GetString(),
            BaselineScore = Number(root.GetProperty("baseline")),
            BestScore = Number(root.GetProperty("best")),
            Comparison = Pair(root.GetProperty("gain")),
            Test = Pair(root.GetProperty("test")),
            BestIndex = root.GetProperty("bestIndex").GetInt32(),
            Duration = TimeSpan.FromTicks((long)Math.Round(root.GetProperty("seconds").GetDouble() * TimeSpan.TicksPerSecond)),
            ProgramRuns = root.GetProperty("programRuns").GetInt64(),
            UsageByRole = UsageJson.Read(root.GetProperty("usage")),
            Warnings = [.. root.GetProperty("warnings").EnumerateArray().Select(warning => warning.GetString()!)],
            Candidates = [.. root.GetProperty("candidates").EnumerateArray().Select(entry => Candidate(entry, state))],
        });
    }

    private static OptimizationCandidate Candidate(JsonElement entry, Func<string, ProgramState> state) =>
        new(entry.GetProperty("index").GetInt32(), state(entry.GetProperty("file").GetString()!), entry.GetProperty("origin").GetString()!)
        {
            Parents = [.. entry.GetProperty("parents").EnumerateArray().Select(parent => parent.GetInt32())],
            Score = Number(entry.GetProperty("score")),
            Scores = [.. entry.GetProperty("scores").EnumerateArray().Select(score => score.GetDouble())],
            Parts = Members(entry, "parts").ToImmutableSortedDictionary(part => part.Name, part => part.Value.GetDouble(), StringComparer.Ordinal),
            Notes = Members(entry, "notes").ToImmutableSortedDictionary(note => note.Name, note => note.Value.GetString()!, StringComparer.Ordinal),
            ProgramRunsBy = entry.GetProperty("programRunsBy").GetInt64(),
            Usage = entry.TryGetProperty("usage", out var usage) ? UsageJson.ReadOne(usage) : default,
        };

    private static IEnumerable<JsonProperty> Members(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var members) ? members.EnumerateObject() : Enumerable.Empty<JsonProperty>();

    private static double? Number(JsonElement value) => value.ValueKind == JsonValueKind.Null ? null : value.GetDouble();

    private static PairedComparison? Pair(JsonElement value) => value.ValueKind == JsonValueKind.Null
        ? null
        : new(value.GetProperty("before").GetDouble(), value.GetProperty("after").GetDouble(), new(value.GetProperty("interval")[0].GetDouble(), value.GetProperty("interval")[1].GetDouble()));
}
