using Spectre.Console;

namespace MultiHopResearch;

/// <summary>Evaluates the same program against an OpenAI-compatible server.</summary>
internal static class ServerJob
{
    public static async Task RunAsync(Settings settings, CancellationToken cancellationToken)
    {
        if (settings.ServerModel is not { } name)
            throw new HoneException("--model needs --name: the model's name on the server.");
        using var data = await ResearchData.OpenAsync(settings, cancellationToken);
        var model = SampleCommon.ServerModel.Open(settings.Server!, name);
        var test = data.HeldOut[0];
        AnsiConsole.MarkupLineInterpolated($"evaluating {name} at {settings.Server} on {test.Claims.Count} {test.Name}");
        var evaluator = Evaluator.Create(ResearchData.Recall, new() { MaxErrors = 10, Options = new() { Temperature = 0, MaxOutputTokens = 512 }, Seed = null });
        var result = await evaluator.EvaluateAsync(test.Program.WithModel(model), test.Claims, cancellationToken);
        AnsiConsole.MarkupLineInterpolated($"recall {result.Mean:P1} ({result.Interval.Low:P1} … {result.Interval.High:P1}), {result.FailureCount} failed runs, {result.Usage.TotalTokens:N0} tokens");
        await AtomicFile.WriteTextAsync(
            Path.Combine(settings.Output, "result.json"),
            System.Text.Json.JsonSerializer.Serialize(new { model = name, recall = result.Mean, interval = new[] { result.Interval.Low, result.Interval.High }, failures = result.FailureCount }),
            cancellationToken);
    }
}
