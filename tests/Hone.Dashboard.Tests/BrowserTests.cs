using Hone.Optimizers;

namespace Hone.DashboardTests;

/// <summary>The page in a real browser, beside a real run.</summary>
public sealed class BrowserTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("hone-page").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    /// <summary>A run is watched from its start to its end: curves, hostile answers, pause, checkpoint, stop.</summary>
    [Fact]
    public async Task Page_BesideARun_ShowsAndSteersIt()
    {
        await using var browser = await Browser.StartAsync();
        using var gate = new Gate();
        await using var dashboard = await Dashboard.StartAsync(
            new() { Title = "Plan and answer", TokenTexts = Watched.Policy(), Next = gate, RunDirectory = directory }, Token);
        await browser.ResizeAsync(1360, 900);
        await browser.UseSchemeAsync("light");
        await browser.Page.GoToAsync(dashboard.Address.AbsoluteUri);
        await browser.UntilAsync("document.querySelector('#state').textContent.includes('waiting')");

        var options = Watched.Options with { SaveStateEvery = 1000, RunDirectory = directory, Progress = dashboard.Progress, Control = dashboard.Control };
        var running = Task.Run(() => Watched.RunAsync(options, Token), Token);
        gate.Let(23);
        await browser.UntilAsync("document.querySelector('.tile dd').textContent.startsWith('24')");
        await SeeCurvesAsync(browser);
        await SeeHostileTextAsync(browser);
        await SeeAnswersAsync(browser);
        await PauseAndSaveAsync(browser, gate);
        await StopAsync(browser, gate);

        var result = await running;
        Assert.Equal(StopReason.Requested, result.StopReason);
        Assert.True(result.BestScore > result.BaselineScore);
        Assert.True(result.BestStep >= 0);
        await browser.UntilAsync("document.querySelector('#state').textContent.includes('finished')");
        await browser.Page.ClickAsync("#tab-overview");
        await browser.UntilAsync("!document.querySelector('#banner').hidden");
        await browser.ShootAsync("finished-light");
        await AssertQuietAsync(browser, dashboard.Address);
    }

    /// <summary>Every view fits a phone: nothing is wider than the screen.</summary>
    [Fact]
    public async Task Page_OnANarrowScreen_NeedsNoSidewaysScrolling()
    {
        await using var browser = await Browser.StartAsync();
        await using var dashboard = await Dashboard.StartAsync(new() { Title = "Plan and answer, with a rather long title", TokenTexts = Watched.Policy() }, Token);
        await Watched.RunAsync(Watched.Options with { Progress = dashboard.Progress }, Token);
        await browser.ResizeAsync(360, 780, 2);
        await browser.UseSchemeAsync("dark");
        await browser.Page.GoToAsync(dashboard.Address.AbsoluteUri);
        foreach (var view in new[] { "overview", "rollouts", "answers", "log" })
        {
            await browser.Page.ClickAsync($"#tab-{view}");
            var content = view switch { "overview" => ".chart path.line", "rollouts" => ".call", "answers" => ".answer", _ => ".note" };
            await browser.UntilAsync($"document.querySelector('#{view} {content}')");
            Assert.Equal(360, await browser.AskAsync<int>("document.documentElement.scrollWidth"));
            await browser.ShootAsync($"narrow-{view}-dark");
        }

        await AssertQuietAsync(browser, dashboard.Address);
    }

    /// <summary>The page can be used without a mouse.</summary>
    [Fact]
    public async Task Page_ByKeyboard_IsUsable()
    {
        await using var browser = await Browser.StartAsync();
        await using var dashboard = await Dashboard.StartAsync(new() { TokenTexts = Watched.Policy() }, Token);
        await Watched.RunAsync(Watched.Options with { Steps = 12, Progress = dashboard.Progress }, Token);
        await browser.Page.GoToAsync(dashboard.Address.AbsoluteUri);
        await browser.UntilAsync("document.querySelector('.chart path.line')");

        await browser.Page.FocusAsync("#tab-overview");
        await browser.Page.Keyboard.PressAsync("ArrowRight");
        await browser.UntilAsync("!document.querySelector('#rollouts').hidden && document.activeElement.id === 'tab-rollouts'");
        await browser.UntilAsync("document.querySelector('.tokens')");
        await browser.Page.FocusAsync(".chip");
        await browser.Page.Keyboard.PressAsync("ArrowRight");
        await browser.Page.Keyboard.PressAsync("Enter");
        await browser.UntilAsync("document.querySelector('#rollout h2').textContent.startsWith('Rollout 2 ')");
        await browser.Page.FocusAsync(".tokens");
        await browser.Page.Keyboard.PressAsync("ArrowRight");
        await browser.UntilAsync("!document.querySelector('#tip').hidden && document.querySelector('#speak').textContent.includes('log-probability')");

        await browser.Page.ClickAsync("#tab-overview");
        await browser.Page.FocusAsync("[data-chart=reward] svg");
        await browser.Page.Keyboard.PressAsync("ArrowLeft");
        await browser.UntilAsync("document.querySelector('#speak').textContent.startsWith('Reward, step 11')");
        Assert.Equal("[]", await browser.AskAsync<string>(
            "JSON.stringify([...document.querySelectorAll('button, select, svg[tabindex], input')].filter(e => !e.textContent.trim() && !e.ariaLabel && !e.labels?.length).map(e => e.outerHTML.slice(0, 80)))"));
        await AssertQuietAsync(browser, dashboard.Address);
    }

    /// <summary>A run of a directory looks the same, without buttons.</summary>
    [Fact]
    public async Task Page_OnAKeptRun_ShowsItWithoutButtons()
    {
        await using var browser = await Browser.StartAsync();
        var judge = Watched.Judge();
        await Watched.RunJudgedAsync(judge, Watched.Options with { Steps = 15, RunDirectory = directory }, Token);
        await using var dashboard = await Dashboard.OpenAsync(directory, new() { Title = "A kept run", TokenTexts = Watched.Policy() }, Token);
        await browser.ResizeAsync(1100, 800);
        await browser.Page.GoToAsync(dashboard.Address.AbsoluteUri);
        await browser.UntilAsync("document.querySelector('[data-chart=reward] path.line')");
        Assert.True(await browser.AskAsync<bool>("document.querySelector('#controls').hidden"));
        await SeeCostAsync(browser, judge.Requests.Count);
        await browser.ShootAsync("kept-run-light");
        await browser.Page.ClickAsync("#tab-rollouts");
        await browser.UntilAsync("document.querySelectorAll('.chip').length === 32 && document.querySelector('.tokens')");
        await browser.Page.ClickAsync("#tab-answers");
        await browser.UntilAsync("document.querySelector('#answers .empty')");
        await AssertQuietAsync(browser, dashboard.Address);
    }

    /// <summary>The token of a page does not stay in its address; reloading shows the same run.</summary>
    [Fact]
    public async Task Page_WithAToken_TakesItOutOfTheAddress_AndReloads()
    {
        await using var browser = await Browser.StartAsync();
        await using var dashboard = await Dashboard.StartAsync(new() { RequireToken = true }, Token);
        var judge = Watched.Judge();
        await Watched.RunJudgedAsync(judge, Watched.Options with { Steps = 6, Progress = dashboard.Progress }, Token);
        await browser.Page.GoToAsync(dashboard.Address.AbsoluteUri);
        await browser.UntilAsync("document.querySelector('.chart path.line')");
        Assert.Equal(string.Empty, await browser.AskAsync<string>("location.search"));
        await browser.Page.ReloadAsync();
        await browser.UntilAsync("document.querySelector('.tile dd')?.textContent.startsWith('6')");
        await SeeCostAsync(browser, judge.Requests.Count);
        await AssertQuietAsync(browser, dashboard.Address);
    }

    private static async Task SeeCurvesAsync(Browser browser)
    {
        foreach (var chart in new[] { "reward", "validation", "length", "parts" })
            await browser.UntilAsync($"document.querySelector('[data-chart={chart}] path.line')?.getTotalLength() > 50");
        await browser.UntilAsync("document.querySelector('[data-chart=reward] path.band') && document.querySelector('[data-chart=validation] line.whisker')");
        await browser.UntilAsync("document.querySelectorAll('[data-chart=format] rect').length > 0");
        Assert.Contains("sampled", await browser.AskAsync<string>("document.querySelector('[data-chart=validation]').textContent"), StringComparison.Ordinal);
        await browser.ShootAsync("overview-light");
        await browser.UseSchemeAsync("dark");
        await browser.ShootAsync("overview-dark");
        await browser.UseSchemeAsync("light");
    }

    // The tiles tell every call that was paid for: those of the checks, of steps and of validations.
    private static async Task SeeCostAsync(Browser browser, int calls)
    {
        var thousands = calls >= 1000 ? FormattableString.Invariant($"{calls / 1000.0:0.#}K") : FormattableString.Invariant($"{calls}");
        const string Tiles = "JSON.stringify([...document.querySelectorAll('.tile')].filter(t => ['External calls', 'Cost'].includes(t.querySelector('dt').textContent)).map(t => t.querySelector('dd').textContent))";
        Assert.Equal(FormattableString.Invariant($"[\"{thousands}\",\"{calls * Watched.JudgePrice:0.00}\"]"), await browser.AskAsync<string>(Tiles));
    }

    private static async Task SeeHostileTextAsync(Browser browser)
    {
        await browser.Page.ClickAsync("#tab-rollouts");
        await browser.UntilAsync("document.querySelectorAll('.chip').length === 32");

        // The first steps have them all: whoever looks for the attack finds it as text.
        await browser.Page.SelectAsync("#step", "0");
        await browser.UntilAsync("document.querySelector('#rollout .facts')?.textContent.startsWith('Step1')");
        for (var position = 0; position < 32; position++)
        {
            await browser.Page.EvaluateExpressionAsync($"document.querySelector('[data-position=\"{position}\"]').click()");
            await browser.UntilAsync($"location.hash === '#rollouts/1/{position}'");
            if ((await browser.AskAsync<string>("document.querySelector('.tokens:last-of-type')?.parentElement.parentElement.textContent ?? ''")).Contains("<script>", StringComparison.Ordinal))
                break;
        }

        Assert.Contains(Watched.Hostile, await browser.AskAsync<string>("document.querySelector('#rollout').textContent"), StringComparison.Ordinal);
        await browser.Page.ClickAsync(".call summary");
        await browser.ShootAsync("rollout-light");
        await browser.Page.EvaluateExpressionAsync("document.querySelector('input[name=colour][value=advantage]').click()");
        await browser.UseSchemeAsync("dark");
        await browser.ShootAsync("rollout-advantage-dark");
        await browser.UseSchemeAsync("light");
        Assert.Equal(0, await browser.AskAsync<int>("document.querySelectorAll('#rollout script, #rollout img').length"));
        Assert.True(await browser.AskAsync<bool>("window.attacked === undefined"));
    }

    private static async Task SeeAnswersAsync(Browser browser)
    {
        await browser.Page.ClickAsync("#tab-answers");
        await browser.UntilAsync("document.querySelectorAll('.answer').length === 20");
        Assert.Contains("better", await browser.AskAsync<string>("document.querySelector('#answer-summary').textContent"), StringComparison.Ordinal);
        await browser.ShootAsync("answers-light", isFull: false);
        await browser.Page.ClickAsync("#tab-log");
        await browser.UntilAsync("document.querySelector('#notes .note')");
        await browser.ShootAsync("log-light");
    }

    // The gate holds the run after step 24: it is paused there, and goes no further when the gate opens.
    private async Task PauseAndSaveAsync(Browser browser, Gate gate)
    {
        await browser.Page.ClickAsync("#pause");
        await browser.UntilAsync("document.querySelector('#pause').textContent === 'Continue'");
        await browser.Page.ClickAsync("#tab-overview");
        gate.Let(1);
        await browser.UntilAsync("document.querySelector('#state').textContent.includes('paused')");

        // A state that is written while paused proves that the loop came by and waits.
        var saved = gate.NextAsync(happened => happened is GrpoStateSaved);
        await browser.Page.ClickAsync("#checkpoint");
        var state = Assert.IsType<GrpoStateSaved>(await saved.WaitAsync(Token));
        Assert.Equal(24, state.NextStep);
        Assert.True(Directory.Exists(Path.Combine(directory, "state", "step-00024")));
        await browser.UntilAsync("document.querySelector('#toast').textContent.startsWith('State saved')");
        Assert.Equal(24, gate.Steps);
        Assert.StartsWith("24", await browser.AskAsync<string>("document.querySelector('.tile dd').textContent"), StringComparison.Ordinal);
        await browser.ShootAsync("paused-light", isFull: false);

        var next = gate.NextAsync(happened => happened is GrpoStepCompleted { Report.Step: 24 });
        await browser.Page.ClickAsync("#pause");
        await next.WaitAsync(Token);
        await browser.UntilAsync("document.querySelector('.tile dd').textContent.startsWith('25')");
    }

    private static async Task StopAsync(Browser browser, Gate gate)
    {
        await browser.Page.ClickAsync("#stop");
        await browser.UntilAsync("document.querySelector('#confirm').open");
        await browser.ShootAsync("stop-light", isFull: false);
        await browser.Page.ClickAsync("#confirm-yes");
        await browser.UntilAsync("document.querySelector('#state').textContent.includes('stopping')");
        gate.Let(1);
    }

    private static async Task AssertQuietAsync(Browser browser, Uri address)
    {
        Assert.True(await browser.AskAsync<bool>("window.attacked === undefined"));
        Assert.Empty(browser.Complaints);
        Assert.All(browser.Requests, request => Assert.Equal(address.Authority, request.Authority));
    }
}
