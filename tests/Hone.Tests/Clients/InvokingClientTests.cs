using System.Collections.Immutable;
using System.Text.Json;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Clients;

/// <summary>A client that runs functions by itself would answer for a predictor before Hone sees what its model asked for.</summary>
public sealed class InvokingClientTests
{
    private static readonly FieldMap Question = FieldMap.Of(("question", "q"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ToolCallsOutput_ClientThatInvokes_IsGivenDeclarations()
    {
        var runs = 0;
        var tool = AIFunctionFactory.Create((string city) => ++runs, "weather");
        var client = Calling();
        var run = await Program(client).RunAsync(Question.With("tools", List(tool)), null, Token);

        Assert.Equal(0, runs);
        Assert.Single(client.Requests);
        var declared = Assert.Single(client.Requests[0].Options!.Tools!);
        Assert.Equal("weather", declared.Name);
        Assert.IsNotType<AIFunction>(declared, exactMatch: false);
        Assert.Equal("Oslo", Assert.Single(ToolValues.ToCalls((FieldMap)run.Value["calls"]!).Calls).Arguments["city"]);
    }

    /// <summary>Without a predictor nobody else would run them.</summary>
    [Fact]
    public async Task DirectCall_ClientThatInvokes_RunsTheFunction()
    {
        var runs = 0;
        var tool = AIFunctionFactory.Create((string city) => ++runs, "weather");
        var client = Calling();
        await Invoking(client).AsChatClient().GetResponseAsync("hi", new ChatOptions { Tools = [tool] }, Token);

        Assert.Equal(1, runs);
        Assert.Equal(2, client.Requests.Count);
    }

    /// <summary>Arguments of earlier turns reach the client in a form that any serializer can write.</summary>
    [Fact]
    public async Task EarlierTurn_ArgumentsThatAreNoScalars_AreJson()
    {
        var client = Calling();
        var args = FieldMap.Of(("city", "Oslo"), ("days", 2L), ("where", FieldMap.Of(("lat", 1.5))), ("tags", List("a", null)));
        var turn = FieldMap.Of(
            ("question", "Before?"),
            ("calls", FieldMap.Of((ToolValues.Calls, List(FieldMap.Of(("name", "weather"), ("args", args), ("id", "c1")))))),
            (ToolValues.Results, FieldMap.Of((ToolValues.Results, List(FieldMap.Of(("call_id", "c1"), ("name", "weather"), ("value", "sun")))))));
        var program = Predict.Parse("history: History, question, tools: list[Tool] -> calls: ToolCalls")
            .WithModel(new LM(client) { Capabilities = new() { NativeTools = true } }).WithAdapter(new ChatAdapter { UseNativeTools = true });
        var inputs = FieldMap.Of(
            ("history", Hone.History.Of(turn)),
            ("question", "q"),
            ("tools", List(AIFunctionFactory.Create((string city) => city, "weather"))));
        await program.RunAsync(inputs, null, Token);

        var sent = Assert.Single(client.Requests[0].Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>()).Arguments!;
        Assert.Equal(("Oslo", 2L), (sent["city"], sent["days"]));
        Assert.Equal(1.5, Assert.IsType<JsonElement>(sent["where"]).GetProperty("lat").GetDouble());
        Assert.Equal(2, Assert.IsType<JsonElement>(sent["tags"]).GetArrayLength());
    }

    private static object List(params object?[] items) => items.ToImmutableArray();

    private static ScriptedChatClient Calling() => ScriptedChatClient.ByAsync((_, index, _) =>
    {
        var response = ScriptedChatClient.Respond(index == 0 ? "" : "done");
        if (index == 0)
            response.Messages[0].Contents.Add(new FunctionCallContent("c7", "weather", new Dictionary<string, object?> { ["city"] = "Oslo" }));
        return Task.FromResult(response);
    });

    private static LM Invoking(IChatClient client) =>
        new(new ChatClientBuilder(client).UseFunctionInvocation().Build()) { Capabilities = new() { NativeTools = true } };

    private static Program<FieldMap, FieldMap> Program(IChatClient client) => Predict.Parse("question, tools: list[Tool] -> calls: ToolCalls")
        .WithModel(Invoking(client)).WithAdapter(new ChatAdapter { UseNativeTools = true });
}
