using System.ClientModel;
using System.ClientModel.Primitives;
using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Hone.Tests.Clients.Server;

/// <summary>
/// A real HTTP server on the loopback address that speaks the wire formats of OpenAI, Anthropic and Ollama. It answers from a script; when that is
/// used up, with <see cref="Otherwise"/>.
/// </summary>
internal sealed class FakeServer : IAsyncDisposable
{
    private readonly WebApplication application;
    private readonly ConcurrentQueue<FakeReply> script;
    private readonly ConcurrentQueue<FakeRequest> requests = [];
    private int running;
    private int mostRunning;

    private FakeServer(WebApplication application, IEnumerable<FakeReply> script) => (this.application, this.script) = (application, new(script));

    public Uri Address { get; private set; } = null!;

    /// <summary>The answer to requests beyond the script.</summary>
    public Func<FakeRequest, FakeReply> Otherwise { get; set; } = _ => FakeReply.Say("fine");

    public IReadOnlyList<FakeRequest> Requests => [.. requests];

    /// <summary>Most requests that were under way at once.</summary>
    public int MostRunning => Volatile.Read(ref mostRunning);

    public static async Task<FakeServer> StartAsync(params FakeReply[] script)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var application = builder.Build();
        var server = new FakeServer(application, script);
        application.Run(server.AnswerAsync);
        await application.StartAsync();
        server.Address = new(application.Urls.First());
        return server;
    }

    public void Enqueue(FakeReply reply) => script.Enqueue(reply);

    /// <summary>OpenAI's client without retries of its own.</summary>
    public IChatClient OpenAI(string model = "gpt-4o", TimeSpan? timeout = null, string key = "sk-proj-0123456789abcdef0123")
    {
        var options = new OpenAI.OpenAIClientOptions { Endpoint = new(Address, "v1"), RetryPolicy = new ClientRetryPolicy(0) };
        if (timeout is { } limit)
            options.NetworkTimeout = limit;
        return new OpenAI.OpenAIClient(new ApiKeyCredential(key), options).GetChatClient(model).AsIChatClient();
    }

#pragma warning disable OPENAI001, MEAI001 // the client of the responses API is not called finished by its makers
    /// <summary>OpenAI's client of the responses API, without retries of its own.</summary>
    public IChatClient OpenAIResponses(string model = "gpt-4o") => new OpenAI.OpenAIClient(
        new ApiKeyCredential("sk-proj-0123456789abcdef0123"), new OpenAI.OpenAIClientOptions { Endpoint = new(Address, "v1"), RetryPolicy = new ClientRetryPolicy(0) })
        .GetResponsesClient().AsIChatClient(model);
#pragma warning restore OPENAI001, MEAI001

    /// <summary>Anthropic's client without retries of its own.</summary>
    public IChatClient Anthropic(string model = "claude-sonnet-4-5", HttpClient? http = null)
    {
        var options = new Anthropic.Core.ClientOptions { BaseUrl = Address.ToString().TrimEnd('/'), ApiKey = "sk-ant-0123456789abcdef", MaxRetries = 0 };
        if (http is not null)
            options.HttpClient = http;
        return new Anthropic.AnthropicClient(options).AsIChatClient(model);
    }

    /// <summary>Ollama's client.</summary>
    public IChatClient Ollama(string model = "llama3.2", HttpClient? http = null)
    {
        if (http is null)
            return new OllamaSharp.OllamaApiClient(Address, model);
        http.BaseAddress = Address;
        return new OllamaSharp.OllamaApiClient(http, model);
    }

    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource();
        await atOnce.CancelAsync(); // requests that hang are not waited for
        await application.StopAsync(atOnce.Token);
        await application.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        Raise(ref mostRunning, Interlocked.Increment(ref running));
        try
        {
            var request = await ReadAsync(context);
            requests.Enqueue(request);
            var reply = script.TryDequeue(out var scripted) ? scripted : Otherwise(request);
            await reply.Gate.WaitAsync(context.RequestAborted);
            if (reply.Hangs)
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            foreach (var (name, value) in reply.Headers)
                context.Response.Headers[name] = value;
            context.Response.StatusCode = reply.Status;
            if (reply.Body is not null)
            {
                context.Response.ContentType = reply.ContentType;
                await context.Response.WriteAsync(reply.Body, context.RequestAborted);
                return;
            }

            await FakeWire.For(request).AnswerAsync(context, request, reply);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            context.Abort();
        }
        finally
        {
            Interlocked.Decrement(ref running);
        }
    }

    private static async Task<FakeRequest> ReadAsync(HttpContext context)
    {
        using var document = await JsonDocument.ParseAsync(context.Request.Body, default, context.RequestAborted);
        return new(
            context.Request.Path.Value!,
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            document.RootElement.Clone());
    }

    private static void Raise(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
            Interlocked.CompareExchange(ref most, value, seen);
    }
}
