using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Samples.Tests;

/// <summary>The main job's command line against a real HTTP server on loopback that speaks the OpenAI chat protocol.</summary>
public sealed class MultiHopServerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Model_OpenAiCompatibleServer_IsEvaluatedOnTheHeldOutClaims()
    {
        var prompts = new System.Collections.Concurrent.ConcurrentBag<string>();
        await using var server = await StartServerAsync(prompts);
        var folder = Directory.CreateTempSubdirectory("hone-server").FullName;
        try
        {
            var (exitCode, text) = await RunSampleAsync("--model", $"{server.Urls.First()}/v1", "--name", "toy", "--output", folder);
            Assert.True(exitCode == 0, text);
            using var result = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "result.json"), Token));

            // The server always asks for the same thing, so only what the claim itself finds is there.
            Assert.InRange(result.RootElement.GetProperty("recall").GetDouble(), 0.30, 0.40);
            Assert.Equal(0, result.RootElement.GetProperty("failures").GetInt32());
            Assert.Equal(150 * 4, prompts.Count);
            Assert.All(prompts, prompt => Assert.Contains("[[ ## claim ## ]]", prompt, StringComparison.Ordinal));
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

    private static async Task<WebApplication> StartServerAsync(System.Collections.Concurrent.ConcurrentBag<string> prompts)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = builder.Build();
        server.MapPost("/v1/chat/completions", async (HttpRequest request) =>
        {
            using var body = await JsonDocument.ParseAsync(request.Body);
            var messages = body.RootElement.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("content").ToString()).ToArray();
            prompts.Add(messages[^1]);
            var answer = messages[0].Contains("[[ ## query ## ]]", StringComparison.Ordinal)
                ? "[[ ## reasoning ## ]]\nnone\n\n[[ ## query ## ]]\nzzz\n\n[[ ## completed ## ]]"
                : "[[ ## new_key_facts ## ]]\n[]\n\n[[ ## completed ## ]]";
            return Results.Json(new
            {
                id = "c",
                @object = "chat.completion",
                created = 0,
                model = "toy",
                choices = new[] { new { index = 0, finish_reason = "stop", message = new { role = "assistant", content = answer } } },
                usage = new { prompt_tokens = 10, completion_tokens = 5, total_tokens = 15 },
            });
        });
        await server.StartAsync(Token);
        return server;
    }
}
