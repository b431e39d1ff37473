using System.Diagnostics;
using Hone.Optimizers;

namespace Hone.Benchmarks;

/// <summary>
/// What an optimizer takes beside its models: random search of demos with an instant model, settings and set sizes of the reference's measurement (100 to
/// learn from, 200 to choose by, 8 candidates, 4 harvested and 8 demos in all, ChainOfThought), in memory and with a run directory.
/// </summary>
internal static class OptimizerBench
{
    // Processor time a model call of the reference's random search on this kind of machine, one thread, in microseconds.
    private const double Reference = 3_210;

    // In turns: neither has the start of the process to itself.
    public static async Task RunAsync(Figures figures)
    {
        var (inMemory, journaled) = (double.MaxValue, double.MaxValue);
        for (var repetition = 0; repetition < 12; repetition++)
        {
            inMemory = Math.Min(inMemory, await MeasureAsync(isKept: false));
            journaled = Math.Min(journaled, await MeasureAsync(isKept: true));
        }

        figures.Add("optimizer_call_us", inMemory, $"processor time a model call; the reference takes {Reference / inMemory:0} times as much");
        figures.Add("optimizer_journaled_call_us", journaled, $"processor time a model call, journal and candidates written; the reference takes {Reference / journaled:0} times as much");
    }

    private static async Task<double> MeasureAsync(bool isKept)
    {
        var client = new CountingChatClient("[[ ## reasoning ## ]]\nIt is known.\n\n[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]");
        var program = new ChainOfThought<Asked, Told>("Answer the question.").WithModel(new LM(client));
        var directory = isKept ? Directory.CreateTempSubdirectory("hone-bench-").FullName : null;
        var optimizer = new BootstrapRandomSearch<Asked, Told>(
            Metric.From<Asked, Told>((example, output) => example.Expected.Answer == output.Answer),
            new() { Candidates = 8, MaxBootstrappedDemos = 4, MaxLabeledDemos = 8, PerfectScore = null, MaxParallelism = 1, RunDirectory = directory is null ? null : Path.Combine(directory, "run") });
        var before = Environment.CpuUsage.TotalTime;
        await optimizer.CompileAsync(program, Examples(100, "train"), Examples(200, "validation"));
        var spent = (Environment.CpuUsage.TotalTime - before).TotalMicroseconds;
        if (directory is not null)
            Directory.Delete(directory, recursive: true);
        return spent / client.Calls;
    }

    // Not all right, so that no candidate is perfect.
    private static Example<Asked, Told>[] Examples(int count, string set) =>
        [.. Enumerable.Range(0, count).Select(i => new Example<Asked, Told>(new($"What is the capital of country {i} of the {set} set?"), new(i % 3 == 0 ? "Rome" : "Paris")))];

    private sealed record Asked(string Question);

    private sealed record Told(string Answer);

    private sealed class CountingChatClient(string answer) : Microsoft.Extensions.AI.DelegatingChatClient(new InstantChatClient(answer))
    {
        private long calls;

        public long Calls => Interlocked.Read(ref calls);

        public override Task<Microsoft.Extensions.AI.ChatResponse> GetResponseAsync(
            IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages, Microsoft.Extensions.AI.ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref calls);
            return base.GetResponseAsync(messages, options, cancellationToken);
        }
    }
}
