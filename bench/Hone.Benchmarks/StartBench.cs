using System.Diagnostics;

namespace Hone.Benchmarks;

/// <summary>From starting a fresh process to its first prediction over an instant model.</summary>
internal static class StartBench
{
    public const string Argument = "--first-prediction";

    public static async Task<int> PredictOnceAsync()
    {
        var outputs = await Predict.Parse("question -> answer").WithModel(new InstantChatClient("[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]"))
            .CallAsync(FieldMap.Of(("question", "What is the capital of France?")));
        return Equals(outputs["answer"], "Paris") ? 0 : 1;
    }

    public static void Run(Figures figures, bool quick)
    {
        var best = double.MaxValue;
        for (var repetition = 0; repetition < (quick ? 5 : 10); repetition++)
        {
            var started = Stopwatch.GetTimestamp();
            using var process = Process.Start(Command())!;
            process.WaitForExit();
            if (process.ExitCode != 0)
                throw new InvalidOperationException("The first prediction of a fresh process failed.");
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        figures.Add("first_prediction_ms", best, "a fresh process, start and end included");
    }

    // Started as this process was: by its own executable, or as an assembly of the dotnet host.
    private static ProcessStartInfo Command()
    {
        var command = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            command.ArgumentList.Add(typeof(StartBench).Assembly.Location);
        command.ArgumentList.Add(Argument);
        return command;
    }
}
