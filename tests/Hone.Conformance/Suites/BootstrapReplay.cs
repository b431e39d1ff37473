using System.Collections.Immutable;
using System.Text.Json;
using Hone.Optimizers;
using Hone.Testing;

namespace Hone.Conformance;

/// <summary>What harvesting gave: demos by predictor, and the calls it took.</summary>
internal sealed record BootstrapAttempt(string Name, int Calls, int RecordedCalls, string? Error);

/// <summary>
/// programs.json, bootstrap: which runs become demos, and how labelled examples fill up. Which of those are drawn is random, so only their number is compared, and
/// that none stands beside a harvested one.
/// </summary>
internal static class BootstrapReplay
{
    private static readonly DifferenceRule<BootstrapAttempt>[] Rules =
    [
        new(
            "bootstrap-waves",
            "as many runs as demos are still wanted start together, so a limit of errors is noticed when they have ended",
            attempt => attempt is { Name: "metric throws every time", Error: not null } && attempt.Calls == attempt.RecordedCalls + 1),
    ];

    public static CaseResult Run(JsonElement recorded)
    {
        var name = recorded.Text("name")!;
        if (MetricOf(name) is not { } metric)
            return CaseResult.NotYet(recorded.Id());
        var options = recorded.GetProperty("options");
        var client = ScriptedChatClient.By((request, _) => ScriptedChatClient.ChatText(Answer(request)));
        var program = ProgramOf(recorded).WithModel(ProgramScript.Model(client));
        var optimizer = new BootstrapFewShot<FieldMap, FieldMap>(metric, new()
        {
            MaxBootstrappedDemos = options.GetProperty("max_bootstrapped_demos").GetInt32(),
            MaxLabeledDemos = options.GetProperty("max_labeled_demos").GetInt32(),
            MaxRounds = options.TryGetProperty("max_rounds", out var rounds) ? rounds.GetInt32() : 1,
            MetricThreshold = options.TryGetProperty("metric_threshold", out var threshold) ? threshold.GetDouble() : null,
            MaxErrors = options.TryGetProperty("max_errors", out var errors) ? errors.GetInt32() : 10,
            MaxParallelism = 1,
        });
        Example<FieldMap, FieldMap>[] train =
        [
            .. recorded.Items("trainset").Select(row => new Example<FieldMap, FieldMap>(
                FieldMap.Of(("question", row.Text("question"))), FieldMap.Of(("answer", row.Text("answer"))))),
        ];
        try
        {
            var result = optimizer.CompileAsync(program, train).GetAwaiter().GetResult();
            return CaseResult.From(recorded.Id(), Compare(recorded, result.Program.State, client.Requests.Count), Attempt(null), Rules);
        }
        catch (Exception error) when (error is HoneException or AggregateException)
        {
            var mismatch = recorded.IsOk() ? $"threw {error.Message}" : Calls(recorded, client.Requests.Count);
            return CaseResult.From(recorded.Id(), mismatch, Attempt(error.Message), Rules);
        }

        BootstrapAttempt Attempt(string? error) => new(name, client.Requests.Count, recorded.GetProperty("lm_calls").GetInt32(), error);
    }

    private static Metric<FieldMap, FieldMap>? MetricOf(string name) => name switch
    {
        "never succeeds" => Metric.From<FieldMap, FieldMap>((_, _) => false),
        "metric throws every time" => (_, _, _) => throw new InvalidOperationException("x"),
        "threshold" => Metric.From<FieldMap, FieldMap>((example, _) => NumberIn((string)example.Input["question"]!) % 2 == 0 ? 0.6 : 0.4),
        ['o' or 't', ..] when name.Contains("predictor", StringComparison.Ordinal) =>
            Metric.From<FieldMap, FieldMap>((example, output) => Equals(example.Expected["answer"], output["answer"])),
        _ => null,
    };

    private static Module<FieldMap, FieldMap> ProgramOf(JsonElement recorded) =>
        recorded.Text("name")!.StartsWith("two", StringComparison.Ordinal) ? new HintThenAnswer() : Predict.Parse("question -> answer");

    // The rule of the file: twice the question's number, wrong when that is divisible by three; the hint says what to do.
    private static FieldMap Answer(ScriptedRequest request)
    {
        var number = NumberIn(request.Input("question"));
        return request.Options is HoneChatOptions { Path: "a" }
            ? FieldMap.Of(("hint", $"double {number}"))
            : FieldMap.Of(("answer", number % 3 == 0 ? "wrong" : $"{2 * number}"));
    }

    private static int NumberIn(string question) => int.Parse(question.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture);

    private static string? Compare(JsonElement recorded, ProgramState state, int calls)
    {
        if (!recorded.IsOk())
            return "expected an error";
        foreach (var predictor in recorded.GetProperty("demos").EnumerateObject())
        {
            JsonElement[] expected = [.. predictor.Value.EnumerateArray()];
            var demos = state[predictor.Name].Demos;
            var harvested = expected.Where(IsAugmented).Select(demo => FieldMap.Create(demo.EnumerateObject()
                .Where(field => field.Name != "augmented").Select(field => KeyValuePair.Create(field.Name, (object?)field.Value.GetString()))));
            if (!harvested.SequenceEqual(demos.Where(demo => demo.IsAugmented).Select(demo => demo.Fields)))
                return $"{predictor.Name}: harvested {Text(demos.Where(demo => demo.IsAugmented))}";
            if (Labelled(demos) is var labelled && labelled.Distinct().Count() != expected.Count(demo => !IsAugmented(demo)))
                return $"{predictor.Name}: labelled {string.Join(", ", labelled)}";
            if (labelled.Intersect(demos.Where(demo => demo.IsAugmented).Select(demo => demo.Fields["question"])).Any())
                return $"{predictor.Name}: a labelled demo repeats a harvested one: {string.Join(", ", labelled)}";
        }

        return Calls(recorded, calls);
    }

    private static string? Calls(JsonElement recorded, int calls) => calls == recorded.GetProperty("lm_calls").GetInt32() ? null : $"{calls} calls, expected {recorded.GetProperty("lm_calls")}";

    private static bool IsAugmented(JsonElement demo) => demo.TryGetProperty("augmented", out var augmented) && augmented.GetBoolean();

    private static object?[] Labelled(ImmutableArray<Demo> demos) => [.. demos.Where(demo => !demo.IsAugmented).Select(demo => demo.Fields["question"])];

    private static string Text(IEnumerable<Demo> demos) => string.Join("; ", demos.Select(demo => demo.Fields));

    private sealed class HintThenAnswer : Module<FieldMap, FieldMap>
    {
        private readonly Predict a = Predict.Parse("question -> hint");
        private readonly Predict b = Predict.Parse("question, hint -> answer");

        protected override async Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken)
        {
            var hinted = await a.CallAsync(input, cancellationToken);
            return await b.CallAsync(input.With("hint", hinted["hint"]), cancellationToken);
        }
    }
}
