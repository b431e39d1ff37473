using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone.Engine.Tests.Tokens;

public sealed class ChatTemplateTests
{
    private static readonly ChatMessage[] Hello = [new(ChatRole.User, "Hello")];

    [Fact]
    public void Render_PlainChatML_HasNoDefaultSystem() =>
        Assert.Equal("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n", ChatTemplate.ForName("chatml").Render(Hello, true));

    [Fact]
    public void Render_ToolResults_AreOneUserTurn()
    {
        var second = new FunctionResultContent("2", new Dictionary<string, object?> { ["x"] = 1 });
        ChatMessage results = new(ChatRole.Tool, [new FunctionResultContent("1", "a"), second]);
        Assert.Equal(
            "<|im_start|>user\n<tool_response>\na\n</tool_response>\n<tool_response>\n{\"x\": 1}\n</tool_response><|im_end|>\n",
            ChatTemplate.ForName("chatml").Render([results], false));
    }

    [Fact]
    public void Render_Image_IsRefused()
    {
        ChatMessage image = new(ChatRole.User, [new DataContent("data:image/png;base64,AA==")]);
        var error = Assert.Throws<NotSupportedException>(() => ChatTemplate.ForName("chatml").Render([image], true));
        Assert.Contains("DataContent", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_ReasoningContent_IsQwen3Thinking()
    {
        ChatMessage answer = new(ChatRole.Assistant, [new TextReasoningContent("Easy."), new TextContent("Done.")]);
        Assert.EndsWith("<|im_start|>assistant\n<think>\nEasy.\n</think>\n\nDone.<|im_end|>\n",
            ChatTemplate.ForName("qwen3").Render([.. Hello, answer], false), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"hone_chat_format":"chatml"}""", "qwen2", "chatml")]
    [InlineData("""{"chat_template":"... You are Qwen, created by Alibaba Cloud ..."}""", "qwen2", "qwen2.5")]
    [InlineData("""{"chat_template":"{{ enable_thinking }} <|im_start|>"}""", "qwen3", "qwen3")]
    [InlineData("""{"chat_template":"<|im_start|> <think> {{ enable_thinking }}"}""", "qwen3", "qwen3")]
    [InlineData("""{"chat_template":"<|im_start|>"}""", "qwen2", "chatml")]
    [InlineData("""{"chat_template":"<|im_start|> SmolLM"}""", "llama", "smollm2")]
    [InlineData("""{"chat_template":"<|start_header_id|> Cutting Knowledge Date"}""", "llama", "llama3.1")]
    [InlineData("{}", "qwen2", "qwen2.5")]
    [InlineData("{}", "llama", "chatml")]
    public void For_Checkpoint_PicksTheFormat(string config, string modelType, string expected)
    {
        using var document = JsonDocument.Parse(config);
        Assert.Equal(expected, ChatTemplate.For(modelType, document.RootElement, SmallTokenizer.Instance).Name);
    }

    [Theory]
    [InlineData("""{"chat_template":"<|im_start|>assistant\n<think>\n"}""")]
    [InlineData("""{"chat_template":"<|start_header_id|>assistant<|end_header_id|>\n\n<think>\n"}""")]
    public void For_ReasoningThatCannotBeSwitchedOff_IsOfNoKnownFamily(string config)
    {
        using var document = JsonDocument.Parse(config);
        var error = Assert.Throws<InvalidDataException>(() => ChatTemplate.For("qwen3", document.RootElement, SmallTokenizer.Instance));
        Assert.Contains("'chat_template'", error.Message, StringComparison.Ordinal);
        Assert.Contains("no family", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ForName_Unknown_ListsTheKnownNames()
    {
        var error = Assert.Throws<ArgumentException>(() => ChatTemplate.ForName("vicuna"));
        Assert.Contains("qwen2.5", error.Message, StringComparison.Ordinal);
    }
}
