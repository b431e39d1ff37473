using Microsoft.Extensions.AI;

namespace Hone.Testing.Tests;

public sealed class ScriptedChatClientTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task InSequence_AnswersInTurn_AndRefusesOneCallMore()
    {
        var client = ScriptedChatClient.InSequence("a", "b");
        Assert.Equal("a", (await client.GetResponseAsync("x", cancellationToken: Token)).Text);
        Assert.Equal("b", (await client.GetResponseAsync("y", cancellationToken: Token)).Text);
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.GetResponseAsync("z", cancellationToken: Token));
        Assert.Equal(["x", "y", "z"], client.Requests.Select(request => request.LastText));
    }

    [Fact]
    public async Task ForOutputs_AnswersByTheFieldsAskedFor()
    {
        var client = ScriptedChatClient.ForOutputs(FieldMap.Of(("query", "q")), FieldMap.Of(("answer", "a"), ("score", 1)));
        var query = Predict.Parse("claim -> query").WithModel(client);
        var answer = Predict.Parse("claim -> answer, score: int").WithModel(client);
        Assert.Equal("q", (await query.CallAsync(FieldMap.Of(("claim", "c")), Token))["query"]);
        Assert.Equal(1L, (await answer.CallAsync(FieldMap.Of(("claim", "c")), Token))["score"]);
    }

    [Fact]
    public async Task GetStreamingResponseAsync_GivesTheSameText()
    {
        var updates = new List<string>();
        await foreach (var update in ScriptedChatClient.InSequence("hello there").GetStreamingResponseAsync("x", cancellationToken: Token))
            updates.Add(update.Text);
        Assert.Equal("hello there", string.Concat(updates));
    }
}
