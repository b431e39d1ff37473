using Hone.Testing;
using Microsoft.Extensions.AI;
using static Hone.Tests.Modules.Agents.AgentScript;

namespace Hone.Tests.Modules;

/// <summary>Modules of the library inside each other: paths, tools, state, trace and cost hold at any depth.</summary>
public sealed class NestingTests
{
    private static readonly FieldMap Question = FieldMap.Of(("question", "q"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>D22, D43: predictors in any container are found, and all are saved.</summary>
    [Fact]
    public void Paths_OfPredictorsAndTools_AreStable_AndSaved()
    {
        var program = Module().WithModel(ScriptedChatClient.InSequence());

        Assert.Equal(["module.module.module.react", "module.module.advisor"], program.Predictors.Select(predictor => predictor.Key));
        Assert.Equal(["module.module.module.add"], program.Tools.Select(tool => tool.Key));
        var state = program.State
            .With("module.module.advisor", new() { Instructions = "Advise." })
            .With("module.module.module.react", new() { Instructions = "Act." })
            .WithTool("module.module.module.add", new() { Description = "Sums." });
        Assert.Equal(state, program.LoadState(program.With(state).SaveState()).State);
    }

    [Fact]
    public async Task RunAsync_AgentInRefineInBestOfNInAList_HasOneTraceAndOneBill()
    {
        var client = ScriptedChatClient.By((request, _) => request.LastText.Contains("`[[ ## advice ## ]]`", StringComparison.Ordinal)
            ? ScriptedChatClient.ChatText(FieldMap.Of(("discussion", "d"), ("advice", FieldMap.Of(("react", "Answer 2.")))))
            : Turn("t", ("submit", $$"""{"answer": "{{(request.LastText.Contains("Answer 2.", StringComparison.Ordinal) ? 2 : 1)}}"}""")));
        var run = await Module().WithModel(client).RunAsync([Question, Question], new() { Seed = 4 }, Token);

        Assert.Equal(["2", "2"], run.Value.Select(item => item.Value!["answer"]));

        // Each item: two attempts of BestOfN, each of them an attempt, advice, and a second attempt.
        Assert.Equal(12, client.Requests.Count);
        Assert.Equal(12, run.Usage.Calls);
        Assert.Equal([0, 0, 1, 1], run.Trace.Calls.Select(call => call.Ordinal));
        Assert.Equal(["module.module.advisor", "module.module.module.react"], run.Trace.Calls.Take(2).Select(call => call.Path));
        Assert.Equal(8, run.Trace.Discarded.Length);
        Assert.Equal(12, client.Requests.Select(request => request.Options!.Seed).Distinct().Count());
    }

    [Fact]
    public async Task Demo_OfAnAgentsTurn_IsShown()
    {
        var client = ScriptedChatClient.By((_, _) => Turn("t", ("submit", """{"answer": "1"}""")));
        var program = ReAct.Parse("question -> answer", [Add]).WithModel(client);
        var turn = (await program.RunAsync(Question, null, Token)).Trace.Calls[0];
        var taught = program.With(program.State.With("react", new() { Demos = [new(FieldMap.Create([.. turn.Inputs, .. turn.Outputs!]))] }));
        await taught.LoadState(taught.SaveState()).CallAsync(Question, Token);

        var messages = client.Requests[1].Messages;
        Assert.Equal([ChatRole.System, ChatRole.User, ChatRole.Assistant, ChatRole.User], messages.Select(message => message.Role));
        Assert.DoesNotContain("not supplied", messages[1].Text, StringComparison.Ordinal);
        Assert.Contains("submit", messages[2].Text, StringComparison.Ordinal);
    }

    private static ForEach<FieldMap, FieldMap> Module() => new(
        new BestOfN<FieldMap, FieldMap>(
            new Refine<FieldMap, FieldMap>(ReAct.Parse("question -> answer", [Add]), 2, Worth, 2), 2, Worth));

    private static Score Worth(FieldMap input, FieldMap output) => double.Parse((string)output["answer"]!, System.Globalization.CultureInfo.InvariantCulture);
}
