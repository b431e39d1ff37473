using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Types;

/// <summary>Downloads from a real server on the loopback address: redirects and time limits.</summary>
public sealed class MediaDownloadTests : IAsyncLifetime
{
    private readonly TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
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
            switch (context.Request.Path.Value)
            {
                case "/moved":
                    context.Response.Redirect("/a.png");
                    break;
                case "/ring":
                    context.Response.Redirect("/ring");
                    break;
                case "/away":
                    context.Response.Redirect("http://169.254.169.254/secret");
                    break;
                case "/slow":
                    asked.TrySetResult();
                    await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                    break;
                default:
                    context.Response.ContentType = "image/png";
                    await context.Response.Body.WriteAsync(new byte[] { 1, 2, 3 }, context.RequestAborted);
                    break;
            }
        });
        await application.StartAsync(Token);
        address = new(application.Urls.First());
    }

    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource();
        await atOnce.CancelAsync();
        await application.StopAsync(atOnce.Token);
        await application.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Redirects_AreFollowedWhereTheyAreAllowed(bool byTheHandler)
    {
        using var client = Client(byTheHandler);
        var moved = new Uri(address, "moved");
        var refused = await Assert.ThrowsAsync<HoneException>(() => Image.DownloadAsync(client, moved, cancellationToken: Token));
        Assert.Contains("FollowRedirects", refused.Message, StringComparison.Ordinal);

        var image = await Image.DownloadAsync(client, moved, new() { FollowRedirects = true }, Token);
        Assert.Equal(new byte[] { 1, 2, 3 }, image.Data.ToArray());
        var asked = new List<string>();
        bool Allow(Uri target)
        {
            asked.Add(target.AbsolutePath);
            return target.AbsolutePath == "/moved";
        }

        var elsewhere = await Assert.ThrowsAsync<HoneException>(() => Image.DownloadAsync(client, moved, new() { FollowRedirects = true, Allow = Allow }, Token));
        Assert.Contains("Allow refuses", elsewhere.Message, StringComparison.Ordinal);
        Assert.Equal(["/moved", "/a.png"], asked);
    }

    /// <summary>An address that the caller would not allow is not even asked, as long as the client leaves redirects to Hone.</summary>
    [Fact]
    public async Task Redirects_ToAnAddressThatIsNotAllowed_AreNotFollowed()
    {
        using var client = Client(byTheHandler: false);
        var options = new MediaDownloadOptions { FollowRedirects = true, Allow = target => target.Host == address.Host };

        var error = await Assert.ThrowsAsync<HoneException>(() => Image.DownloadAsync(client, new Uri(address, "away"), options, Token));
        Assert.Contains("169.254.169.254", error.Message, StringComparison.Ordinal);
        var ring = await Assert.ThrowsAsync<HoneException>(() => Image.DownloadAsync(client, new Uri(address, "ring"), options, Token));
        Assert.Contains("more than 10 times", ring.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Timeout_EndsADownloadThatTakesTooLong()
    {
        Assert.Equal(TimeSpan.FromSeconds(30), new MediaDownloadOptions().Timeout);
        using var client = Client(byTheHandler: true);
        var time = new FakeTimeProvider();
        var download = Image.DownloadAsync(client, new Uri(address, "slow"), new() { Time = time }, Token);
        await asked.Task.WaitAsync(Token);
        time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(download.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(2));

        var error = await Assert.ThrowsAsync<HoneException>(() => download);
        Assert.Contains("MediaDownloadOptions.Timeout", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancellation_ByTheCaller_StaysOne()
    {
        using var client = Client(byTheHandler: true);
        using var stop = new CancellationTokenSource();
        var download = Image.DownloadAsync(client, new Uri(address, "slow"), cancellationToken: stop.Token);
        await asked.Task.WaitAsync(Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => download);
    }

    private static HttpClient Client(bool byTheHandler) => new(new SocketsHttpHandler { AllowAutoRedirect = byTheHandler });
}
