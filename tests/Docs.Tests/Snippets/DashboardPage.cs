using Hone;
using Hone.Optimizers;
using Hone.Testing;

namespace Docs.Tests.Snippets.DashboardPage;

public sealed class DashboardTests
{
    [Fact]
    public async Task Dashboard_IsServedBesideARun()
    {
        var lm = new LM(new ToyPolicy(new ToyChoice("answer", "[[ ## answer ## ]]\nno", "[[ ## answer ## ]]\nyes")), "toy");
        var program = new Predict<Ask, Reply>("Answer.").WithModel(lm);
        var recall = Metric.From<Ask, Reply>((_, output) => output.Answer == "yes" ? 1 : 0);
        Example<Ask, Reply>[] train = [new(new("One?"), new("yes"))], validation = [new(new("Two?"), new("yes"))];
        IProgress<GrpoEvent>? console = null;
        #region dashboard-start
        await using var dashboard = await Dashboard.StartAsync(new()
        {
            Title = "Multi-hop research",
            TokenTexts = lm.GetService<ITokenTextSource>(),        // token texts in the rollout browser; without it, their numbers
            Next = console,                                         // whoever else listens, e.g. a display on the console
        });
        Console.WriteLine(dashboard.Address);                       // http://127.0.0.1:…

        var result = await Grpo.Create(recall, new GrpoOptions { Progress = dashboard.Progress, Control = dashboard.Control })
            .CompileAsync(program, train, validation);
        #endregion
        Assert.Equal(100, result.Steps.Count);
        Assert.True(dashboard.Address.IsLoopback);
    }

    [Fact]
    public async Task Dashboard_OpensARunOfADirectory()
    {
        var lm = new LM(new ToyPolicy(new ToyChoice("x", "y")), "toy");
        await Assert.ThrowsAsync<HoneException>(OpenAsync);

        async Task OpenAsync()
        {
            #region dashboard-open
            await using var dashboard = await Dashboard.OpenAsync("runs/multi-hop-001", new() { TokenTexts = lm.GetService<ITokenTextSource>() });
            #endregion
        }
    }

    public sealed record Ask(string Question);

    public sealed record Reply(string Answer);
}
