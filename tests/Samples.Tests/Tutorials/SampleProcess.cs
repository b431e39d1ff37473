using System.Diagnostics;

namespace Samples.Tests.Tutorials;

/// <summary>A sample run as a user runs it: its own process, its own command line.</summary>
internal static class SampleProcess
{
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(string sample, string[] arguments, string input = "", CancellationToken cancellationToken = default)
    {
        var start = new ProcessStartInfo("dotnet", [MultiHopServerTests.SamplePath(sample), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
            Environment = { ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1", ["OPENAI_API_KEY"] = "" },
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
        process.StandardInput.Close();
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, (await output).ReplaceLineEndings("\n"), await errors);
    }
}
