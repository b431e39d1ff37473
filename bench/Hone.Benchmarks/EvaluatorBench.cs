using System.Diagnostics;

namespace Hone.Benchmarks;

/// <summary>What an evaluation costs beside the program: 10,000 examples, a program that answers at once, beside the same runs in a loop.</summary>
internal static class EvaluatorBench
{
    private const int Count = 10_000;

    public static async Task RunAsync(Figures figures, bool quick)
    {
        var program = new Echo().WithModel(new InstantChatClient(""));
        var examples = Enumerable.Range(0, Count).Select(i => new Example<string, string>($"{i}", $"{i}")).ToArray();
        var evaluator = Evaluator.Create(Metric.From<string, string>((example, output) => example.Expected == output), new() { MaxParallelism = 1 });
        var (evaluate, loop) = (double.MaxValue, double.MaxValue);
        for (var repetition = 0; repetition < (quick ? 5 : 20); repetition++)
        {
            loop = Math.Min(loop, await MeasureAsync(async () =>
            {
                foreach (var example in examples)
                    await program.RunAsync(example.Input);
            }));
            evaluate = Math.Min(evaluate, await MeasureAsync(() => evaluator.EvaluateAsync(program, examples)));
        }

        figures.Add("evaluator_overhead_us", evaluate - loop, $"a bare loop takes {loop:0.00} µs an example, one at a time");
    }

    private static async Task<double> MeasureAsync(Func<Task> work)
    {
        GC.Collect();
        var started = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(started).TotalMicroseconds / Count;
    }

    private sealed class Echo : Module<string, string>
    {
        protected override Task<string> ForwardAsync(string input, CancellationToken cancellationToken) => Task.FromResult(input);
    }
}
