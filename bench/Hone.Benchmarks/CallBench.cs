using System.Diagnostics;
using Microsoft.Extensions.AI;

namespace Hone.Benchmarks;

/// <summary>What one call costs beside its model: rendering, parsing, trace, cache. One thread, an instant model in process.</summary>
internal static class CallBench
{
    public static async Task RunAsync(Figures figures, bool quick)
    {
        var calls = quick ? 20_000 : 200_000;
        var one = Predict.Parse("question -> answer");
        var ten = Predict.Parse("a, b, c, d, e -> f, g, h, i, j");
        var question = FieldMap.Of(("question", "What is the capital of France?"));
        var five = FieldMap.Of(("a", "one"), ("b", "two"), ("c", "three"), ("d", "four"), ("e", "five"));
        const string Answer = "[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]";
        var answers = string.Concat("fghij".Select(name => $"[[ ## {name} ## ]]\nvalue {name}\n\n")) + "[[ ## completed ## ]]";

        var program = one.WithModel(new InstantChatClient(Answer));
        await MeasureAsync(figures, "predict_1_us", calls, () => program.RunAsync(question), "predict_1_bytes");
        var wide = ten.WithModel(new InstantChatClient(answers));
        await MeasureAsync(figures, "predict_10_us", calls / 2, () => wide.RunAsync(five));
        Measure(figures, "chat_parse_us", calls, () => ChatAdapter.Default.Parse(one.Signature, Answer));
        Measure(figures, "signature_parse_us", calls / 4, () => Signature.Parse("question -> answer"));
        Measure(figures, "signature_parse_10_us", calls / 4, () => Signature.Parse("a, b: int, c: list[str], d, e: float -> f, g: bool, h: dict[str, int], i: Literal['x', 'y'], j"));

        using var memory = new ResponseCache();
        var cached = one.WithModel(new LM(new InstantChatClient(Answer)) { Cache = memory });
        await cached.RunAsync(question);
        await MeasureAsync(figures, "predict_memory_hit_us", calls / 2, () => cached.RunAsync(question));
        var file = Path.Combine(Path.GetTempPath(), $"hone-bench-{Environment.ProcessId}.db");
        using (var disk = new ResponseCache(new SqliteResponseStore(file), new() { MemoryBytes = 0 }))
        {
            var stored = one.WithModel(new LM(new InstantChatClient(Answer)) { Cache = disk });
            await stored.RunAsync(question);
            await MeasureAsync(figures, "predict_disk_hit_us", calls / 20, () => stored.RunAsync(question));
        }

        foreach (var left in Directory.EnumerateFiles(Path.GetTempPath(), Path.GetFileName(file) + "*"))
            File.Delete(left);
    }

    // Microseconds a call: the fastest of several runs over many calls. Bytes as the thread allocates them.
    internal static async Task MeasureAsync(Figures figures, string name, int calls, Func<Task> call, string? bytes = null)
    {
        for (var i = 0; i < Math.Min(calls, 30_000); i++)
            await call();
        var best = double.MaxValue;
        var allocated = 0L;
        for (var repetition = 0; repetition < 7; repetition++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var started = Stopwatch.GetTimestamp();
            for (var i = 0; i < calls; i++)
                await call();
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalMicroseconds / calls);
            allocated = (GC.GetAllocatedBytesForCurrentThread() - before) / calls;
        }

        figures.Add(name, best, "microseconds a call");
        if (bytes is not null)
            figures.Add(bytes, allocated, "bytes a call");
    }

    private static void Measure(Figures figures, string name, int calls, Action call) => MeasureAsync(figures, name, calls, () =>
    {
        call();
        return Task.CompletedTask;
    }).GetAwaiter().GetResult();
}
