using System.Text.Json;
using Samples.Tests.Tutorials;

namespace Samples.Tests.Privacy;

/// <summary>The delegation's command line: against servers, on a file of the PUPA format, and a short training.</summary>
public sealed class DelegationJobTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hone-delegation").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>All three models on servers: two local steps, one untrusted call and three verdicts a query, none of them asked twice.</summary>
    [Fact]
    public async Task Servers_AllThree_AreAskedAsTheProgramSays()
    {
        await using var server = await OpenAIServer.StartAsync(Answer, Token);
        var data = Path.Combine(folder, "pupa.jsonl");
        await File.WriteAllLinesAsync(data, Enumerable.Range(0, 12).Select(i => JsonSerializer.Serialize(new
        {
            user_query = $"Query {i} of Ada Lovelace.",
            target_response = i % 2 == 0 ? "worse" : "better",
            pii_units = "Ada Lovelace||London",
        })), Token);

        var (exitCode, output, errors) = await SampleProcess.RunAsync(
            "PrivateDelegation",
            ["--data", data, "--model", $"{server.Address}#local", "--untrusted", $"{server.Address}#strong", "--judge", $"{server.Address}#judge", "--output", Path.Combine(folder, "run")],
            cancellationToken: Token);

        Assert.True(exitCode == 0, output + errors);
        using var result = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "run", "result.json"), Token));
        var parts = result.RootElement.GetProperty("parts");

        // Four reported queries: the answer beats the known one in half of them, and each request tells one detail of two.
        Assert.Equal(0.5, parts.GetProperty("quality").GetDouble(), 9);
        Assert.Equal(0.5, parts.GetProperty("privacy").GetDouble(), 9);
        Assert.Equal(0.5, result.RootElement.GetProperty("score").GetDouble(), 9);
        Assert.Equal(0, result.RootElement.GetProperty("failures").GetInt32());

        // The local model writes one request for all queries: the models that are not trained answer the same question once.
        Assert.Equal(
            new Dictionary<string, int> { ["local"] = 8, ["strong"] = 1, ["judge"] = 9 },
            server.Requests.CountBy(request => request.Model).ToDictionary());

        // The untrusted model sees what the local one wrote, and nothing else.
        Assert.All(server.Requests.Where(request => request.Model == "strong"), request => Assert.Equal(["Ada Lovelace wants help."], request.Messages));
    }

    [Fact]
    public async Task Data_WithoutAModel_SaysWhatItNeeds()
    {
        var data = Path.Combine(folder, "pupa.jsonl");
        await File.WriteAllLinesAsync(data, Enumerable.Repeat("""{"user_query": "q", "target_response": "t", "pii_units": ""}""", 3), Token);

        var (exitCode, _, errors) = await SampleProcess.RunAsync("PrivateDelegation", ["--data", data, "--output", Path.Combine(folder, "run")], cancellationToken: Token);

        Assert.Equal(1, exitCode);
        Assert.Contains("--data needs --checkpoint", errors, StringComparison.Ordinal);
    }

    /// <summary>The rules of the small office would judge other texts, and find nothing in them.</summary>
    [Fact]
    public async Task Data_WithoutAJudge_SaysWhatItNeeds()
    {
        var data = Path.Combine(folder, "pupa.jsonl");
        await File.WriteAllLinesAsync(data, Enumerable.Repeat("""{"user_query": "q", "target_response": "t", "pii_units": ""}""", 3), Token);

        var (exitCode, _, errors) = await SampleProcess.RunAsync(
            "PrivateDelegation", ["--data", data, "--model", "http://127.0.0.1:1#local", "--untrusted", "http://127.0.0.1:1#strong", "--output", Path.Combine(folder, "run")], cancellationToken: Token);

        Assert.Equal(1, exitCode);
        Assert.Contains("--data needs --untrusted and --judge", errors, StringComparison.Ordinal);
    }

    /// <summary>The whole job in small: a short warm start, two steps of reinforcement, evidence.</summary>
    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Training_InSmall_LeavesItsEvidence()
    {
        var run = Path.Combine(folder, "run");
        var (exitCode, output, errors) = await SampleProcess.RunAsync("PrivateDelegation", ["--warm-up", "64", "--steps", "2", "--output", run], cancellationToken: Token);

        Assert.True(exitCode == 0, output + errors);
        using var result = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(run, "result.json"), Token));
        foreach (var name in new[] { "seed", "steps", "baseline", "best", "gain", "interval", "parts", "validation", "rollouts_generated", "rollouts_used", "external_calls", "seconds" })
            Assert.True(result.RootElement.TryGetProperty(name, out _), $"result.json lacks {name}.");
        Assert.Equal(2, result.RootElement.GetProperty("steps").GetInt32());
        Assert.True(File.Exists(Path.Combine(run, "program.json")));
        Assert.True(File.Exists(Path.Combine(run, "report.html")));
        Assert.True(Directory.Exists(Path.Combine(run, "warm-start")));
    }

    private static string Answer(ServedRequest request) => request.Model switch
    {
        "strong" => "Use form 7.",
        "local" when request.Messages[^1].Contains("related_llm_response", StringComparison.Ordinal) => "[[ ## response ## ]]\nUse form 7.\n\n[[ ## completed ## ]]",
        "local" => "[[ ## reasoning ## ]]\nAsk.\n\n[[ ## llm_request ## ]]\nAda Lovelace wants help.\n\n[[ ## completed ## ]]",
        _ when request.Messages[^1].Contains("personal_details", StringComparison.Ordinal) => "[[ ## reasoning ## ]]\nOne name.\n\n[[ ## told ## ]]\n1\n\n[[ ## completed ## ]]",

        // A judge without a bias: "better" beats form 7, form 7 beats "worse".
        _ => $"[[ ## reasoning ## ]]\nCompared.\n\n[[ ## judgment ## ]]\n{IsFirstBetter(request.Messages[^1])}\n\n[[ ## completed ## ]]",
    };

    private static bool IsFirstBetter(string prompt)
    {
        var first = prompt[prompt.IndexOf("[[ ## response_a", StringComparison.Ordinal)..prompt.IndexOf("[[ ## response_b", StringComparison.Ordinal)];
        return first.Contains("better", StringComparison.Ordinal) || (first.Contains("form 7", StringComparison.Ordinal) && prompt.Contains("worse", StringComparison.Ordinal));
    }
}
