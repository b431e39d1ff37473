using System.Text.Json;
using System.Text.RegularExpressions;
using Samples.Tests.Privacy;
using Samples.Tests.Tutorials;

namespace Samples.Tests.Hover;

/// <summary>The main job's command line on files of HoVer's format, against a server.</summary>
public sealed partial class HoverJobTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hone-hover-job").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Model_HoverFileAndCorpus_IsEvaluatedOnTheTestClaims()
    {
        var (data, corpus, run) = (Path.Combine(folder, "hover.jsonl"), Path.Combine(folder, "abstracts.jsonl"), Path.Combine(folder, "run"));
        HoverFiles.Write(data, corpus, claims: 40);
        await using var server = await OpenAIServer.StartAsync(Answer, Token);
        string[] arguments = ["--data", data, "--corpus", corpus, "--model", server.Address, "--name", "toy", "--output", run];

        var (exitCode, output, errors) = await SampleProcess.RunAsync("MultiHopResearch", arguments, cancellationToken: Token);
        Assert.True(exitCode == 0, output + errors);

        // Two searches: the claim leads to the first article of each claim, the model's query to the second, nothing to the third.
        Assert.Equal(2 / 3d, Recall(run), 9);
        Assert.Equal(10 * 2, server.Requests.Count);
        Assert.All(server.Requests.Where(request => IsQuery(request)), request => Assert.Contains("the painter", request.Messages[^1], StringComparison.OrdinalIgnoreCase));

        // The index is there: it is opened, and one search more finds the rest.
        var made = File.GetLastWriteTimeUtc(Path.Combine(corpus + ".index", "source.txt"));
        (exitCode, output, errors) = await SampleProcess.RunAsync("MultiHopResearch", [.. arguments, "--hops", "3"], cancellationToken: Token);
        Assert.True(exitCode == 0, output + errors);
        Assert.Equal(1, Recall(run), 9);
        Assert.Equal(made, File.GetLastWriteTimeUtc(Path.Combine(corpus + ".index", "source.txt")));

        // Another corpus of the same name is not searched by the old index.
        await File.AppendAllTextAsync(corpus, """{"title": "One more", "text": "An article."}""" + "\n", Token);
        (exitCode, _, errors) = await SampleProcess.RunAsync("MultiHopResearch", arguments, cancellationToken: Token);
        Assert.Equal(1, exitCode);
        Assert.Contains("is not the index of", errors, StringComparison.Ordinal);
    }

    /// <summary>The real claims, on a corpus of their titles alone: enough to see that every title can be found.</summary>
    [Fact]
    public async Task Model_TheRealFile_IsEvaluated()
    {
        var data = PupaFileTests.Find("hover_dev.jsonl");
        Assert.SkipWhen(data is null, "The HoVer file is not here: set HONE_DATA to its folder.");
        var (corpus, run) = (Path.Combine(folder, "titles.jsonl"), Path.Combine(folder, "run"));
        var titles = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var example in Corpus.Hover.ReadAsync(data!, Token))
            titles.UnionWith(((IEnumerable<object?>)example.Expected["titles"]!).Select(title => (string)title!));
        await File.WriteAllLinesAsync(corpus, titles.Select(title => JsonSerializer.Serialize(new { title, text = title })), Token);
        await using var server = await OpenAIServer.StartAsync(Answer, Token);

        var (exitCode, output, errors) = await SampleProcess.RunAsync(
            "MultiHopResearch", ["--data", data!, "--corpus", corpus, "--model", server.Address, "--name", "toy", "--output", run], cancellationToken: Token);

        Assert.True(exitCode == 0, output + errors);
        Assert.InRange(Recall(run), 0.2, 1);
        Assert.Equal(0, server.Requests.Count % 2);
    }

    [Theory]
    [InlineData("--data", "--data needs --checkpoint")]
    [InlineData("--corpus", "--corpus needs --data")]
    public async Task Data_OnItsOwn_SaysWhatItNeeds(string option, string expected)
    {
        var data = Path.Combine(folder, "hover.jsonl");
        await File.WriteAllLinesAsync(data, [HoverFiles.Claim(1, 3)], Token);
        var (exitCode, _, errors) = await SampleProcess.RunAsync("MultiHopResearch", [option, data, "--output", Path.Combine(folder, "run")], cancellationToken: Token);
        Assert.Equal(1, exitCode);
        Assert.Contains(expected, errors, StringComparison.Ordinal);
        (exitCode, _, errors) = await SampleProcess.RunAsync(
            "MultiHopResearch", ["--data", data, "--model", "http://127.0.0.1:9/v1", "--name", "toy", "--output", Path.Combine(folder, "run")], cancellationToken: Token);
        Assert.Equal(1, exitCode);
        Assert.Contains("--data needs --corpus", errors, StringComparison.Ordinal);
    }

    private static double Recall(string run)
    {
        using var result = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "result.json")));
        Assert.Equal(0, result.RootElement.GetProperty("failures").GetInt32());
        return result.RootElement.GetProperty("recall").GetDouble();
    }

    private static bool IsQuery(ServedRequest request) => request.Messages[0].Contains("[[ ## query ## ]]", StringComparison.Ordinal);

    // Notes which of the two articles behind the claim it has asked for, and asks for the next.
    private static string Answer(ServedRequest request)
    {
        var prompt = request.Messages[^1];
        _ = int.TryParse(Number().Match(prompt).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture, out var number);
        number -= HoverFiles.Alpha;
        if (!IsQuery(request))
            return $"[[ ## new_key_facts ## ]]\n[\"{(prompt.Contains("asked for beta", StringComparison.Ordinal) ? "asked for gamma" : "asked for beta")}\"]\n\n[[ ## completed ## ]]";
        return $"[[ ## reasoning ## ]]\nNext.\n\n[[ ## query ## ]]\n{(prompt.Contains("asked for gamma", StringComparison.Ordinal) ? $"gamma {HoverFiles.Gamma + number}" : $"beta {HoverFiles.Beta + number}")}\n\n[[ ## completed ## ]]";
    }

    [GeneratedRegex(@"alpha (\d+)")]
    private static partial Regex Number();
}
