using System.Globalization;
using System.Text.Json;

namespace Hone.Conformance;

/// <summary>How repeated tries came out: an answer, or why there is none.</summary>
internal sealed record TriesAttempt(bool IsNullRecorded, string? Answer, string? Error);

/// <summary>programs.json, tries: the reward is the answer as a number.</summary>
internal static class TriesReplay
{
    private static readonly DifferenceRule<TriesAttempt>[] Rules =
    [
        new(
            "tries-all-fail",
            "a series of attempts of which none gave a result is an error that holds the causes",
            attempt => attempt is { IsNullRecorded: true, Error: { } error } && error.Contains("attempts failed", StringComparison.Ordinal)),
    ];

    public static CaseResult Run(JsonElement recorded)
    {
        var lines = ProgramScript.Lines(recorded, "script");
        var client = ProgramScript.Client(lines);
        var count = recorded.GetProperty("N").GetInt32();
        double? threshold = recorded.TryGetProperty("threshold", out var least) && least.ValueKind == JsonValueKind.Number ? least.GetDouble() : null;
        var options = new AttemptOptions
        {
            MaxFailures = recorded.TryGetProperty("fail_count", out var most) && most.ValueKind == JsonValueKind.Number ? most.GetInt32() : null,
        };
        var task = Predict.Parse("question -> answer");
        Module<FieldMap, FieldMap> module = recorded.Text("kind") == "Refine"
            ? new Refine<FieldMap, FieldMap>(task, count, Worth, threshold, options: options)
            : new BestOfN<FieldMap, FieldMap>(task, count, Worth, threshold, options);
        var isNull = recorded.IsOk() && (!recorded.TryGetProperty("result", out var expected) || expected.ValueKind == JsonValueKind.Null);
        try
        {
            var program = module.WithModel(ProgramScript.Model(client)).WithRecovery(ProgramScript.Recovery);
            var answer = (string)program.CallAsync(FieldMap.Of(("question", "q"))).GetAwaiter().GetResult()["answer"]!;
            var mismatch = !recorded.IsOk() || isNull ? $"answered {answer}"
                : answer != recorded.GetProperty("result").Text("answer") ? $"answered {answer}"
                : client.Requests.Count != recorded.Items("lm_calls").Count() ? $"{client.Requests.Count} requests"
                : null;
            return CaseResult.From(recorded.Id(), mismatch, new(isNull, answer, null), Rules);
        }
        catch (HoneException error)
        {
            return CaseResult.From(recorded.Id(), recorded.IsOk() ? $"threw {error.Message}" : null, new(isNull, null, error.Message), Rules);
        }
    }

    private static Score Worth(FieldMap input, FieldMap output) => double.Parse((string)output["answer"]!, CultureInfo.InvariantCulture);
}
