using Microsoft.Extensions.AI;

namespace Hone.Tests.Clients;

public sealed class ModelCapabilitiesTests
{
    [Theory]
    [InlineData("o1")]
    [InlineData("o1-2024-12-17")]
    [InlineData("o3")]
    [InlineData("o3-mini")]
    [InlineData("o4-mini")]
    [InlineData("openai/o3-pro")]
    [InlineData("gpt-5")]
    [InlineData("gpt-5-mini")]
    [InlineData("gpt-5.1")]
    [InlineData("O3-MINI")]
    public void D57_ReasoningFamilies_AreKnownInOnePlace(string model)
    {
        var capabilities = ModelCapabilities.For("openai", model);
        Assert.True(capabilities.Reasoning);
        Assert.False(capabilities.Temperature);
        Assert.Equal(16_000, capabilities.MinOutputTokens);
    }

    [Theory]
    [InlineData("gpt-5-chat-latest")]
    [InlineData("gpt-5-chat")]
    [InlineData("gpt-4o")]
    [InlineData("gpt-4.1-nano")]
    [InlineData("o1x")]
    [InlineData("o11")]
    [InlineData("gpt-50")]
    [InlineData("olmo-2")]
    [InlineData("")]
    [InlineData(null)]
    public void D57_OtherModels_TakeAnyTemperatureAndLimit(string? model)
    {
        var capabilities = ModelCapabilities.For("openai", model);
        Assert.True(capabilities.Temperature);
        Assert.Null(capabilities.MinOutputTokens);
    }

    [Theory]
    [InlineData("openai", "gpt-4o-mini", true, true, true)]
    [InlineData("openai", "ft:gpt-4o-mini:team::id", true, true, true)]
    [InlineData("openai", "gpt-3.5-turbo", false, true, true)]
    [InlineData("openai", "o1-mini", false, false, false)]
    [InlineData("anthropic", "claude-sonnet-4-5-20250929", true, false, true)]
    [InlineData("anthropic", "claude-3-haiku-20240307", false, false, true)]
    [InlineData("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", true, false, true)]
    [InlineData("ollama", "llama3.2", true, true, false)]
    [InlineData("ollama", "gpt-4o", true, true, false)]
    [InlineData("hone-engine", "o3", false, false, false)]
    [InlineData("scripted", "scripted", false, false, false)]
    [InlineData("openai", "Qwen/Qwen3-8B", false, false, false)]
    [InlineData(null, null, false, false, false)]
    public void For_TellsFamiliesApart(string? provider, string? model, bool schema, bool json, bool tools)
    {
        var capabilities = ModelCapabilities.For(provider, model);
        Assert.Equal((schema, json, tools), (capabilities.ResponseSchema, capabilities.JsonMode, capabilities.NativeTools));
    }

    [Fact]
    public void For_UnknownModel_AtOpenAIItself_IsTrustedWithTools_AtAServerThatSpeaksItsLanguageIsNot()
    {
        Assert.True(ModelCapabilities.For("openai", "new-model", new("https://api.openai.com/v1")).NativeTools);
        Assert.False(ModelCapabilities.For("openai", "new-model", new("http://localhost:8000/v1")).NativeTools);
        Assert.True(ModelCapabilities.For("hone-engine", null).LogProbs);
        Assert.False(ModelCapabilities.For("openai", "o1-mini").SystemRole);
    }

    [Fact]
    public void Capabilities_OfAModel_ComeFromItsClient_AndCanBeOverridden()
    {
        var model = new LM(StubChatClient.Saying("x"));
        Assert.True(model.Capabilities.NativeTools);
        var changed = model with { Capabilities = model.Capabilities with { NativeTools = false } };
        Assert.False(changed.Capabilities.NativeTools);
        Assert.False((changed with { Client = StubChatClient.Saying("y") }).Capabilities.NativeTools);
        Assert.False((model with { Client = new StubChatClient(_ => new()) { Model = "mystery", Address = null } }).Capabilities.NativeTools);
    }

    [Theory]
    [InlineData(0f, null, "Temperature")]
    [InlineData(0.7f, null, "Temperature")]
    [InlineData(null, 100, "MaxOutputTokens")]
    [InlineData(1f, 15_999, "MaxOutputTokens")]
    [InlineData(null, 0, "MaxOutputTokens")]
    public async Task D24_ReasoningModel_RefusesWhatItsFamilyRejects_BeforeAnythingIsSent(float? temperature, int? limit, string named)
    {
        var client = new StubChatClient(_ => StubChatClient.Response("x")) { Model = "o3-mini" };
        var model = new LM(client);
        var error = await Assert.ThrowsAsync<LMConfigurationException>(() => model.AsChatClient().GetResponseAsync(
            "hi", new ChatOptions { Temperature = temperature, MaxOutputTokens = limit }, TestContext.Current.CancellationToken));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.Equal("o3-mini", error.Model);
        Assert.Equal(0, client.Calls);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(1f, 16_000)]
    public async Task ReasoningModel_AcceptsTheRest(float? temperature, int? limit)
    {
        var client = new StubChatClient(_ => StubChatClient.Response("x")) { Model = "gpt-5-mini" };
        await new LM(client).AsChatClient().GetResponseAsync(
            "hi", new ChatOptions { Temperature = temperature, MaxOutputTokens = limit }, TestContext.Current.CancellationToken);
        Assert.Equal(1, client.Calls);
    }
}
