using CsCheck;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Adapters;

/// <summary>An adapter that is not Hone's gets demos, conversations, media, tools, recovery and streaming like Hone's own.</summary>
public sealed class OwnAdapterTests
{
    private static readonly YamlLikeAdapter Adapter = new();
    private static readonly Signature Ask = Signature.Parse("question -> thought, answer: int");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("typed")]
    [InlineData("demos")]
    [InlineData("history")]
    [InlineData("media_nested")]
    [InlineData("history_tools")]
    public void Render_MatchesGolden(string name) => GoldenFile.Check($"own.{name}", Adapter.Render(GoldenCases.Named(name)));

    [Fact]
    public void RenderOutputs_AnyText_ParsesBack() => Gen.Select(RandomValues.Text, Gen.Int).Sample(
        (thought, number) =>
        {
            var outputs = FieldMap.Of(("thought", thought.ReplaceLineEndings("\n").Trim()), ("answer", (long)number));
            Assert.Equal(outputs, Adapter.Parse(Ask, Adapter.RenderOutputs(Ask, outputs)));
        },
        iter: 2_000);

    [Fact]
    public async Task Program_WithOwnAdapter_AsksReadsAndRecovers()
    {
        var client = ScriptedChatClient.InSequence("It is 42.", "thought: six\n  times seven\nanswer: forty", "thought: six\n  times seven\nanswer: 42");
        var program = new Predict(Ask).WithModel(client).WithAdapter(Adapter).WithRecovery(new() { ReAsks = 2 });
        var run = await program.RunAsync(FieldMap.Of(("question", "6 * 7?")), null, Token);

        Assert.Equal(FieldMap.Of(("thought", "six\ntimes seven"), ("answer", 42L)), run.Value);
        Assert.Equal("question: 6 * 7?\nAnswer with `thought:`, then `answer:`.", client.Requests[0].LastText);
        Assert.Contains("no value for thought, answer", client.Requests[1].LastText, StringComparison.Ordinal);
        Assert.Contains("field 'answer' (integer)", client.Requests[2].LastText, StringComparison.Ordinal);
        Assert.Equal(nameof(YamlLikeAdapter), run.Trace.Calls[2].Adapter);
    }

    /// <summary>Without a reader of streams of its own, the whole answer is told at once.</summary>
    [Fact]
    public async Task StreamAsync_WithOwnAdapter_TellsFieldsAtTheEnd()
    {
        var client = ScriptedChatClient.InSequence("thought: t\nanswer: 1").StreamingInPiecesOf(3);
        var told = new List<string>();
        await foreach (var happened in new Predict(Ask).WithModel(client).WithAdapter(Adapter).StreamAsync(FieldMap.Of(("question", "q")), null, Token))
        {
            if (happened is FieldDelta delta)
                told.Add($"{delta.Field}={delta.Text}");
        }

        Assert.Equal(["thought=t", "answer=1"], told);
    }

    [Fact]
    public async Task Program_WithOwnAdapterAndNativeTools_GivesToolsAsTools()
    {
        var client = ScriptedChatClient.InSequence("thought: none needed");
        var model = new LM(client) { Capabilities = new() { NativeTools = true } };
        var predict = Predict.Parse("question, tools: list[Tool] -> thought, calls: ToolCalls");
        var inputs = FieldMap.Of(("question", "q"), ("tools", ClrValues.List([AIFunctionFactory.Create(() => 1, "one")])));
        var run = await predict.WithModel(model).WithAdapter(new YamlLikeAdapter { UseNativeTools = true }).RunAsync(inputs, null, Token);

        Assert.Equal("one", Assert.Single(client.Requests[0].Options!.Tools!).Name);
        Assert.Equal("none needed", run.Value["thought"]);
        Assert.Equal(ToolValues.Of(ToolCalls.Empty), run.Value["calls"]);
    }
}
