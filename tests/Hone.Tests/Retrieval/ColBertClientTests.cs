using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Retrieval;

/// <summary>A real server on the loopback address that answers as a ColBERTv2 server does, or does not.</summary>
public sealed class ColBertClientTests : IAsyncLifetime
{
    private static readonly RetryOptions Quick = new() { BaseDelay = TimeSpan.Zero, Jitter = 0 };

    private readonly HttpClient http = new();
    private readonly List<(string Method, string Query, string Body)> requests = [];
    private readonly Queue<Func<HttpContext, Task>> script = [];
    private WebApplication application = null!;
    private Uri address = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        application = builder.Build();
        application.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            requests.Add((context.Request.Method, context.Request.QueryString.Value!, await reader.ReadToEndAsync()));
            await script.Dequeue()(context);
        });
        await application.StartAsync(Token);
        address = new(new Uri(application.Urls.First()), "api/search");
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await application.StopAsync(new CancellationToken(canceled: true));
        await application.DisposeAsync();
    }

    [Fact]
    public async Task Search_Get_AsksAsTheReferenceAndReadsPassages()
    {
        Answer("""{"query":"x","topk":[{"pid":7,"rank":1,"score":21.5,"prob":0.9,"text":"Velmont | A river | wide."},{"pid":3,"rank":2,"score":20,"text":"no title"}]}""");
        var found = await Client().SearchAsync("a & b?", 5, Token);
        Assert.Equal([new Passage("7", "Velmont", "A river | wide.", 21.5), new Passage("3", "", "no title", 20)], found);
        Assert.Equal(("GET", "?query=a%20%26%20b%3F&k=5", ""), Assert.Single(requests));
    }

    [Fact]
    public async Task Search_Post_SendsJson()
    {
        Answer("""{"topk":[{"long_text":"T | b","text":"other"}]}""");
        var found = await Client(new() { Post = true, Retry = null }).SearchAsync("say \"é\"", 2, Token);
        Assert.Equal([new Passage("T", "T", "b", 0)], found);
        var (method, _, body) = Assert.Single(requests);
        Assert.Equal("POST", method);
        using var sent = System.Text.Json.JsonDocument.Parse(body);
        Assert.Equal(("say \"é\"", 2), (sent.RootElement.GetProperty("query").GetString(), sent.RootElement.GetProperty("k").GetInt32()));
    }

    [Fact]
    public async Task Search_MoreThanTheServerGives_IsFewer_MoreThanAllowedIsCut()
    {
        Answer("""{"topk":[{"text":"a"},{"text":"b"}]}""");
        Answer("""{"topk":[{"text":"a"},{"text":"b"}]}""");
        Assert.Equal(2, (await Client().SearchAsync("q", 1000, Token)).Count);
        Assert.EndsWith("k=100", requests[0].Query, StringComparison.Ordinal);
        Assert.Single(await Client().SearchAsync("q", 1, Token));
        Assert.Empty(await Client().SearchAsync("q", 0, Token));
    }

    [Fact]
    public async Task Search_ServerError_IsTriedAgain_ThenTyped()
    {
        Answer("busy", 503);
        Answer("""{"topk":[{"text":"a"}]}""");
        Assert.Single(await Client().SearchAsync("q", 1, Token));
        for (var i = 0; i < 3; i++)
            Answer("<html>out of order</html>", 500);
        var error = await Assert.ThrowsAsync<RetrievalException>(() => Client().SearchAsync("q", 1, Token));
        Assert.Equal((500, true), (error.Status, error.IsRetryable));
        Assert.Contains("out of order", error.Message, StringComparison.Ordinal);
        Assert.Equal(5, requests.Count);
    }

    [Fact]
    public async Task Search_AskedToWait_Waits()
    {
        var time = new WaitingClock();
        script.Enqueue(context =>
        {
            context.Response.Headers.RetryAfter = "7";
            return Write(context, "slow down", 429);
        });
        Answer("""{"topk":[]}""");
        var searching = Client(new() { Retry = Quick with { Time = time }, Timeout = TimeSpan.FromHours(1) }).SearchAsync("q", 1, Token);

        var wait = await time.Waiting.WaitAsync(Token);
        Assert.InRange(wait, TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(10));
        Assert.False(searching.IsCompleted);
        time.Advance(wait);
        Assert.Empty(await searching);
    }

    [Theory]
    [InlineData("no json at all", "no JSON")]
    [InlineData("[1]", "no object")]
    [InlineData("{}", "topk")]
    [InlineData("""{"topk":{}}""", "topk")]
    [InlineData("""{"topk":[{"pid":1}]}""", "passage 0")]
    [InlineData("""{"topk":[{"text":"a"},3]}""", "passage 1")]
    [InlineData("""{"error":true,"message":"no index"}""", "no index")]
    public async Task Search_UnreadableAnswer_SaysWhy_AndIsNotTriedAgain(string body, string expected)
    {
        Answer(body);
        var error = await Assert.ThrowsAsync<RetrievalException>(() => Client().SearchAsync("q", 2, Token));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.False(error.IsRetryable);
        Assert.Single(requests);
    }

    [Fact]
    public async Task Search_ErrorThatIsFalse_IsNone()
    {
        Answer("""{"error":false,"topk":[{"text":"a"}]}""");
        Assert.Single(await Client().SearchAsync("q", 2, Token));
    }

    [Fact]
    public async Task Search_ServerHangs_CallerCancels_IsTheCallersCancellation()
    {
        using var stop = new CancellationTokenSource();
        Hang(arrived: stop.Cancel);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Client().SearchAsync("q", 1, stop.Token));
        Assert.Single(requests);
    }

    [Fact]
    public async Task Search_ServerHangs_TimeLimit_IsARetryableError()
    {
        var time = new FakeTimeProvider();
        Hang(arrived: () => time.Advance(TimeSpan.FromSeconds(11)));
        var error = await Assert.ThrowsAsync<RetrievalException>(
            () => Client(new() { Retry = Quick with { Time = time, MaxAttempts = 1 } }).SearchAsync("q", 1, Token));
        Assert.True(error.IsRetryable);
        Assert.Null(error.Status);
        Assert.Contains("within 10 s", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Search_NobodyListens_IsARetryableError()
    {
        await application.StopAsync(Token);
        var error = await Assert.ThrowsAsync<RetrievalException>(() => Client(new() { Retry = null }).SearchAsync("q", 1, Token));
        Assert.True(error.IsRetryable);
        Assert.Contains("cannot be reached", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_BadAddress_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new ColBertClient(http, new("/relative", UriKind.Relative)));
        Assert.Throws<ArgumentException>(() => new ColBertClient(http, new("file:///etc")));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ColBertOptions { Timeout = TimeSpan.Zero });
    }

    private static Task Write(HttpContext context, string body, int status)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(body);
    }

    private ColBertClient Client(ColBertOptions? options = null) => new(http, address, options ?? new() { Retry = Quick });

    private void Answer(string body, int status = 200) => script.Enqueue(context => Write(context, body, status));

    private void Hang(Action arrived) => script.Enqueue(async context =>
    {
        arrived();
        await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    });

    /// <summary>Tells when somebody begins to wait for less than the client's limit, and for how long.</summary>
    private sealed class WaitingClock : FakeTimeProvider
    {
        private readonly TaskCompletionSource<TimeSpan> waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<TimeSpan> Waiting => waiting.Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime > TimeSpan.Zero && dueTime < TimeSpan.FromHours(1))
                waiting.TrySetResult(dueTime);
            return timer;
        }
    }
}
