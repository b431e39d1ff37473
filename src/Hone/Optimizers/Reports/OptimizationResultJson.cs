using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Optimizers;

/// <summary>The <c>result.json</c> of a run directory: scores, lineage and cost; the states lie beside it.</summary>
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
        if (!candidate.Parts.IsEmpty)
            json["parts"] = new JsonObject(candidate.Parts.Select(part => KeyValuePair.Create<string, JsonNode?>(part.Key, part.Value)));
        if (!candidate.Notes.IsEmpty)
            json["notes"] = new JsonObject(candidate.Notes.Select(note => KeyValuePair.Create<string, JsonNode?>(note.Key, note.Value)));
        return json;
    }
}
