using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using PuppeteerSharp;

namespace Hone.DashboardTests;

/// <summary>A Chromium of this machine, without a window; notes everything that a page may not do.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private readonly IBrowser browser;

    private Browser(IBrowser browser, IPage page) => (this.browser, Page) = (browser, page);

    public IPage Page { get; }

    /// <summary>Errors of the page and messages on its console.</summary>
    public ConcurrentQueue<string> Complaints { get; } = [];

    /// <summary>Every address that was asked for.</summary>
    public ConcurrentQueue<Uri> Requests { get; } = [];

    /// <summary>Where screenshots go: not part of the repository, kept by CI.</summary>
    private static string Folder { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", "artifacts", "dashboard"));

    /// <summary>Starts the browser, or skips the test where there is none. In CI there must be one.</summary>
    public static async Task<Browser> StartAsync()
    {
        var path = Find();
        if (Environment.GetEnvironmentVariable("HONE_REQUIRE_CHROMIUM") == "1")
            Assert.True(path is not null, "CI must have a Chromium: .ci/run installs it. Set HONE_CHROMIUM to its path where it has another name.");
        Assert.SkipWhen(path is null, "No Chromium was found: install the package 'chromium', or set HONE_CHROMIUM to the path of a Chromium or Chrome.");
        var browser = await Puppeteer.LaunchAsync(new()
        {
            ExecutablePath = path,
            Headless = true,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--disable-background-networking", "--force-color-profile=srgb"],
        });
        var started = new Browser(browser, await browser.NewPageAsync());
        started.Listen();
        return started;
    }

    public Task ResizeAsync(int width, int height, double scale = 1) => Page.SetViewportAsync(new() { Width = width, Height = height, DeviceScaleFactor = scale });

    public Task UseSchemeAsync(string scheme) =>
        Page.EmulateMediaFeaturesAsync([new() { MediaFeature = MediaFeature.PrefersColorScheme, Value = scheme }]);

    /// <summary>Waits until a condition of the page holds.</summary>
    public Task UntilAsync(string condition) => Page.WaitForFunctionAsync($"() => {condition}", new WaitForFunctionOptions { Timeout = 20_000 });

    public Task<T> AskAsync<T>(string expression) => Page.EvaluateExpressionAsync<T>(expression);

    public async Task ShootAsync(string name, bool isFull = true)
    {
        Directory.CreateDirectory(Folder);
        await Page.ScreenshotAsync(Path.Combine(Folder, name + ".png"), new() { FullPage = isFull });
    }

    public async ValueTask DisposeAsync() => await browser.DisposeAsync();

    private void Listen()
    {
        Page.Console += (_, message) => Complaints.Enqueue($"{message.Message.Type}: {message.Message.Text}");
        Page.PageError += (_, error) => Complaints.Enqueue($"error: {error.Message}");
        Page.Dialog += (_, dialog) => Complaints.Enqueue($"dialog: {dialog.Dialog.Message}");
        Page.Request += (_, request) => Requests.Enqueue(new(request.Request.Url));
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("HONE_CHROMIUM") is { Length: > 0 } given)
            return given;
        string[] names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
        return (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator)
            .SelectMany(folder => names.Select(name => Path.Combine(folder, name)))
            .FirstOrDefault(File.Exists);
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
