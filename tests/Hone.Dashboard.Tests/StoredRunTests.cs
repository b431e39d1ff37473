using Hone.Optimizers;

namespace Hone.DashboardTests;

/// <summary>Runs that were kept in a directory.</summary>
public sealed class StoredRunTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("hone-dashboard").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task OpenAsync_AKeptRun_ShowsIt_ReadOnly()
    {
        var result = await Watched.RunAsync(Watched.Options with { Steps = 7, RunDirectory = directory }, Token);
        string[] Files() => [.. Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Order().Select(file => $"{file} {File.GetLastWriteTimeUtc(file):O}")];
        var before = Files();
        await using (var dashboard = await Dashboard.OpenAsync(directory, new() { TokenTexts = Watched.Policy() }, Token))
        {
            using var client = new HttpClient { BaseAddress = dashboard.Address };
            using var reader = await EventReader.OpenAsync(client, null, Token);
            var told = await reader.UntilAsync(each => each.Type == "status", Token);
            Assert.False(told[0].Data.GetProperty("isLive").GetBoolean());
            Assert.Equal(
                result.Steps.Select(step => step.RewardMean),
                told.Where(each => each.Type == "step").Select(each => each.Data.GetProperty("report").GetProperty("rewardMean").GetDouble()));
            Assert.Equal(result.Validations.Count, told.Count(each => each.Type == "validation"));
            Assert.Single(told, each => each.Type == "checked");
            using var rollout = await Json.GetAsync(client, "/api/rollouts/6/3", Token);
            var call = rollout.RootElement.GetProperty("calls")[0];
            Assert.Equal(call.GetProperty("text").GetString(), call.GetProperty("tokens").GetProperty("texts")[0].GetString());
            Assert.Throws<HoneException>(() => dashboard.Control);
            Assert.Throws<HoneException>(() => dashboard.Progress);
        }

        Assert.Equal(before, Files());
    }

    /// <summary>An answer that the limit cut off shows as one, also when it is read from the directory.</summary>
    [Fact]
    public void Show_AnswerThatWasCutOff_SaysSo()
    {
        StoredCall Call(bool isCut) => new("plan", 0, "text", null, 0.5, 1, [1], [2], [-0.5f], isCut);
        var shown = new RolloutViews(null).Show(0, 0, [new StoredRollout(0, 0, null, 1, Reinforcement.RolloutOutcome.Scored, 1, null, null, null, [Call(true), Call(false)])]);
        Assert.Equal([true, false], shown.Calls.Select(call => call.IsTruncated));
    }

    /// <summary>Every way in which a run of reinforcement ends has words on the page.</summary>
    [Theory]
    [InlineData(StopReason.Completed)]
    [InlineData(StopReason.Requested)]
    [InlineData(StopReason.TimeBudget)]
    [InlineData(StopReason.TokenBudget)]
    [InlineData(StopReason.ExternalCallBudget)]
    [InlineData(StopReason.CostBudget)]
    [InlineData(StopReason.ModelBudget)]
    [InlineData(StopReason.Collapsed)]
    [InlineData(StopReason.NoImprovement)]
    public void Page_EndOfARun_HasWords(StopReason reason)
    {
        var name = $"{reason}";
        Assert.Contains($"{char.ToLowerInvariant(name[0])}{name[1..]}: '", System.Text.Encoding.UTF8.GetString(PageFiles.Load("dashboard.js")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenAsync_NoRun_SaysWhatToPass()
    {
        var error = await Assert.ThrowsAsync<HoneException>(() => Dashboard.OpenAsync(directory, cancellationToken: Token));
        Assert.Contains("run.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Progress_OfAResumedRun_TellsTheStepsBefore()
    {
        using (var control = new RunControl())
        {
            var options = Watched.Options with { Steps = 8, SaveStateEvery = 2, RunDirectory = directory, Control = control };
            await Watched.RunAsync(options with { Progress = new StopAfter(control, 4) }, Token);
        }

        await using var dashboard = await Dashboard.StartAsync(new() { RunDirectory = directory }, Token);
        using var client = new HttpClient { BaseAddress = dashboard.Address };
        await Watched.RunAsync(Watched.Options with { Steps = 8, SaveStateEvery = 2, RunDirectory = directory, Resume = true, Progress = dashboard.Progress }, Token);
        using var reader = await EventReader.OpenAsync(client, null, Token);
        var told = await reader.UntilAsync(each => each.Type == "finished", Token);
        Assert.Equal(Enumerable.Range(0, 8), told.Where(each => each.Type == "step").Select(each => each.Data.GetProperty("report").GetProperty("step").GetInt32()));
        Assert.True(told.Last(each => each.Type == "validation").Data.TryGetProperty("comparison", out _));
    }

    private sealed class StopAfter(RunControl control, int step) : IProgress<GrpoEvent>
    {
        public void Report(GrpoEvent value)
        {
            if (value is GrpoStepCompleted { Report.Step: var done } && done == step)
                control.Stop();
        }
    }
}
