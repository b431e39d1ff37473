using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Samples.Tests.Tutorials;

/// <summary>
/// The small samples: what each prints offline stands, whole, in a text file beside this class (HONE_ACCEPT_SAMPLES=1 writes it anew), and with --model each asks a
/// server.
/// </summary>
public sealed class TutorialTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Samples with their arguments and what is typed in.</summary>
    public static TheoryData<string, string[], string> Samples { get; } = new()
    {
        { "ReActAgent", ["--yes"], "" },
        { "Classification", [], "" },
        { "Rag", [], "" },
        { "MultiHopRag", [], "" },
        { "ImagesAndAudio", [], "" },
        { "QuestionAnswering", [], "" },
        { "EntityExtraction", [], "" },
        { "ConversationHistory", [], "" },
        { "Streaming", [], "" },
        { "OutputRefinement", [], "" },
        { "EmailExtraction", [], "" },
    };

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task Script_PrintsWhatIsExpected(string sample, string[] arguments, string input)
    {
        var (exitCode, output, errors) = await SampleProcess.RunAsync(sample, arguments, input, Token);

        Assert.True(exitCode == 0, output + errors);
        Assert.Equal("", errors);
        var file = Path.Combine(Folder(), sample + ".txt");
        if (Environment.GetEnvironmentVariable("HONE_ACCEPT_SAMPLES") == "1")
            await File.WriteAllTextAsync(file, output, Token);
        Assert.Equal(await File.ReadAllTextAsync(file, Token), output);
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task Model_IsAskedAtItsServer(string sample, string[] arguments, string input)
    {
        var models = new System.Collections.Concurrent.ConcurrentBag<string>();
        await using var server = await StartServerAsync(models);

        var (exitCode, output, errors) = await SampleProcess.RunAsync(sample, [.. arguments, "--model", $"{server.Urls.First()}/v1#toy"], input, Token);

        Assert.True(exitCode == 1, output + errors);
        Assert.Contains("error: ", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
        Assert.Contains("toy", models);
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task Model_ThatIsNone_IsRefused(string sample, string[] arguments, string input)
    {
        var (exitCode, _, errors) = await SampleProcess.RunAsync(sample, [.. arguments, "--model", "nowhere"], input, Token);

        Assert.Equal(1, exitCode);
        Assert.Contains("--model expects a server's address and a model's name", errors, StringComparison.Ordinal);
    }

    // A server that knows no key: every sample ends with its words.
    private static async Task<WebApplication> StartServerAsync(System.Collections.Concurrent.ConcurrentBag<string> models)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = builder.Build();
        server.MapPost("/v1/chat/completions", async (HttpRequest request) =>
        {
            using var body = await JsonDocument.ParseAsync(request.Body);
            models.Add(body.RootElement.GetProperty("model").GetString()!);
            return Results.Json(new { error = new { message = "No such key.", type = "invalid_request_error", code = "invalid_api_key" } }, statusCode: 401);
        });
        await server.StartAsync(Token);
        return server;
    }

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
