using System.Diagnostics;
using System.Text.Json;

namespace Samples.Tests;

/// <summary>The main job's command line against a real HTTP server on loopback that speaks the OpenAI chat protocol.</summary>
public sealed class MultiHopServerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Model_OpenAiCompatibleServer_IsEvaluatedOnTheHeldOutClaims()
    {
        await using var server = await OpenAIServer.StartAsync(Answer, Token);
        var folder = Directory.CreateTempSubdirectory("hone-server").FullName;
        try
        {
            var (exitCode, text) = await RunSampleAsync("--model", server.Address, "--name", "toy", "--output", folder);
            Assert.True(exitCode == 0, text);
            using var result = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "result.json"), Token));

            // The server always asks for the same thing, so only what the claim itself finds is there.
            Assert.InRange(result.RootElement.GetProperty("recall").GetDouble(), 0.30, 0.40);
            Assert.Equal(0, result.RootElement.GetProperty("failures").GetInt32());
            Assert.Equal(150 * 4, server.Requests.Count);
            Assert.All(server.Requests, request => Assert.Contains("[[ ## claim ## ]]", request.Messages[^1], StringComparison.Ordinal));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Model_WithoutName_SaysWhatIsMissing()
    {
        var (exitCode, text) = await RunSampleAsync("--model", "http://127.0.0.1:9/v1");
        Assert.Equal(1, exitCode);
        Assert.Contains("--name", text, StringComparison.Ordinal);
        (exitCode, text) = await RunSampleAsync("--model", "localhost");
        Assert.Equal(1, exitCode);
        Assert.Contains("got 'localhost'", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Checkpoint_EmptyDirectory_NamesTheMissingFile()
    {
        var folder = Directory.CreateTempSubdirectory("hone-empty").FullName;
        var (exitCode, text) = await RunSampleAsync("--checkpoint", folder, "--output", Path.Combine(folder, "run"));
        Assert.Equal(1, exitCode);
        Assert.Contains("tokenizer.json", text, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    internal static async Task<(int ExitCode, string Text)> RunSampleAsync(params string[] arguments)
    {
        using var process = StartSample(arguments);
        var output = process.StandardOutput.ReadToEndAsync(Token);
        var errors = process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        return (process.ExitCode, await output + await errors);
    }

    internal static Process StartSample(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [SamplePath(), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }

    // The sample's own output, since a copy beside the tests would run with the tests' frameworks.
    internal static string SamplePath(string sample = "MultiHopResearch")
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        var build = Path.Combine("bin", folder.Parent!.Name, folder.Name);
        while (!File.Exists(Path.Combine(folder!.FullName, "Hone.slnx")))
            folder = folder.Parent;
        return Path.Combine(folder.FullName, "samples", sample, build, sample + ".dll");
    }

    // Asks for the same thing whatever the claim is, and notes nothing.
    private static string Answer(ServedRequest request) => request.Messages[0].Contains("[[ ## query ## ]]", StringComparison.Ordinal)
        ? "[[ ## reasoning ## ]]\nnone\n\n[[ ## query ## ]]\nzzz\n\n[[ ## completed ## ]]"
        : "[[ ## new_key_facts ## ]]\n[]\n\n[[ ## completed ## ]]";
}
