using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Samples.Tests;

/// <summary>A request that the server got: the model it names and its messages.</summary>
internal sealed record ServedRequest(string Model, IReadOnlyList<string> Messages);

/// <summary>A real HTTP server on loopback that speaks the OpenAI chat protocol and answers by a rule.</summary>
internal sealed class OpenAIServer : IAsyncDisposable
{
    private readonly WebApplication server;

    private OpenAIServer(WebApplication server) => this.server = server;

    public ConcurrentQueue<ServedRequest> Requests { get; } = new();

    public string Address => $"{server.Urls.First()}/v1";

    public static async Task<OpenAIServer> StartAsync(Func<ServedRequest, string> answer, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = new OpenAIServer(builder.Build());
        server.server.MapPost("/v1/chat/completions", async (HttpRequest http) =>
        {
            using var body = await JsonDocument.ParseAsync(http.Body);
            var root = body.RootElement;
            var request = new ServedRequest(
                root.GetProperty("model").GetString()!, [.. root.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("content").ToString())]);
            server.Requests.Enqueue(request);
            return Results.Json(new
            {
                id = "c",
                @object = "chat.completion",
                created = 0,
                model = request.Model,
                choices = new[] { new { index = 0, finish_reason = "stop", message = new { role = "assistant", content = answer(request) } } },
                usage = new { prompt_tokens = 10, completion_tokens = 5, total_tokens = 15 },
            });
        });
        await server.server.StartAsync(cancellationToken);
        return server;
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();
}
