using System.Collections.Immutable;
using System.Text.Json;
using Hone.Testing;

namespace Hone.Conformance;

/// <summary>How a predictor answered.</summary>
internal sealed record PredictAttempt(string Name, ImmutableArray<FieldMap> Outputs, int Requests, string? Error, ImmutableArray<FieldMap> Expected);

/// <summary>programs.json, predict: options, several samples, recovery, wrong calls. The name of a case says what is called.</summary>
internal static class PredictReplay
{
    private static readonly FieldMap Question = FieldMap.Of(("question", "q"));

    private static readonly DifferenceRule<PredictAttempt>[] Rules =
    [
        new(
            "samples-are-calls",
            "several samples are as many requests, each with a seed of its own",
            attempt => attempt.Name == "n=3" && attempt.Requests == 3 && attempt.Outputs.SequenceEqual(attempt.Expected)),
        new(
            "samples-recover-alone",
            "of several samples only the unreadable one is asked for again",
            attempt => attempt.Name.StartsWith("n=3, one of them malformed", StringComparison.Ordinal) && attempt.Requests == 4 && attempt.Outputs.SequenceEqual(attempt.Expected)),
        new(
            "missing-input-is-an-error",
            "a call without one of its inputs is refused before anything is sent",
            attempt => attempt is { Name: "missing input", Requests: 0, Error: { } error } && error.Contains("got no value for input", StringComparison.Ordinal)),
    ];

    public static CaseResult Run(JsonElement recorded)
    {
        var name = recorded.Text("name")!;
        if (Call(name, recorded) is not { } call)
            return CaseResult.NotYet(recorded.Id());
        var lines = Interleaved(recorded, name);
        var client = name.StartsWith("n=3", StringComparison.Ordinal) ? ProgramScript.BySample(lines, 3) : ProgramScript.Client(lines);
        using var scope = HoneScope.Use(new ScopeOptions { Model = ProgramScript.Model(client), Recovery = ProgramScript.Recovery });
        try
        {
            ImmutableArray<FieldMap> outputs = [.. call().GetAwaiter().GetResult()];
            var attempt = new PredictAttempt(name, outputs, client.Requests.Count, null, Expected(recorded, name, lines));
            return CaseResult.From(recorded.Id(), Compare(recorded, outputs, client), attempt, Rules);
        }
        catch (HoneException error)
        {
            var attempt = new PredictAttempt(name, [], client.Requests.Count, error.Message, []);
            var mismatch = recorded.IsOk() ? $"threw {error.Message}"
                : client.Requests.Count != recorded.Items("lm_calls").Count() ? $"{client.Requests.Count} requests" : null;
            return CaseResult.From(recorded.Id(), mismatch, attempt, Rules);
        }
    }

    private static Func<Task<IEnumerable<FieldMap>>>? Call(string name, JsonElement recorded)
    {
        var task = Signature.Parse("question -> answer");
        var seen = recorded.Items("lm_calls").Select(call => Options(call.GetProperty("kwargs"))).FirstOrDefault() ?? new();
        return name switch
        {
            "config at call" => async () => [await new Predict(task).CallAsync(Question, seen)],
            "config at construction, call wins" => () => ConfiguredAsync(task, seen),
            ['n', '=', '3', ..] => async () => (await new Predict(task).SampleAsync(Question, 3)).Select(sample => sample.Value!),
            "malformed then JSON" or "context error is not retried" => async () => [await new Predict(task).CallAsync(Question)],
            "missing input" => async () => [await new Predict(task).CallAsync(FieldMap.Empty)],
            "positional argument" => async () => [await new Predict(task).CallAsync(FieldMap.Of(("0", "q")))],
            "signature at call" => async () => [await Predict.Parse("question -> answer, b").CallAsync(Question)],
            "multi chain comparison" => async () =>
            [
                await new MultiChainComparison(task).CallAsync(
                    Question, [.. Enumerable.Range(0, 3).Select(i => FieldMap.Of(("reasoning", $"r{i}"), ("answer", $"{i}")))]),
            ],
            _ => null,
        };
    }

    private static async Task<IEnumerable<FieldMap>> ConfiguredAsync(Signature task, CallOptions seen)
    {
        using var configured = HoneScope.Use(new ScopeOptions { Options = new() { Temperature = 0.9f, TopP = seen.TopP } });
        return [await new Predict(task).CallAsync(Question, new CallOptions { Temperature = seen.Temperature })];
    }

    private static string? Compare(JsonElement recorded, ImmutableArray<FieldMap> outputs, ScriptedChatClient client)
    {
        if (!recorded.IsOk())
            return $"answered {string.Join("; ", outputs)}";
        foreach (var entry in recorded.GetProperty("result").GetProperty("completions").EnumerateObject())
        {
            var values = ClrValues.List(outputs.Select(output => output.GetValueOrDefault(entry.Name)));
            if (VectorValues.Mismatch(entry.Value, values, FieldType.Any) is { } wrong)
                return $"{entry.Name}: {wrong}";
        }

        JsonElement[] calls = [.. recorded.Items("lm_calls")];
        if (client.Requests.Count != calls.Length)
            return $"{client.Requests.Count} requests";
        var options = Options(calls[0].GetProperty("kwargs"));
        var sent = client.Requests[0].Options!;
        return (sent.Temperature, sent.TopP, sent.MaxOutputTokens) == (options.Temperature, options.TopP, options.MaxOutputTokens)
            ? null : $"options {sent.Temperature}, {sent.TopP}, {sent.MaxOutputTokens}";
    }

    // Hone asks for each sample, and again for the unreadable one alone: it gets what the reference got in its place.
    private static string[] Interleaved(JsonElement recorded, string name)
    {
        var lines = ProgramScript.Lines(recorded, "script");
        return name.StartsWith("n=3, one", StringComparison.Ordinal) ? [.. lines[..3], lines[3 + Unreadable(lines)]] : lines;
    }

    private static ImmutableArray<FieldMap> Expected(JsonElement recorded, string name, string[] lines)
    {
        if (name.StartsWith("n=3, one", StringComparison.Ordinal))
        {
            var task = Signature.Parse("question -> answer");
            return [.. Enumerable.Range(0, 3).Select(i => i == Unreadable(lines) ? JsonAdapter.Default.Parse(task, lines[3]) : ChatAdapter.Default.Parse(task, lines[i]))];
        }

        return recorded.IsOk()
            ? [.. recorded.GetProperty("result").GetProperty("completions").GetProperty("answer").EnumerateArray().Select(answer => FieldMap.Of(("answer", answer.GetString())))]
            : [];
    }

    private static int Unreadable(string[] lines) => Array.FindIndex(lines, line => !line.Contains("[[ ##", StringComparison.Ordinal));

    private static CallOptions Options(JsonElement arguments) => new()
    {
        Temperature = arguments.TryGetProperty("temperature", out var temperature) ? temperature.GetSingle() : null,
        TopP = arguments.TryGetProperty("top_p", out var topP) ? topP.GetSingle() : null,
        MaxOutputTokens = arguments.TryGetProperty("max_tokens", out var most) ? most.GetInt32() : null,
    };
}
