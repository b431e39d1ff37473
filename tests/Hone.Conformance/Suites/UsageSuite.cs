using System.Text.Json;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Conformance;

/// <summary>What calls were recorded to cost, and what Hone says of the same calls; null when the recorded program did not look.</summary>
internal sealed record UsageAttempt(JsonElement? Recorded, Trace Trace);

/// <summary>usage.json: what a prediction says its calls cost.</summary>
internal sealed class UsageSuite : IVectorSuite
{
    private static readonly DifferenceRule<UsageAttempt>[] Rules =
    [
        new(
            "usage-always", "every prediction knows what it cost; nothing has to be switched on",
            attempt => attempt.Recorded is null && attempt.Trace.UsageByModel.Values.Sum(usage => usage.TotalTokens) > 0),
    ];

    public string Name => "usage";

    public IEnumerable<CaseResult> Run(string vectors)
    {
        foreach (var recorded in VectorFile.Open(vectors, Name).Items("cases"))
        {
            var trace = Replay(recorded.Items("calls").ToList());
            JsonElement? expected = recorded.TryGetProperty("get_lm_usage", out var usage) ? usage : recorded.GetProperty("total");
            var attempt = new UsageAttempt(expected is { ValueKind: JsonValueKind.Null } ? null : expected, trace);
            yield return CaseResult.From(recorded.Id(), Mismatch(attempt), attempt, Rules);
        }
    }

    private static Trace Replay(List<JsonElement> calls)
    {
        using var scope = HoneScope.Use(new ScopeOptions());
        foreach (var call in calls)
        {
            var client = ScriptedChatClient.ByAsync((_, _, _) => Task.FromResult(Respond(call)));
            Predict.Parse("question -> answer").WithModel(new LM(client, call.Text("model"))).CallAsync(FieldMap.Of(("question", "q"))).GetAwaiter().GetResult();
        }

        return scope.Trace;
    }

    private static ChatResponse Respond(JsonElement call)
    {
        var usage = call.GetProperty("usage");
        var response = new ChatResponse(new ChatMessage(ChatRole.Assistant, "[[ ## answer ## ]]\n42"))
        {
            Usage = new()
            {
                InputTokenCount = Number(usage, "prompt_tokens"),
                OutputTokenCount = Number(usage, "completion_tokens"),
                CachedInputTokenCount = Detail(usage, "prompt_tokens_details", "cached_tokens"),
                ReasoningTokenCount = Detail(usage, "completion_tokens_details", "reasoning_tokens"),
            },
        };
        if (call.GetProperty("cache_hit").GetBoolean())
            response.AdditionalProperties = new() { [ResponseCache.HitKey] = true };
        return response;
    }

    private static string? Mismatch(UsageAttempt attempt)
    {
        // A model that reports nothing has been called all the same; the recorded answer leaves it out.
        var actual = attempt.Trace.UsageByModel.Where(entry => entry.Value.TotalTokens > 0).ToDictionary();
        if (attempt.Recorded is not { } recorded)
            return actual.Count > 0 ? "expected no usage" : null;
        var expected = recorded.EnumerateObject().ToDictionary(model => model.Name, model => model.Value);
        if (!expected.Keys.ToHashSet().SetEquals(actual.Keys))
            return $"expected the models {string.Join(", ", expected.Keys)}, got {string.Join(", ", actual.Keys)}";
        return expected.Select(model => actual[model.Key] is var usage
            && (usage.InputTokens, usage.OutputTokens, usage.TotalTokens, usage.CachedInputTokens, usage.ReasoningTokens) == (
                Number(model.Value, "prompt_tokens") ?? 0,
                Number(model.Value, "completion_tokens") ?? 0,
                Number(model.Value, "total_tokens") ?? 0,
                Detail(model.Value, "prompt_tokens_details", "cached_tokens") ?? 0,
                Detail(model.Value, "completion_tokens_details", "reasoning_tokens") ?? 0)
            ? null : $"{model.Key}: expected {model.Value}, got {usage}").FirstOrDefault(mismatch => mismatch is not null);
    }

    private static long? Number(JsonElement usage, string name) =>
        usage.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : null;

    private static long? Detail(JsonElement usage, string group, string name) =>
        usage.TryGetProperty(group, out var details) && details.ValueKind == JsonValueKind.Object ? Number(details, name) : null;
}
