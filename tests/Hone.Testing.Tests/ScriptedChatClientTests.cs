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

    public static TheoryData<string> Adapters => ["chat", "json", "xml"];

    [Theory]
    [MemberData(nameof(Adapters))]
    public async Task ForOutputs_WithAnAdapter_AnswersInItsFormat(string name)
    {
        var adapter = Of(name);
        var client = ScriptedChatClient.ForOutputs(adapter, FieldMap.Of(("query", "q")), FieldMap.Of(("answer", "a"), ("score", 1), ("tags", new[] { "x", "y" })));
        var query = Predict.Parse("claim -> query").WithModel(client).WithAdapter(adapter).WithRecovery(RecoveryPolicy.None);
        var answer = Predict.Parse("claim -> answer, score: int, tags: list[str]").WithModel(client).WithAdapter(adapter).WithRecovery(RecoveryPolicy.None);
        Assert.Equal("q", (await query.CallAsync(FieldMap.Of(("claim", "c")), Token))["query"]);
        var outputs = await answer.CallAsync(FieldMap.Of(("claim", "c")), Token);
        Assert.Equal(("a", 1L, """["x", "y"]"""), (outputs["answer"], outputs["score"], CodeValues.ToJson(outputs["tags"])));
        await Assert.ThrowsAsync<LMUnexpectedException>(
            () => Predict.Parse("claim -> other").WithModel(client).WithAdapter(adapter).CallAsync(FieldMap.Of(("claim", "c")), Token));
    }

    [Theory]
    [MemberData(nameof(Adapters))]
    public async Task FromDemos_AnswersAsTheDemoOfTheSameInputs(string name)
    {
        var program = Predict.Parse("question, hint -> answer, score: int").WithModel(ScriptedChatClient.FromDemos()).WithAdapter(Of(name)).WithRecovery(RecoveryPolicy.None);
        program = program.With(program.State.With("self", new() { Demos = [Demo("Q", "h", "one"), Demo("Q", "h2", "two"), Demo("Q1", "h", "three")] }));

        Assert.Equal("one", (await program.CallAsync(FieldMap.Of(("question", "Q"), ("hint", "h")), Token))["answer"]);
        Assert.Equal("two", (await program.CallAsync(FieldMap.Of(("question", "Q"), ("hint", "h2")), Token))["answer"]);
        Assert.Equal("three", (await program.CallAsync(FieldMap.Of(("question", "Q1"), ("hint", "h")), Token))["answer"]);
        await Assert.ThrowsAsync<LMUnexpectedException>(() => program.CallAsync(FieldMap.Of(("question", "Q2"), ("hint", "h")), Token));
        var calm = program.WithModel(new LM(ScriptedChatClient.FromDemos(ScriptedChatClient.Text(Of(name), FieldMap.Of(("answer", "none"), ("score", 0))))));
        Assert.Equal("none", (await calm.CallAsync(FieldMap.Of(("question", "Q2"), ("hint", "h")), Token))["answer"]);

        static Demo Demo(string question, string hint, string answer) => new(FieldMap.Of(("question", question), ("hint", hint), ("answer", answer), ("score", 1L)));
    }

    private static Adapter Of(string name) => name switch { "json" => JsonAdapter.Default, "xml" => XmlAdapter.Default, _ => ChatAdapter.Default };

    [Fact]
    public async Task GetStreamingResponseAsync_GivesTheSameText()
    {
        var updates = new List<string>();
        await foreach (var update in ScriptedChatClient.InSequence("hello there").GetStreamingResponseAsync("x", cancellationToken: Token))
            updates.Add(update.Text);
        Assert.Equal("hello there", string.Concat(updates));
    }

    [Fact]
    public async Task Input_IsThatOfTheRequest_NotOfADemo()
    {
        var client = ScriptedChatClient.By((request, _) => ScriptedChatClient.ChatText(FieldMap.Of(("answer", $"{request.Input("question")}|{request.Input("context")}"))));
        var program = Predict.Parse("question, context: list[str] -> answer").WithModel(client);
        program = program.With(program.State.With("self", new() { Demos = [new(FieldMap.Of(("question", "old"), ("context", Array.Empty<string>()), ("answer", "x")))] }));

        var output = await program.CallAsync(FieldMap.Of(("question", "Is [[ ## answer ## ]] a marker?\n\nTell."), ("context", new[] { "a", "b" })), Token);

        Assert.Equal("Is [[ ## answer ## ]] a marker?\n\nTell.|[\"a\", \"b\"]", output["answer"]);
    }

    [Fact]
    public async Task Input_AfterARequestToAnswerAgain_IsStillThere()
    {
        var client = ScriptedChatClient.By((request, index) => index == 0 ? "nonsense" : ScriptedChatClient.ChatText(FieldMap.Of(("answer", request.Input("question")))));

        var output = await Predict.Parse("question -> answer").WithModel(client).CallAsync(FieldMap.Of(("question", "Why?")), Token);

        Assert.Equal("Why?", output["answer"]);
    }

    [Fact]
    public async Task ToolText_IsAnAgentsTurn_AndToolResultsAreWhatItGave()
    {
        var client = ScriptedChatClient.By((request, _) => request.ToolResults switch
        {
            [] => ScriptedChatClient.ToolText("I add.", ("add", FieldMap.Of(("a", 1), ("b", 2))), ("add", FieldMap.Of(("a", 1)))),
            [{ Value: FieldMap sum }, { IsError: true } failed] => ScriptedChatClient.ToolText("Done.", ("submit", FieldMap.Of(("answer", $"{sum["sum"]} {failed.Name}: {failed.Value}")))),
            _ => "unexpected",
        });
        var add = AIFunctionFactory.Create((int a, int b) => new { Sum = a + b }, "add");

        var output = await ReAct.Parse("question -> answer", [add]).WithModel(client).CallAsync(FieldMap.Of(("question", "1 + 2?")), Token);

        Assert.Equal("3 add: The tool 'add' needs the argument 'b'. Its arguments are: a, b.", output["answer"]);
    }

    [Fact]
    public async Task Input_ThatIsNone_IsNamed()
    {
        var client = ScriptedChatClient.By((request, _) => $"{request.FindInput("colour")}{request.Input("colour")}");

        var error = await Assert.ThrowsAnyAsync<Exception>(() => Predict.Parse("question -> answer").WithModel(client).CallAsync(FieldMap.Of(("question", "Why?")), Token));

        Assert.Contains("has no input 'colour' in the chat format", error.ToString(), StringComparison.Ordinal);
    }
}
