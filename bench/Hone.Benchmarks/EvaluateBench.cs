using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Hone.Benchmarks;

/// <summary>
/// Evaluate over a real HTTP server on loopback, beside a bare loop of the same requests with HttpClient (finished prompts to JSON, the answer's text
/// out of the JSON that comes back); and many calls at once on a slow model. The server shares the cores with the client in both cases.
/// </summary>
internal static class EvaluateBench
{
    private const int Concurrency = 64;
    private const string Answer = "[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]";

    public static async Task RunAsync(Figures figures, bool quick)
    {
        var count = quick ? 4_000 : 20_000;
        await using var server = await StartServerAsync();
        var address = new Uri(server.Urls.First() + "/v1/chat/completions");
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Concurrency });
        var examples = Enumerable.Range(0, count).Select(i => new Example<FieldMap, FieldMap>(
            FieldMap.Of(("question", $"What is the capital of country {i}?")), FieldMap.Of(("answer", "Paris")))).ToArray();
        var program = Predict.Parse("question -> answer").WithModel(new LeanChatClient(http, address));
        var metric = Metric.From<FieldMap, FieldMap>((example, output) => Equals(example.Expected["answer"], output["answer"]));
        var evaluator = Evaluator.Create(metric, new() { MaxParallelism = Concurrency, KeepTraces = false });
        var prompts = examples.Select(example => program.Render("self", example.Input)).ToArray();

        var (evaluate, bare) = (0.0, 0.0);
        for (var repetition = 0; repetition < (quick ? 24 : 16); repetition++)
        {
            bare = Math.Max(bare, await RateAsync(count, () => BareLoopAsync(http, address, prompts)));
            evaluate = Math.Max(evaluate, await RateAsync(count, () => evaluator.EvaluateAsync(program, examples)));
        }

        figures.Add("httpclient_calls_per_s", bare, $"bare loop, concurrency {Concurrency}");
        figures.Add("evaluate_calls_per_s", evaluate, $"{evaluate / bare:P0} of the bare loop");
        await SlowModelAsync(figures, quick);
    }

    private static async Task SlowModelAsync(Figures figures, bool quick)
    {
        const int Calls = 10_000;
        const int AtOnce = 1_000;
        var latency = TimeSpan.FromMilliseconds(50);
        var program = Predict.Parse("question -> answer").WithModel(new InstantChatClient(Answer, latency));
        var inputs = Enumerable.Range(0, Calls).Select(i => FieldMap.Of(("question", $"{i}"))).ToArray();
        var ideal = latency.TotalSeconds * Calls / AtOnce;
        var best = double.MaxValue;
        for (var repetition = 0; repetition < (quick ? 3 : 6); repetition++)
        {
            var started = Stopwatch.GetTimestamp();
            await program.RunBatchAsync(inputs, new() { MaxParallelism = AtOnce });
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        figures.Add("evaluate_50ms_1000_ratio", best / ideal, $"10,000 calls of 50 ms, 1,000 at once; ideal {ideal:0.00} s");
    }

    private static async Task<double> RateAsync(int count, Func<Task> work)
    {
        // Each side starts from a collected heap: neither pays for what the other left behind.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        var started = Stopwatch.GetTimestamp();
        await work();
        return count / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static async Task BareLoopAsync(HttpClient http, Uri address, IReadOnlyList<ChatMessage>[] prompts)
    {
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, Concurrency).Select(_ => Task.Run(async () =>
        {
            for (var i = Interlocked.Increment(ref next); i < prompts.Length; i = Interlocked.Increment(ref next))
            {
                using var content = new ByteArrayContent(LeanChatClient.Body(prompts[i], null)) { Headers = { ContentType = new("application/json") } };
                using var response = await http.PostAsync(address, content);
                using var answer = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync());
                if (answer.RootElement.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString() != Answer)
                    throw new InvalidOperationException("The server answered something else.");
            }
        })));
    }

    private static async Task<WebApplication> StartServerAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var body = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new
        {
            id = "1",
            model = "bench",
            choices = new[] { new { index = 0, message = new { role = "assistant", content = Answer }, finish_reason = "stop" } },
            usage = new { prompt_tokens = 100, completion_tokens = 10, total_tokens = 110 },
        }));
        app.MapPost("/v1/chat/completions", async (HttpContext context) =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = body.Length;
            await context.Response.Body.WriteAsync(body);
        });
        await app.StartAsync();
        return app;
    }
}
