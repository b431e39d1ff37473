using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Samples.Tests.Tutorials;

/// <summary>
/// The small samples: what each prints offline stands, whole, in a text file beside this class (HONE_ACCEPT_SAMPLES=1 writes it anew), and with --model each asks a
/// server.
/// </summary>
public sealed partial class TutorialTests
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
        { "LongDocument", [], "" },
        { "ProgramOfThought", [], "" },
        { "CodeGeneration", [], "" },
        { "LlmsTxt", [], "" },
        { "TextGame", [], "" },
        { "MemoryAgent", [], "" },
        { "FinancialAnalysis", [], "" },
        { "McpTools", [], "" },
        { "CustomerService", [], "" },
    };

    /// <summary>Commands of the pages, and what their output holds.</summary>
    public static TheoryData<string, string[], string, string> Commands { get; } = new()
    {
        { "QuestionAnswering", ["--question", "When did electricity come?"], "", "Answer: 1931" },
        { "EntityExtraction", ["--sentence", "Orla of Cork bought Pim for 3 million dollars."], "", "Purchase: Orla (Cork) - Pim, 3 million" },
        { "Rag", ["--question", "How long is the bridge?", "--passages", "3"], "", "3 kilometres [Veldra bridge]" },
        { "MultiHopRag", ["--question", "When was the town founded where the painter of Night Market was born?"], "", "\n1350\n" },
        { "MultiHopRag", ["--question", "When was the town founded where the painter of Night Market was born?", "--hops", "2"], "", "\nunknown\n" },
        { "ConversationHistory", ["--chat", "--turns", "5"], "My cat is Tom.\nWhat is my cat?\n\n", "Your cat is Tom." },
        { "Streaming", ["--topic", "an old gull", "--sentences", "9", "--pieces"], "", "2 requests]" },
        { "OutputRefinement", ["--product", "Ada's bakery", "--term", "rye", "--term", "wood fire", "--words", "6"], "", "taken: Ada's bakery: rye, wood fire" },
        { "CustomerService", ["--request", "Refund GH78.", "--refund-limit", "700"], "", "1 of 1 outcomes are what the airline's log says" },
        { "McpTools", ["--with", "cod", "--guests", "3"], "", "Fish pie: 375 g cod, 600 g potatoes" },
        { "FinancialAnalysis", ["--quarter", "2025-Q3"], "", "revenue growth     -2.9 %" },
        { "MemoryAgent", ["--chat"], "My cat is called Tom.\nWhat is my cat called?\n\n", "You told me: My cat is called Tom." },
        { "TextGame", ["--steps", "6"], "", "10 of 50 points in 5 moves" },
        { "LlmsTxt", ["--folder", Path.Combine(PagesFolder(), "..", "modules"), "--files", "2"], "", "(2 files, " },
        { "CodeGeneration", ["--task", "names", "--attempts", "2"], "", "\n0 tasks solved" },
        { "ProgramOfThought", ["--problem", "Cy packs 31 pens to a box. How many are in 900 boxes?"], "", "--> 27900" },
        { "Classification", ["--rows", "30"], "", "15 messages to learn from, 15 to score by" },
    };

    /// <summary>Their pages.</summary>
    public static TheoryData<string> Pages => [.. PageNames()];

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
    [MemberData(nameof(Commands))]
    public async Task Command_OfAPage_Works(string sample, string[] arguments, string input, string expected)
    {
        var (exitCode, output, errors) = await SampleProcess.RunAsync(sample, arguments, input, Token);

        Assert.True(exitCode == 0, output + errors);
        Assert.Contains(expected, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("QuestionAnswering", "--context")]
    [InlineData("Classification", "--data")]
    [InlineData("ImagesAndAudio", "--image")]
    [InlineData("EmailExtraction", "--file")]
    [InlineData("LlmsTxt", "--folder")]
    public async Task File_ThatIsNone_IsNamed(string sample, string option)
    {
        var (exitCode, _, errors) = await SampleProcess.RunAsync(sample, [option, "missing.png"], "", Token);

        Assert.Equal(1, exitCode);
        Assert.Contains("error: ", errors, StringComparison.Ordinal);
        Assert.Contains("missing.png", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    /// <summary>A number that makes no sense is refused by the name of its option, before anything is asked.</summary>
    [Theory]
    [InlineData("Classification", "--rows", "1")]
    [InlineData("Rag", "--passages", "0")]
    [InlineData("MultiHopRag", "--hops", "0")]
    [InlineData("ConversationHistory", "--turns", "-1")]
    [InlineData("Streaming", "--sentences", "0")]
    [InlineData("OutputRefinement", "--words", "0")]
    [InlineData("LongDocument", "--entries", "999")]
    [InlineData("McpTools", "--guests", "0")]
    [InlineData("TextGame", "--steps", "0")]
    [InlineData("LlmsTxt", "--files", "-3")]
    [InlineData("CodeGeneration", "--attempts", "0")]
    public async Task Number_OutOfRange_IsRefusedByName(string sample, string option, string number)
    {
        var (exitCode, output, errors) = await SampleProcess.RunAsync(sample, [option, number], "", Token);

        Assert.Equal(1, exitCode);
        Assert.Contains($"{option} is at least ", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors + output, StringComparison.Ordinal);
    }

    /// <summary>A text that the script can make nothing of ends in a sentence, too.</summary>
    [Theory]
    [InlineData("EntityExtraction", "--sentence", "Nobody bought anything.")]
    [InlineData("ProgramOfThought", "--problem", "Hello.")]
    [InlineData("FinancialAnalysis", "--quarter", "2099-Q1")]
    public async Task Text_ThatNobodyUnderstands_IsAnError(string sample, string option, string text)
    {
        var (exitCode, _, errors) = await SampleProcess.RunAsync(sample, [option, text], "", Token);

        Assert.Equal(1, exitCode);
        Assert.StartsWith("error: ", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    /// <summary>A sample is read in one go: less than 150 lines in all, and a page that tells of it.</summary>
    [Theory]
    [MemberData(nameof(Samples))]
    public async Task Sample_IsShort_AndHasItsPage(string sample, string[] arguments, string input)
    {
        _ = (arguments, input);
        var root = Path.Combine(Folder(), "..", "..", "..");
        var files = Directory.EnumerateFiles(Path.Combine(root, "samples", sample), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"));
        Assert.InRange(files.Sum(path => File.ReadLines(path).Count()), 1, 149);

        var pages = await Task.WhenAll(PageNames().Select(page => File.ReadAllTextAsync(Path.Combine(PagesFolder(), page), Token)));
        Assert.Single(pages, page => SampleOf().Match(page).Groups[1].Value == sample);
        Assert.Contains($"| `{sample}` |", await File.ReadAllTextAsync(Path.Combine(PagesFolder(), "README.md"), Token), StringComparison.Ordinal);
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

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Page_ShowsWhatTheSamplePrints(string page)
    {
        var parts = (await File.ReadAllTextAsync(Path.Combine(PagesFolder(), page), Token)).ReplaceLineEndings("\n").Split("```\n");
        var fences = parts.Where((_, index) => index % 2 == 1).ToArray();
        var sample = SampleOf().Match(fences[0]).Groups[1].Value;

        var output = await File.ReadAllTextAsync(Path.Combine(Folder(), sample + ".txt"), Token);

        // A line with nothing but an ellipsis stands for what the page leaves out.
        Assert.All(fences[1..].SelectMany(fence => LeftOut().Split(fence)), piece => Assert.Contains(piece, output, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"^ *…\n", RegexOptions.Multiline)]
    private static partial Regex LeftOut();

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

    private static IEnumerable<string> PageNames() =>
        Directory.GetFiles(PagesFolder(), "*.md").Select(path => Path.GetFileName(path)).Where(name => name is not ("README.md" or "prompt-search.md"));

    private static string PagesFolder() => Path.Combine(Folder(), "..", "..", "..", "docs", "tutorials");

    [GeneratedRegex(@"--project samples/(\w+)")]
    private static partial Regex SampleOf();

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
