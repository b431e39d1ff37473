using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Modules;

public sealed class ProgramChatClientTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GetResponseAsync_LastMessageOfTheUser_IsAnsweredWithUsage_PlainAndStreamed()
    {
        var script = ScriptedChatClient.By((request, _) => ScriptedChatClient.ChatText(FieldMap.Of(("answer", $"You said {request.Input("input")}."))));
        var client = new Predict<string, string>().WithModel(script).AsChatClient("echo");
        ChatMessage[] conversation = [new(ChatRole.System, "Be brief."), new(ChatRole.User, "first"), new(ChatRole.Assistant, "?"), new(ChatRole.User, "second")];
        var whole = await client.GetResponseAsync(conversation, new() { Temperature = 2 }, Token);
        var streamed = await client.GetStreamingResponseAsync(conversation, null, Token).ToChatResponseAsync(Token);
        foreach (var response in new[] { whole, streamed })
        {
            Assert.Equal(("You said second.", "echo", ChatFinishReason.Stop), (response.Text, response.ModelId, response.FinishReason));
            Assert.Equal(ScriptedChatClient.Respond(ScriptedChatClient.ChatText(FieldMap.Of(("answer", "You said second.")))).Usage!.OutputTokenCount, response.Usage!.OutputTokenCount);
        }

        Assert.All(script.Requests, request => Assert.Null(request.Options!.Temperature));
        Assert.Equal("echo", ((ChatClientMetadata)client.GetService(typeof(ChatClientMetadata))!).DefaultModelId);
    }

    [Fact]
    public async Task GetResponseAsync_OwnInputAndText_SeesTheWholeConversation()
    {
        var program = Predict.Parse("count: int -> answer: int").WithModel(ScriptedChatClient.InSequence("[[ ## answer ## ]]\n7"));
        var client = program.AsChatClient(messages => FieldMap.Of(("count", (long)messages.Count)), outputs => $"{outputs["answer"]}!");
        Assert.Equal("7!", (await client.GetResponseAsync([new(ChatRole.User, "a"), new(ChatRole.User, "b")], null, Token)).Text);
    }

    [Fact]
    public async Task GetResponseAsync_Failures_SurfaceAsThemselves()
    {
        var client = new Predict<string, string>().WithModel(ScriptedChatClient.InSequence("nothing")).WithRecovery(RecoveryPolicy.None).AsChatClient();
        await Assert.ThrowsAsync<HoneException>(() => client.GetResponseAsync([new(ChatRole.System, "no user")], null, Token));
        await Assert.ThrowsAsync<AdapterParseException>(() => client.GetResponseAsync("hi", null, Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetResponseAsync("hi", null, new CancellationToken(canceled: true)));
    }

    /// <summary>As the model of another program, it is a program inside a program: its tokens are counted once.</summary>
    [Fact]
    public async Task GetResponseAsync_InsideARun_IsCountedOnce()
    {
        var inner = new Predict<string, string>().WithModel(ScriptedChatClient.InSequence("[[ ## answer ## ]]\n[[ \\## answer ## ]]\nParis"));
        var outer = Predict.Parse("question -> answer").WithModel(inner.AsChatClient());
        var run = await outer.RunAsync(FieldMap.Of(("question", "Where?")), null, Token);
        Assert.Equal("Paris", run.Value["answer"]);
        Assert.Equal(Assert.Single(run.Trace.Nested).Usage.OutputTokens, run.Usage.OutputTokens);
    }
}
