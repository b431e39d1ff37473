using Hone.Optimizers;

namespace Hone.DashboardTests;

/// <summary>What pages are told while a run goes on.</summary>
public sealed class EventsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Events_TwoListeners_GetTheSame_AndALateOneGetsAll()
    {
        await using var dashboard = await Dashboard.StartAsync(cancellationToken: Token);
        using var client = new HttpClient { BaseAddress = dashboard.Address };
        using var first = await EventReader.OpenAsync(client, null, Token);
        var running = Watched.RunAsync(Watched.Options with { Steps = 12, Progress = dashboard.Progress, Control = dashboard.Control }, Token);
        var early = await first.UntilAsync(each => each.Type == "finished", Token);
        var result = await running;
        using var second = await EventReader.OpenAsync(client, null, Token);
        var late = await second.UntilAsync(each => each.Type == "finished", Token);

        string[] Kept(List<StreamEvent> events) => [.. events.Where(each => each.Id is not null).Select(each => $"{each.Id} {each.Type} {each.Data}")];
        Assert.Equal(Kept(early), Kept(late));
        Assert.Equal(12, late.Count(each => each.Type == "step"));
        Assert.Equal(result.Validations.Count, late.Count(each => each.Type == "validation"));
        Assert.Single(late, each => each.Type == "checked");
        Assert.Equal("hello", late[0].Type);
        var last = late.Last(each => each.Type == "validation").Data;
        Assert.Equal(result.Validations[^1].Score, last.GetProperty("validation").GetProperty("score").GetDouble());
        Assert.Empty(last.GetProperty("validation").GetProperty("scores").EnumerateArray());
        Assert.Equal(result.Comparison!.Interval.Low, late[^1].Data.GetProperty("comparison").GetProperty("interval").GetProperty("low").GetDouble());
        Assert.InRange(late.First(each => each.Type == "step").Data.GetProperty("rewardError").GetDouble(), .01, .5);
    }

    [Fact]
    public async Task Events_AfterABreak_GoOnBehindTheLastOneSeen()
    {
        await using var dashboard = await Dashboard.StartAsync(cancellationToken: Token);
        using var client = new HttpClient { BaseAddress = dashboard.Address };
        await Watched.RunAsync(Watched.Options with { Steps = 6, Progress = dashboard.Progress }, Token);
        List<StreamEvent> all;
        using (var reader = await EventReader.OpenAsync(client, null, Token))
            all = await reader.UntilAsync(each => each.Type == "finished", Token);
        var seen = all.First(each => each.Type == "step" && each.Data.GetProperty("report").GetProperty("step").GetInt32() == 3);
        using var again = await EventReader.OpenAsync(client, seen.Id, Token);
        var rest = await again.UntilAsync(each => each.Type == "finished", Token);
        Assert.Equal([4, 5], rest.Where(each => each.Type == "step").Select(each => each.Data.GetProperty("report").GetProperty("step").GetInt32()));
        Assert.DoesNotContain(rest, each => each.Type == "started");

        // A number of another run says nothing about this one.
        using var other = await EventReader.OpenAsync(client, "abcdef-5", Token);
        Assert.Contains(await other.UntilAsync(each => each.Type == "finished", Token), each => each.Type == "started");
    }

    [Fact]
    public async Task Events_WhenTheDashboardGoes_SayThatItIsOver()
    {
        var dashboard = await Dashboard.StartAsync(cancellationToken: Token);
        using var client = new HttpClient { BaseAddress = dashboard.Address };
        using var reader = await EventReader.OpenAsync(client, null, Token);
        await reader.UntilAsync(each => each.Type == "status", Token);
        await dashboard.DisposeAsync();
        await reader.UntilAsync(each => each.Type == "closed", Token);
        Assert.Null(await reader.NextAsync(Token));
    }

    [Fact]
    public async Task Rollouts_OfALongRun_AreKeptForTheLastStepsOnly()
    {
        await using var dashboard = await Dashboard.StartAsync(new() { KeptSteps = 3, TokenTexts = Watched.Policy() }, Token);
        using var client = new HttpClient { BaseAddress = dashboard.Address };
        await Watched.RunAsync(Watched.Options with { Steps = 9, Progress = dashboard.Progress }, Token);
        using var steps = await Json.GetAsync(client, "/api/rollouts", Token);
        Assert.Equal([6, 7, 8], steps.RootElement.GetProperty("steps").EnumerateArray().Select(step => step.GetInt32()));
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await client.GetAsync("/api/rollouts/5", Token)).StatusCode);
        using var list = await Json.GetAsync(client, "/api/rollouts/8", Token);
        Assert.Equal(32, list.RootElement.GetProperty("rollouts").GetArrayLength());
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await client.GetAsync("/api/rollouts/8/32", Token)).StatusCode);
        using var rollout = await Json.GetAsync(client, "/api/rollouts/8/0", Token);
        var call = rollout.RootElement.GetProperty("calls")[0];
        Assert.Equal(call.GetProperty("text").GetString(), call.GetProperty("tokens").GetProperty("texts")[0].GetString());
        Assert.True(call.GetProperty("tokens").GetProperty("logProbs")[0].GetDouble() <= 0);
        Assert.Contains(call.GetProperty("messages").EnumerateArray(), message => message.GetProperty("role").GetString() == "system");
    }

    [Fact]
    public void Feed_WithTooManyEntries_DropsTheOldest()
    {
        var feed = new RunFeed(100);
        for (var i = 0; i < 1000; i++)
            feed.Append("note", [(byte)'{', (byte)'}']);
        var (entries, _, _) = feed.Read(0);
        Assert.InRange(entries.Count, 90, 100);
        Assert.Equal(1000, entries[^1].Id);
        Assert.Equal(1000, entries.Count + feed.Dropped);
        Assert.Equal(1000, Assert.Single(feed.Read(999).Entries).Id);
        Assert.Empty(feed.Read(1000).Entries);
    }

    [Fact]
    public async Task Answers_BeforeAndAfter_ShowTheLargestChangesFirst()
    {
        await using var dashboard = await Dashboard.StartAsync(cancellationToken: Token);
        using var client = new HttpClient { BaseAddress = dashboard.Address };
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await client.GetAsync("/api/answers", Token)).StatusCode);
        var result = await Watched.RunAsync(Watched.Options with { Progress = dashboard.Progress }, Token);
        using var page = await Json.GetAsync(client, "/api/answers?set=best", Token);
        var root = page.RootElement;
        Assert.Equal((-1, result.BestStep), (root.GetProperty("before").GetInt32(), root.GetProperty("after").GetInt32()));
        var rows = root.GetProperty("rows").EnumerateArray().ToArray();
        Assert.Equal(20, rows.Length);
        double[] changes = [.. rows.Select(row => Math.Abs(row.GetProperty("after").GetProperty("score").GetDouble() - row.GetProperty("before").GetProperty("score").GetDouble()))];
        Assert.Equal(changes.OrderDescending(), changes);
        Assert.Equal(Watched.Validation[rows[0].GetProperty("index").GetInt32()].Input.Text, rows[0].GetProperty("before").GetProperty("input").GetString());
        using var better = await Json.GetAsync(client, "/api/answers?change=better&skip=20", Token);
        Assert.Equal(Math.Clamp(root.GetProperty("better").GetInt32() - 20, 0, 20), better.RootElement.GetProperty("rows").GetArrayLength());
    }
}
