using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Modules;

public sealed record Verdict(string Answer, string? Reasoning = null);

public sealed record Weighed(string Answer, string Rationale);

public sealed class MultiChainComparisonTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CallAsync_ShowsTheFirstLinesOfEachAttempt_AndAsksForARationaleFirst()
    {
        var client = ScriptedChatClient.InSequence("[[ ## rationale ## ]]\nr\n\n[[ ## answer ## ]]\nb\n\n[[ ## completed ## ]]");
        var module = new MultiChainComparison(Signature.Parse("question -> answer"), 2);
        using var scope = HoneScope.Use(client);
        var outputs = await module.CallAsync(
            FieldMap.Of(("question", "q")), [FieldMap.Of(("reasoning", "one\ntwo"), ("answer", "a\nx")), FieldMap.Of(("rationale", "three"), ("answer", "b"))], Token);

        Assert.Equal(FieldMap.Of(("rationale", "r"), ("answer", "b")), outputs);
        var asked = client.Requests[0].LastText;
        Assert.Contains("[[ ## reasoning_attempt_1 ## ]]\n\u00ABI went by this: one So my answer is: a\u00BB", asked, StringComparison.Ordinal);
        Assert.Contains("[[ ## reasoning_attempt_2 ## ]]\n\u00ABI went by this: three So my answer is: b\u00BB", asked, StringComparison.Ordinal);
        Assert.Equal(0.7f, client.Requests[0].Options!.Temperature);
    }

    [Fact]
    public async Task CallAsync_Typed_ReadsTheReasoningOfTheRecord()
    {
        var client = ScriptedChatClient.InSequence("[[ ## rationale ## ]]\nr\n\n[[ ## answer ## ]]\nb\n\n[[ ## reasoning ## ]]\nnull\n\n[[ ## completed ## ]]");
        var module = new MultiChainComparison<string, Verdict>("Answer.", 2);
        var program = module.WithModel(client);
        var verdict = await program.CallAsync(new("q", [new("a", "because"), new("b")]), Token);

        Assert.Equal("b", verdict.Answer);
        Assert.Equal(["compare"], program.Predictors.Select(predictor => predictor.Key));
        Assert.Contains("\u00ABI went by this: because So my answer is: a\u00BB", client.Requests[0].LastText, StringComparison.Ordinal);
        Assert.Contains("\u00ABMy answer is: b\u00BB", client.Requests[0].LastText, StringComparison.Ordinal);
    }

    /// <summary>A rationale that the record declares, wherever it does, comes before the answer, and is never taken for it.</summary>
    [Fact]
    public async Task CallAsync_DeclaredRationale_ComesFirst_AndIsNotTheAnswer()
    {
        var client = ScriptedChatClient.InSequence("[[ ## rationale ## ]]\nr\n\n[[ ## answer ## ]]\nb\n\n[[ ## completed ## ]]");
        var module = new MultiChainComparison<string, Weighed>("Answer.", 1);
        using var scope = HoneScope.Use(client);
        var weighed = await module.CallAsync("q", [new("a", "because")], Token);

        Assert.Equal(new Weighed("b", "r"), weighed);
        Assert.Equal(["rationale", "answer"], module.Signature.Outputs.Select(output => output.Name));
        Assert.Contains("\u00ABI went by this: because So my answer is: a\u00BB", client.Requests[0].LastText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CallAsync_OtherNumberOfAttempts_IsRefused()
    {
        using var scope = HoneScope.Use(ScriptedChatClient.InSequence());
        var error = await Assert.ThrowsAsync<HoneException>(
            () => new MultiChainComparison(Signature.Parse("question -> answer")).CallAsync(FieldMap.Of(("question", "q")), [], Token));

        Assert.Contains("got 0 attempts and was made for 3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CallAsync_ChosenTemperature_IsKept()
    {
        var client = ScriptedChatClient.By((_, _) => "[[ ## rationale ## ]]\nr\n\n[[ ## answer ## ]]\nb\n\n[[ ## completed ## ]]");
        var module = new MultiChainComparison(Signature.Parse("question -> answer"), 1);
        var attempts = new Comparison<FieldMap, FieldMap>(FieldMap.Of(("question", "q")), [FieldMap.Of(("answer", "a"))]);
        await module.WithModel(new LM(client) { Options = new() { Temperature = 0 } }).CallAsync(attempts, Token);

        Assert.Equal(0f, client.Requests[0].Options!.Temperature);
    }
}
