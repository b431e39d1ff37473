using Microsoft.Extensions.AI;

namespace Samples.Tests.World;

public sealed class ResearchHopTests
{
    private static readonly Encyclopedia World = Encyclopedia.Create(seed: 50);

    [Fact]
    public void Predictors_Paths_AreTheMethodNames()
    {
        using var search = World.CreateRetriever();
        var program = new Program<Claim, Research>(new ResearchHop(search));
        Assert.Equal(["append_notes", "generate_query"], program.Predictors.Select(predictor => predictor.Key).Order());
    }

    [Fact]
    public async Task RunAsync_RightAnswers_FindsAllThreeTitlesWithFourCalls()
    {
        using var search = World.CreateRetriever();
        var task = World.Tasks[Region.Test][0];
        using var client = new ScriptedClient(
            $"[[ ## new_key_facts ## ]]\n[\"{task.FirstFact}\"]\n\n[[ ## completed ## ]]",
            $"[[ ## reasoning ## ]]\nLook up {task.Second}.\n\n[[ ## query ## ]]\n{task.Second}\n\n[[ ## completed ## ]]",
            $"[[ ## new_key_facts ## ]]\n[\"{task.SecondFact}\"]\n\n[[ ## completed ## ]]",
            $"[[ ## reasoning ## ]]\nLook up {task.Third}.\n\n[[ ## query ## ]]\n{task.Third}\n\n[[ ## completed ## ]]");

        var run = await new ResearchHop(search).WithModel(client).RunAsync(task.Claim, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(1, ResearchHop.Recall(task.ToExample(), run.Value));
        Assert.Equal([task.FirstFact, task.SecondFact], run.Value.KeyFacts);
        Assert.Equal(["append_notes", "generate_query", "append_notes", "generate_query"], run.Trace.Calls.Select(call => call.Path));
        Assert.Equal([0, 0, 1, 1], run.Trace.Calls.Select(call => call.Ordinal));
    }

    [Fact]
    public async Task RunAsync_ClaimAgainAndAgain_FindsOneThird()
    {
        using var search = World.CreateRetriever();
        var task = World.Tasks[Region.Test][0];
        var notes = "[[ ## new_key_facts ## ]]\n[]\n\n[[ ## completed ## ]]";
        var query = $"[[ ## reasoning ## ]]\nLook up the claim.\n\n[[ ## query ## ]]\n{task.Claim.Text}\n\n[[ ## completed ## ]]";
        using var client = new ScriptedClient(notes, query, notes, query);

        var research = await new ResearchHop(search).WithModel(client).CallAsync(task.Claim, TestContext.Current.CancellationToken);

        Assert.Equal(1 / 3.0, ResearchHop.Recall(task.ToExample(), research), 9);
        Assert.Equal(2, research.Titles.Count);
    }

    [Fact]
    public async Task RunAsync_StopsEarly_EndsWithTheFirstSearchThatFindsNothingNew()
    {
        using var search = World.CreateRetriever();
        var task = World.Tasks[Region.Test][0];
        using var client = new ScriptedClient(
            "[[ ## new_key_facts ## ]]\n[]\n\n[[ ## completed ## ]]",
            $"[[ ## reasoning ## ]]\nLook up the claim.\n\n[[ ## query ## ]]\n{task.Claim.Text}\n\n[[ ## completed ## ]]");

        var run = await new ResearchHop(search, hops: 5, stopsEarly: true).WithModel(client).RunAsync(task.Claim, null, TestContext.Current.CancellationToken);

        Assert.Equal(2, run.Value.Titles.Count);
        Assert.Equal(["append_notes", "generate_query"], run.Trace.Calls.Select(call => call.Path));
    }

    private sealed class ScriptedClient(params string[] answers) : IChatClient
    {
        private int next;

        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, answers[next++])));

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
