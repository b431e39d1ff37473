using System.Diagnostics;
using Hone.Engine;
using Hone.Reinforcement;
using Microsoft.Extensions.AI;

namespace Hone.Benchmarks;

/// <summary>
/// One step of reinforcement learning of an adapter on a directory in bfloat16, by default random weights in the shape of Qwen 2.5 0.5B: seconds, and the
/// most memory that the process held.
/// </summary>
internal static class CheckpointBench
{
    private const int Prompts = 4, Completions = 4, NewTokens = 64;

    public static async Task RunAsync(Figures figures, string? directory)
    {
        var temporary = directory is null ? Directory.CreateTempSubdirectory("hone-checkpoint").FullName : null;
        try
        {
            if (temporary is not null) MappedWeights.Save(temporary, Shapes.Huge with { MaxPositions = 32_768 });
            await StepAsync(figures, directory ?? temporary!);
        }
        finally
        {
            if (temporary is not null) Directory.Delete(temporary, recursive: true);
        }
    }

    private static async Task StepAsync(Figures figures, string directory)
    {
        Peak.Reset();
        var clock = Stopwatch.StartNew();
        double Lap()
        {
            var seconds = clock.Elapsed.TotalSeconds;
            clock.Restart();
            return seconds;
        }

        using var model = EngineModel.Load(directory);
        figures.Add("checkpoint_open_s", Lap());
        await using var session = new EngineTrainingSession(model, new(), new() { Lora = new() { Rank = 16, Alpha = 32 }, KeepReference = true });
        figures.Add("checkpoint_session_s", Lap());
        figures.Add("checkpoint_session_peak_gib", Peak.Gibibytes());
        var data = await SampleAsync(session.Policy);
        var tokens = data.Sum(datum => datum.CompletionIds.Count);
        figures.Add("checkpoint_rollouts_s", Lap(), $"{tokens} tokens after prompts of {data[0].PromptIds.Count}");
        figures.Add("checkpoint_rollouts_peak_gib", Peak.Gibibytes());
        var pass = await session.ForwardBackwardAsync(data, new() { Beta = 0.01 });
        figures.Add("checkpoint_forward_backward_s", Lap(), $"{data.Length} completions, with a reference for KL");
        figures.Add("checkpoint_sampler_difference", pass.SamplerDifferenceMax, "largest difference of a log-probability, sampler and trainer");
        await session.OptimizerStepAsync(new() { LearningRate = 1e-4 });
        figures.Add("checkpoint_optimizer_s", Lap());
        var adapter = Path.Combine(Path.GetTempPath(), "hone-adapter-" + Environment.ProcessId);
        using (var snapshot = (await session.SnapshotAsync("tuned")).GetService<EngineModel>()!) snapshot.SaveAdapter(adapter);
        figures.Add("checkpoint_adapter_mb", new DirectoryInfo(adapter).EnumerateFiles().Sum(file => file.Length) / 1e6);
        Directory.Delete(adapter, recursive: true);
        figures.Add("checkpoint_peak_gib", Peak.Gibibytes(), "VmHWM of the process");
    }

    private static async Task<TrainingDatum[]> SampleAsync(IChatClient policy)
    {
        var text = string.Join(' ', Enumerable.Range(0, 60).Select(i => $"fact {i} is known"));
        var responses = await Task.WhenAll(Enumerable.Range(0, Prompts * Completions).Select(i => policy.GetResponseAsync(
            [new(ChatRole.System, "Answer from what is given."), new(ChatRole.User, $"question {i / Completions}: {text}")],
            new() { Temperature = 1, MaxOutputTokens = NewTokens, Seed = i })));
        return [.. responses.Select((response, i) =>
        {
            var sampled = (SampledTokens)response.AdditionalProperties![SampledTokens.Key]!;
            return new TrainingDatum
            {
                PromptIds = sampled.PromptIds,
                CompletionIds = sampled.CompletionIds,
                SamplerLogProbs = sampled.LogProbs,
                Advantage = (i % Completions) - 1.5,
                Predictor = "answer",
            };
        })];
    }
}

/// <summary>The most resident memory of this process so far, where the system counts it (Linux); elsewhere what it holds now.</summary>
internal static class Peak
{
    private const string Status = "/proc/self/status", Clear = "/proc/self/clear_refs";

    public static void Reset()
    {
        if (File.Exists(Clear)) File.WriteAllText(Clear, "5");
    }

    public static double Gibibytes()
    {
        if (!File.Exists(Status)) return Process.GetCurrentProcess().PeakWorkingSet64 / (double)(1 << 30);
        var line = File.ReadLines(Status).First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[1]) / (double)(1 << 20);
    }
}
