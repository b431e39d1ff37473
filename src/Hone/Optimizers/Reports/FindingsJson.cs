using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Optimizers;

/// <summary>What one optimizer alone tells, as a section of <c>result.json</c> named after it. What is written can be read back.</summary>
internal static class FindingsJson
{
    /// <summary>The section's name in the file.</summary>
    public const string Section = "findings";

    private const string Gepa = "gepa";
    private const string Mipro = "mipro";
    private const string Simba = "simba";

    /// <summary>The section; null for results without one.</summary>
    public static JsonObject? Write<TIn, TOut>(OptimizationResult<TIn, TOut> result) => result switch
    {
        GepaResult<TIn, TOut> gepa => new() { [Gepa] = Written(gepa) },
        MiproV2Result<TIn, TOut> mipro => new() { [Mipro] = Written(mipro) },
        SimbaResult<TIn, TOut> simba => new() { [Simba] = new JsonArray([.. simba.Steps.Select(Written)]) },
        _ => null,
    };

    /// <summary>The result with the section of a file.</summary>
    public static OptimizationResult<TIn, TOut> Read<TIn, TOut>(JsonElement root, OptimizationResult<TIn, TOut> result)
    {
        if (!root.TryGetProperty(Section, out var section) || section.ValueKind == JsonValueKind.Null)
            return result;
        var found = section.EnumerateObject().First();
        return found.Name switch
        {
            Gepa => Read(found.Value, new GepaResult<TIn, TOut>(result)),
            Mipro => Read(found.Value, new MiproV2Result<TIn, TOut>(result)),
            Simba => new SimbaResult<TIn, TOut>(result) { Steps = [.. found.Value.EnumerateArray().Select(ReadStep)] },
            _ => result,
        };
    }

    private static JsonObject Written<TIn, TOut>(GepaResult<TIn, TOut> result) => new()
    {
        ["metricCalls"] = result.MetricCalls,
        ["iterations"] = result.Iterations,
        ["proposals"] = result.Proposals,
        ["discoveredAt"] = new JsonArray([.. result.DiscoveredAt.Select(count => (JsonNode)count)]),
        ["bestByExample"] = new JsonArray([.. result.BestByExample.Select(Numbers)]),
        ["highestScores"] = new JsonArray([.. result.HighestScores.Select(score => (JsonNode)score)]),
        ["bestByObjective"] = new JsonObject(result.BestByObjective.Select(entry => KeyValuePair.Create<string, JsonNode?>(entry.Key, Numbers(entry.Value)))),
        ["objectiveFront"] = new JsonObject(result.ObjectiveFront.Select(entry => KeyValuePair.Create<string, JsonNode?>(entry.Key, entry.Value))),
        ["bestOutputs"] = new JsonArray([.. result.BestOutputs.Select(outputs => new JsonArray([.. outputs.Select(Written)]))]),
    };

    private static GepaResult<TIn, TOut> Read<TIn, TOut>(JsonElement json, GepaResult<TIn, TOut> result) => result with
    {
        MetricCalls = json.GetProperty("metricCalls").GetInt64(),
        Iterations = json.GetProperty("iterations").GetInt32(),
        Proposals = json.GetProperty("proposals").GetInt32(),
        DiscoveredAt = [.. json.GetProperty("discoveredAt").EnumerateArray().Select(count => count.GetInt64())],
        BestByExample = [.. json.GetProperty("bestByExample").EnumerateArray().Select(ReadNumbers)],
        HighestScores = [.. json.GetProperty("highestScores").EnumerateArray().Select(score => score.GetDouble())],
        BestByObjective = json.GetProperty("bestByObjective").EnumerateObject()
            .ToImmutableSortedDictionary(entry => entry.Name, entry => ReadNumbers(entry.Value), StringComparer.Ordinal),
        ObjectiveFront = json.GetProperty("objectiveFront").EnumerateObject()
            .ToImmutableSortedDictionary(entry => entry.Name, entry => entry.Value.GetDouble(), StringComparer.Ordinal),
        BestOutputs = [.. json.GetProperty("bestOutputs").EnumerateArray().Select(outputs => outputs.EnumerateArray().Select(ReadOutput).ToImmutableArray())],
    };

    private static JsonNode Written(BestOutput output) => new JsonObject { ["candidate"] = output.Candidate, ["score"] = output.Score, ["output"] = output.Output };

    private static BestOutput ReadOutput(JsonElement json) =>
        new(json.GetProperty("candidate").GetInt32(), json.GetProperty("score").GetDouble(), json.GetProperty("output").GetString()!);

    private static JsonObject Written<TIn, TOut>(MiproV2Result<TIn, TOut> result) => new()
    {
        ["instructions"] = new JsonObject(result.Instructions.Select(texts =>
            KeyValuePair.Create<string, JsonNode?>(texts.Key, new JsonArray([.. texts.Value.Select(text => (JsonNode)text)])))),
        ["trials"] = new JsonArray([.. result.Trials.Select(Written)]),
    };

    private static MiproV2Result<TIn, TOut> Read<TIn, TOut>(JsonElement json, MiproV2Result<TIn, TOut> result) => result with
    {
        Instructions = json.GetProperty("instructions").EnumerateObject().ToImmutableSortedDictionary(
            texts => texts.Name, texts => texts.Value.EnumerateArray().Select(text => text.GetString()!).ToImmutableArray(), StringComparer.Ordinal),
        Trials = [.. json.GetProperty("trials").EnumerateArray().Select(ReadTrial)],
    };

    private static JsonNode Written(TrialScored trial) => new JsonObject
    {
        ["number"] = trial.Number,
        ["choices"] = new JsonObject(trial.Choices.Select(choice => KeyValuePair.Create<string, JsonNode?>(choice.Key, choice.Value))),
        ["score"] = trial.Score,
        ["examples"] = trial.Examples,
        ["full"] = trial.IsFull,
        ["examplesSoFar"] = trial.ExamplesSoFar,
    };

    private static TrialScored ReadTrial(JsonElement json) => new(
        json.GetProperty("number").GetInt32(),
        json.GetProperty("choices").EnumerateObject().ToImmutableSortedDictionary(choice => choice.Name, choice => choice.Value.GetInt32()),
        json.GetProperty("score").GetDouble(),
        json.GetProperty("examples").GetInt32(),
        json.GetProperty("full").GetBoolean())
    {
        ExamplesSoFar = json.GetProperty("examplesSoFar").GetInt64(),
    };

    private static JsonNode Written(SimbaStep step) => new JsonObject
    {
        ["step"] = step.Number,
        ["baseline"] = step.Baseline,
        ["contrasts"] = step.Contrasts,
        ["candidates"] = new JsonArray([.. step.Candidates.Select(score => (JsonNode)score)]),
        ["winner"] = step.Winner,
        ["better"] = step.IsBetter,
    };

    private static SimbaStep ReadStep(JsonElement json) => new(json.GetProperty("step").GetInt32(), json.GetProperty("baseline").GetDouble(), json.GetProperty("contrasts").GetInt32())
    {
        Candidates = [.. json.GetProperty("candidates").EnumerateArray().Select(score => score.GetDouble())],
        Winner = json.GetProperty("winner").GetString(),
        IsBetter = json.GetProperty("better").GetBoolean(),
    };

    private static JsonNode Numbers(ImmutableArray<int> numbers) => new JsonArray([.. numbers.Select(number => (JsonNode)number)]);

    private static ImmutableArray<int> ReadNumbers(JsonElement json) => [.. json.EnumerateArray().Select(number => number.GetInt32())];
}
