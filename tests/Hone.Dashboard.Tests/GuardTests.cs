using System.Net;
using System.Text.RegularExpressions;
using Hone.Optimizers;

namespace Hone.DashboardTests;

/// <summary>Who may ask for what.</summary>
public sealed partial class GuardTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Page_AllowsNothingFromElsewhere()
    {
        await using var dashboard = await Dashboard.StartAsync(new() { Title = "<b>&\"title" }, Token);
        Assert.True(dashboard.Address.IsLoopback);
        using var client = new HttpClient { BaseAddress = dashboard.Address };
        using var response = await client.GetAsync("/", Token);
        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
        var page = await response.Content.ReadAsStringAsync(Token);
        Assert.Contains("&lt;b&gt;&amp;&quot;title", page, StringComparison.Ordinal);
        Assert.DoesNotContain("{{", page, StringComparison.Ordinal);
        foreach (var file in new[] { "index.html", "dashboard.css", "dashboard.js" })
        {
            // The name of the SVG namespace is no address that anything is fetched from.
            var text = System.Text.Encoding.UTF8.GetString(PageFiles.Load(file)).Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal);
            Assert.DoesNotMatch(@"https?://|@import|url\(|innerHTML|eval\(|style=""", text);
        }
    }

    [Fact]
    public async Task StartAsync_PortThatIsTaken_IsAnError()
    {
        await using var dashboard = await Dashboard.StartAsync(cancellationToken: Token);
        await Assert.ThrowsAsync<IOException>(() => Dashboard.StartAsync(new() { Port = dashboard.Address.Port }, Token));
    }

    [Theory]
    [InlineData("attacker.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost.attacker.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("192.168.1.4", HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost", HttpStatusCode.OK)]
    [InlineData("127.0.0.1:9000", HttpStatusCode.OK)]
    [InlineData("[::1]:9000", HttpStatusCode.OK)]
    [InlineData("trainer.lan", HttpStatusCode.OK)]
    public async Task Host_ThatIsNotOurs_GetsNothing(string host, HttpStatusCode expected)
    {
        await using var dashboard = await Dashboard.StartAsync(new() { HostNames = ["trainer.lan"] }, Token);
        using var client = new HttpClient { BaseAddress = dashboard.Address };
        foreach (var path in new[] { "/", "/api/rollouts" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Host = host;
            Assert.Equal(expected, (await client.SendAsync(request, Token)).StatusCode);
        }
    }

    [Fact]
    public async Task Actions_TakeTheWordOfThePage_AndItsOrigin()
    {
        await using var dashboard = await Dashboard.StartAsync(cancellationToken: Token);
        using var client = new HttpClient { BaseAddress = dashboard.Address };
        var word = Word().Match(await client.GetStringAsync("/", Token)).Groups[1].Value;
        var own = dashboard.Address.GetLeftPart(UriPartial.Authority);
        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync(client, "/api/pause", null));
        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync(client, "/api/pause", word + "0"));
        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync(client, "/api/pause", word, ("Origin", "http://attacker.example")));
        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync(client, "/api/pause", word, ("Sec-Fetch-Site", "cross-site")));
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/api/pause", Token)).StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await client.DeleteAsync("/api/pause", Token)).StatusCode);
        Assert.False(dashboard.Control.IsPaused);
        Assert.Equal(HttpStatusCode.NoContent, await PostAsync(client, "/api/pause", word, ("Origin", own), ("Sec-Fetch-Site", "same-origin")));
        Assert.True(dashboard.Control.IsPaused);
        Assert.Equal(HttpStatusCode.NoContent, await PostAsync(client, "/api/continue", word));
        Assert.False(dashboard.Control.IsPaused);
        Assert.Equal(HttpStatusCode.NotFound, await PostAsync(client, "/api/explode", word));
        Assert.Equal(HttpStatusCode.NoContent, await PostAsync(client, "/api/stop", word));
        Assert.True(dashboard.Control.IsStopRequested);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Token_WhereOneIsNeeded_IsAskedOfEverything(bool isOpenToOthers)
    {
        await using var dashboard = await Dashboard.StartAsync(
            isOpenToOthers ? new() { Address = IPAddress.Any } : new() { RequireToken = true }, Token);
        Assert.Matches("token=[0-9a-f]{48}", dashboard.Address.Query);
        var root = new Uri(dashboard.Address.GetLeftPart(UriPartial.Authority));
        using var stranger = new HttpClient { BaseAddress = root };
        foreach (var path in new[] { "/", "/dashboard.js", "/api/events", "/api/rollouts", "/?token=", "/?token=00", "/api/rollouts?token=" + new string('0', 48) })
            Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.GetAsync(path, Token)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(stranger, "/api/stop", "word"));

        using var handler = new HttpClientHandler { CookieContainer = new() };
        using var browser = new HttpClient(handler) { BaseAddress = root };
        using (var opened = await browser.GetAsync(dashboard.Address, Token))
        {
            Assert.Equal(HttpStatusCode.OK, opened.StatusCode);
            var cookie = Assert.Single(opened.Headers.GetValues("Set-Cookie"));
            Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        }

        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/rollouts", Token)).StatusCode);

        using var program = new HttpClient { BaseAddress = root, DefaultRequestHeaders = { Authorization = new("Bearer", dashboard.Address.Query["?token=".Length..]) } };
        Assert.Equal(HttpStatusCode.OK, (await program.GetAsync("/api/rollouts", Token)).StatusCode);
    }

    [Fact]
    public async Task HostileText_LeavesAsJsonOnly_WithoutMarkup()
    {
        await using var dashboard = await Dashboard.StartAsync(cancellationToken: Token);
        using var client = new HttpClient { BaseAddress = dashboard.Address };
        await Watched.RunAsync(Watched.Options with { Steps = 5, Progress = dashboard.Progress }, Token);
        var found = 0;
        for (var position = 0; position < 32; position++)
        {
            using var response = await client.GetAsync($"/api/rollouts/0/{position}", Token);
            Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
            var text = await response.Content.ReadAsStringAsync(Token);
            Assert.DoesNotContain("<", text, StringComparison.Ordinal);
            found += text.Contains("window.attacked", StringComparison.Ordinal) ? 1 : 0;
        }

        Assert.True(found > 0);
    }

    private static async Task<HttpStatusCode> PostAsync(HttpClient client, string path, string? word, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        if (word is not null)
            request.Headers.Add("X-Hone-Action", word);
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        using var response = await client.SendAsync(request, Token);
        return response.StatusCode;
    }

    [GeneratedRegex("name=\"hone-action\" content=\"([0-9a-f]+)\"")]
    private static partial Regex Word();
}
