using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Modules;

public sealed class ForEachTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Results, ordinals and seeds go by the order of the items, whatever runs first.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(16)]
    public async Task RunAsync_AnyParallelism_GivesTheSame(int parallelism)
    {
        var client = ScriptedChatClient.ByAsync(async (request, index, _) =>
        {
            for (var i = 0; i < (index * 7) % 5; i++)
                await Task.Yield();
            return ScriptedChatClient.Respond(Answer($"{request.LastText.Split('\n')[1]}/{request.Options!.Seed}"));
        });
        var program = new ForEach<string, string>(new Predict<string, string>(), new() { MaxParallelism = parallelism }).WithModel(client);
        var run = await program.RunAsync([.. Enumerable.Range(0, 12).Select(i => $"{i}")], new() { Seed = 5 }, Token);

        Assert.Equal(["module"], program.Predictors.Select(predictor => predictor.Key));
        Assert.Equal(Enumerable.Range(0, 12), run.Trace.Calls.Select(call => call.Ordinal));
        Assert.Equal(run.Value.Select(item => item.Value), run.Trace.Calls.Select(call => call.Outputs!["answer"]));
        Assert.All(run.Value.Index(), item => Assert.StartsWith($"{item.Index}/", item.Item.Value, StringComparison.Ordinal));
        Assert.Equal(12, run.Value.Select(item => item.Value!.Split('/')[1]).Distinct().Count());
        Assert.StartsWith("0/" + new SeedStream(new SeedStream(5).Derive("branch", 0).Derive("item", 0).Seed).Derive("module", 0).Seed, run.Value[0].Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CallManyAsync_Again_HasSeedsOfItsOwn()
    {
        var client = ScriptedChatClient.By((_, _) => Answer("x"));
        await new Twice().WithModel(client).RunAsync(["a", "b"], new() { Seed = 1 }, Token);

        Assert.Equal(8, client.Requests.Select(request => request.Options!.Seed).Distinct().Count());
    }

    [Fact]
    public async Task CallAsync_AFailure_EndsIt_UnlessTheBudgetAllows()
    {
        var client = ScriptedChatClient.By((request, _) => request.LastText.Contains("bad", StringComparison.Ordinal) ? "unreadable" : Answer("ok"));
        Program<IReadOnlyList<string>, IReadOnlyList<ItemResult<string>>> Of(ParallelRunnerOptions? options) =>
            new ForEach<string, string>(new Predict<string, string>(), options).WithModel(client).WithRecovery(RecoveryPolicy.None);

        await Assert.ThrowsAnyAsync<AggregateException>(() => Of(null).CallAsync(["a", "bad"], Token));
        var results = await Of(new() { MaxErrors = 1 }).CallAsync(["a", "bad"], Token);
        Assert.Equal([true, false], results.Select(result => result.Succeeded));
    }

    [Fact]
    public async Task CallAllAsync_Pairs_KeepTheirOrder()
    {
        using var scope = HoneScope.Use(ScriptedChatClient.By((request, _) => Answer(request.SystemText.Contains("First", StringComparison.Ordinal) ? "1" : "2")));
        (Module<string, string>, string)[] calls = [(new Predict<string, string>("First."), "a"), (new Predict<string, string>("Second."), "b")];
        var results = await calls.CallAllAsync(cancellationToken: Token);

        Assert.Equal(["1", "2"], results.Select(result => result.Value));
        Assert.Equal([0, 1], HoneScope.Current!.Trace.Calls.Select(call => call.Ordinal));
    }

    [Fact]
    public async Task StreamAsync_TellsItemsInOrder()
    {
        var client = ScriptedChatClient.By((request, _) => Answer(request.LastText.Split('\n')[1]));
        var calls = new List<(int, string)>();
        await foreach (var happened in new ForEach<string, string>(new Predict<string, string>()).WithModel(client).StreamAsync(["a", "b", "c"], null, Token))
        {
            if (happened is FieldDelta delta)
                calls.Add((delta.Call, delta.Text));
        }

        Assert.Equal([(0, "a"), (1, "b"), (2, "c")], calls.Where(call => call.Item2.Length > 0));
    }

    private sealed class Twice : Module<IReadOnlyList<string>, int>
    {
        private readonly Predict<string, string> step = new();
        private readonly BestOfN<string, string> best = new(new Predict<string, string>(), 2, (_, _) => 0);

        protected override async Task<int> ForwardAsync(IReadOnlyList<string> input, CancellationToken cancellationToken)
        {
            for (var i = 0; i < 2; i++)
            {
                await step.CallManyAsync(input, cancellationToken: cancellationToken);
                await best.CallAsync(input[0], cancellationToken);
            }

            return 0;
        }
    }

    private static string Answer(string text) => $"[[ ## answer ## ]]\n{text}\n\n[[ ## completed ## ]]";
}
