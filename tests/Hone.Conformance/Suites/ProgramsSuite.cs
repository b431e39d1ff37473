using System.Text.Json;
using Hone.Testing;

namespace Hone.Conformance;

/// <summary>One evaluation.</summary>
internal sealed record EvaluateAttempt(int Count, string? Error);

/// <summary>programs.json: evaluations, agents, tools, predictors, repeated tries, harvested demos.</summary>
internal sealed class ProgramsSuite : IVectorSuite
{
    private static readonly DifferenceRule<EvaluateAttempt>[] Rules =
    [
        new(
            "evaluate-empty-set",
            "an empty set is refused with an error that says so",
            attempt => attempt is { Count: 0, Error: { } error } && error.Contains("empty", StringComparison.Ordinal)),
    ];

    public string Name => "programs";

    public IEnumerable<CaseResult> Run(string vectors)
    {
        var file = VectorFile.Open(vectors, Name);
        return file.Items("evaluate").Select(Evaluate)
            .Concat(file.Items("react").Select(ReactReplay.Run))
            .Concat(file.Items("tools").Select(ProgramTools.Run))
            .Concat(file.Items("predict").Select(PredictReplay.Run))
            .Concat(file.Items("tries").Select(TriesReplay.Run))
            .Concat(file.Items("bootstrap").Select(BootstrapReplay.Run));
    }

    private static CaseResult Evaluate(JsonElement recorded)
    {
        JsonElement[] values = [.. recorded.Items("metric_values")];
        var options = recorded.GetProperty("options");
        var metric = Metric.From<string, string>((example, _) => ScoreOf(values[int.Parse(example.Input, System.Globalization.CultureInfo.InvariantCulture)]));
        var evaluator = Evaluator.Create(metric, new()
        {
            MaxParallelism = recorded.GetProperty("threads").GetInt32(),
            FailureScore = options.TryGetProperty("failure_score", out var failure) ? failure.GetDouble() : 0,

            // The reference stops when the count reaches its limit, Hone when it exceeds it.
            MaxErrors = options.TryGetProperty("max_errors", out var errors) ? errors.GetInt32() - 1 : 9,
        });
        var program = new Echo().WithModel(ScriptedChatClient.InSequence());
        Example<string, string>[] examples = [.. values.Select((_, index) => new Example<string, string>($"{index}", ""))];
        try
        {
            var result = evaluator.EvaluateAsync(program, examples).GetAwaiter().GetResult();
            return CaseResult.From(recorded.Id(), Compare(recorded, result), new EvaluateAttempt(values.Length, null), Rules);
        }
        catch (Exception error) when (error is HoneException or AggregateException)
        {
            var attempt = new EvaluateAttempt(values.Length, error.Message);
            return CaseResult.From(recorded.Id(), recorded.IsOk() || values.Length == 0 ? $"threw {error.Message}" : null, attempt, Rules);
        }
    }

    private static string? Compare(JsonElement recorded, EvaluationResult<string, string> result)
    {
        if (!recorded.IsOk())
            return $"expected an error, got {result}";
        var expected = recorded.GetProperty("result");
        var percent = Math.Round(100 * result.Mean, 2, MidpointRounding.ToEven);
        if (Math.Abs(percent - Number(expected.GetProperty("score"))) > 1e-9)
            return $"score {percent}, expected {expected.GetProperty("score")}";
        var scores = expected.Items("per_example").Select(Number).ToArray();
        return scores.SequenceEqual(result.Scores) ? null : $"scores {string.Join(", ", result.Scores)}";
    }

    private static double Number(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => 1,
        JsonValueKind.False => 0,
        JsonValueKind.Object when value.TryGetProperty("$prediction", out var prediction) => Number(prediction.GetProperty("score")),
        _ => Convert.ToDouble(VectorValues.Read(value, FieldType.Number), System.Globalization.CultureInfo.InvariantCulture),
    };

    private static Score ScoreOf(JsonElement value) => value switch
    {
        { ValueKind: JsonValueKind.String } when value.GetString() == "throw" => throw new InvalidOperationException("scripted failure"),
        { ValueKind: JsonValueKind.String } when value.GetString()!.StartsWith("pred:", StringComparison.Ordinal) =>
            new Score(double.Parse(value.GetString()![5..], System.Globalization.CultureInfo.InvariantCulture)) { Feedback = "f" },
        _ => Number(value),
    };

    private sealed class Echo : Module<string, string>
    {
        protected override Task<string> ForwardAsync(string input, CancellationToken cancellationToken) => Task.FromResult(input);
    }
}
