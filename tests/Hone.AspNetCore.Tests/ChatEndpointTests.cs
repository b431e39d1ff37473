using System.ClientModel;
using System.Net;
using Hone.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.AI;
using OpenAI;

namespace Hone.AspNetCore.Tests;

/// <summary>Any client of the OpenAI chat protocol can talk to a program; here the provider's own.</summary>
public sealed class ChatEndpointTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OpenAIClient_GetsAnswerAndUsage_WholeAndStreamed()
    {
        var scripted = ScriptedChatClient.ByAsync((request, _, _) =>
        {
            var response = ScriptedChatClient.Respond($"[[ ## answer ## ]]\nYou said {request.Input("input")}.");
            response.Usage = new() { InputTokenCount = 7, OutputTokenCount = 5 };
            return Task.FromResult(response);
        });
        await using var host = await WebHost.StartAsync(app => app.MapHoneChat("/v1/chat/completions", "echo", new Predict<string, string>().WithModel(scripted)));
        using var client = Client(host);
        ChatMessage[] conversation = [new(ChatRole.System, "Be kind."), new(ChatRole.User, "one"), new(ChatRole.Assistant, "You said one."), new(ChatRole.User, "two")];

        var whole = await client.GetResponseAsync(conversation, cancellationToken: Token);
        Assert.Equal("You said two.", whole.Text);
        Assert.Equal("echo", whole.ModelId);
        Assert.Equal((7L, 5L), (whole.Usage!.InputTokenCount, whole.Usage.OutputTokenCount));
        Assert.Equal(ChatFinishReason.Stop, whole.FinishReason);

        var streamed = await client.GetStreamingResponseAsync(conversation, cancellationToken: Token).ToChatResponseAsync(Token);
        Assert.Equal("You said two.", streamed.Text);
        Assert.Equal(12, streamed.Usage!.TotalTokenCount);
    }

    /// <summary>Clients other than the provider's read the events by hand: data alone, without a name, and an end that they know.</summary>
    [Fact]
    public async Task Stream_IsDataAlone_AndEndsAsTheProtocolSays()
    {
        var program = new Predict<string, string>().WithModel(ScriptedChatClient.By((_, _) => "[[ ## answer ## ]]\nOne\nline."));
        await using var host = await WebHost.StartAsync(app => app.MapHoneChat("/v1/chat/completions", "echo", program));
        using var content = new StringContent("""{"messages": [{"role": "user", "content": "hi"}], "stream": true}""", System.Text.Encoding.UTF8, "application/json");
        using var response = await host.Client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), content, Token);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        var events = (await response.Content.ReadAsStringAsync(Token)).Split("\n\n");
        Assert.Equal(4, events.Length);
        Assert.All(events[..3], text => Assert.StartsWith("data: ", text, StringComparison.Ordinal));
        Assert.Contains("One\\nline.", events[0], StringComparison.Ordinal);
        Assert.Equal(("data: [DONE]", ""), (events[2], events[3]));
    }

    [Fact]
    public async Task Map_OwnInputAndText_SeesTheWholeConversation()
    {
        var program = new Predict<int, string>().WithModel(ScriptedChatClient.By((request, _) => $"[[ ## answer ## ]]\n{request.Input("input")} messages"));
        await using var host = await WebHost.StartAsync(app => app.MapHoneChat("/v1/chat/completions", "count", messages => messages.Count, text => text.ToUpperInvariant(), program));
        using var client = Client(host);
        Assert.Equal("2 MESSAGES", (await client.GetResponseAsync([new(ChatRole.System, "x"), new(ChatRole.User, [new TextContent("a"), new TextContent("b")])], cancellationToken: Token)).Text);
    }

    [Theory]
    [InlineData("{}", HttpStatusCode.BadRequest, "messages")]
    [InlineData("not json", HttpStatusCode.BadRequest, "")]
    [InlineData("{\"messages\": [{\"role\": \"system\", \"content\": \"x\"}]}", HttpStatusCode.BadRequest, "no message of the user")]
    [InlineData("{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}", HttpStatusCode.BadGateway, "could not read the answer")]
    public async Task Post_Failures_AreErrorsOfTheProtocol(string body, HttpStatusCode expected, string message)
    {
        var program = new Predict<string, string>().WithModel(ScriptedChatClient.By((_, _) => "unreadable")).WithRecovery(RecoveryPolicy.None);
        await using var host = await WebHost.StartAsync(app => app.MapHoneChat("/v1/chat/completions", "echo", program));
        using var response = await host.Client.PostAsync("/v1/chat/completions", new StringContent(body), Token);
        Assert.Equal(expected, response.StatusCode);
        using var error = await System.Text.Json.JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(Token), default, Token);
        Assert.Contains(message, error.RootElement.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    /// <summary>What fails in the program is not the client's fault.</summary>
    [Fact]
    public async Task Post_AFaultOfTheProgram_IsNoBadRequest()
    {
        await using var host = await WebHost.StartAsync(app => app.MapHoneChat("/v1/chat/completions", "broken", new Broken().WithModel(ScriptedChatClient.InSequence())));
        using var response = await host.Client.PostAsync(
            "/v1/chat/completions", new StringContent("""{"messages": [{"role": "user", "content": "x"}]}"""), Token);
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
    }

    [Fact]
    public async Task Post_TheProviderSaysWhenToComeBack_PassesItOn()
    {
        var client = ScriptedChatClient.By((_, _) => throw new LMServerException("Too busy.") { RetryAfter = TimeSpan.FromSeconds(2.5) });
        var program = new Predict<string, string>().WithModel(new LM(client) { Retry = null });
        await using var host = await WebHost.StartAsync(app => app.MapHoneChat("/v1/chat/completions", "busy", program));
        using var response = await host.Client.PostAsync(
            "/v1/chat/completions", new StringContent("""{"messages": [{"role": "user", "content": "x"}]}"""), Token);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(3)), (response.StatusCode, response.Headers.RetryAfter?.Delta));
    }

    private sealed class Broken : Module<string, string>
    {
        protected override Task<string> ForwardAsync(string input, CancellationToken cancellationToken) => throw new HoneException("The program is broken.");
    }

    private static IChatClient Client(WebHost host) =>
        new OpenAIClient(new ApiKeyCredential("none"), new() { Endpoint = new(host.Client.BaseAddress!, "/v1") }).GetChatClient("echo").AsIChatClient();
}
