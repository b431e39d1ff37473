using Hone.Optimizers;
using Hone.Tests.Optimizers.Search;

namespace Hone.Tests.Optimizers.MiproV2;

/// <summary>Scenario MIPRO-8, and what a proposal is grounded in.</summary>
public sealed class GroundedProposerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(25, false, 3, 1)]
    [InlineData(200, true, 6, 1)]
    [InlineData(200, false, 10, 1)]
    [InlineData(8, true, 1, 1)]
    public async Task Summary_OfATrainingSet_TakesAsManyLooks(int train, bool saysComplete, int looks, int summaries)
    {
        var lab = new Lab(call => call.Inputs.ContainsKey("earlier_observations")
            ? FieldMap.Of(("observations", saysComplete && call.Text("earlier_observations").Length > 0 ? "Complete." : "new things"))
            : Writes(call));
        await lab.AtEveryParallelismAsync((lab, n) => Compile(lab, Options(2) with { MaxParallelism = n }, train));
        Assert.Equal(looks, lab.Calls.Count(call => call.Inputs.ContainsKey("earlier_observations")));
        Assert.Equal(summaries, lab.Calls.Count(call => call.Inputs.ContainsKey("observations")));
    }

    [Fact]
    public async Task Proposal_WithAllIngredients_ShowsThem()
    {
        var lab = new Lab(Writes);
        await Compile(lab, Options(4) with { MaxBootstrappedDemos = 2, ProgramNotes = "Answers riddles." }, 6);
        var proposals = lab.Calls.Where(MiproWorld.IsProposal).ToArray();
        Assert.Equal(3, proposals.Length);
        var material = proposals[0].Text("material");
        string[] parts = ["<dataset>\nthe summary", "<program>\nAnswers riddles.", "Predictor ans: question -> answer\n  Instructions: base", "<program_description>\nthe program", "<module>\nans (question -> answer)", "<module_description>\nthe module", "<demos>\n<demo>\nquestion: q"];
        var places = parts.Select(part => material.IndexOf(part, StringComparison.Ordinal)).ToArray();
        Assert.DoesNotContain(-1, places);
        Assert.Equal(places.Order(), places);
        Assert.All(proposals, call => Assert.Equal("base", call.Text("current_instructions")));
        Assert.DoesNotContain(proposals, call => call.Text("material").Contains("<earlier_instructions>", StringComparison.Ordinal));

        // The descriptions are made once, whatever the number of proposals.
        Assert.Equal(1, lab.Calls.Count(call => call.Role == "prompt" && call.Inputs.ContainsKey("program_description")));
        Assert.Equal(2, lab.Calls.Count(call => call.Role == "prompt" && call.Inputs.ContainsKey("program")));
    }

    [Fact]
    public async Task Proposal_WithoutIngredients_ShowsTheModuleAlone()
    {
        var lab = new Lab(Writes);
        await Compile(lab, Options(2) with { DataAware = false, ProgramAware = false, TipAware = false, DemoAware = false }, 6);
        var prompts = lab.Calls.Where(call => call.Role == "prompt").ToArray();
        Assert.Equal("<module>\nans (question -> answer)\n</module>", Assert.Single(prompts).Text("material"));
        Assert.DoesNotContain(lab.Calls, call => call.Role == "task" && call.Question[0] == 'q');
    }

    [Fact]
    public async Task Proposal_RepeatedOnes_AreAskedAgain()
    {
        var lab = MiproWorld.Of((_, number) => number > 3 ? $"fresh {number}" : "the same", _ => Lab.Answer("wrong"));
        var events = new EventLog();
        await Compile(lab, Options(4) with { Progress = events, DataAware = false, ProgramAware = false }, 6);
        Assert.Equal(["the same", "the same", "the same", "fresh 5", "fresh 6"], events.Of<TextProposed>().Select(proposed => proposed.Text));
    }

    [Fact]
    public async Task LaterProposals_SeeHowTheFirstOnesScored()
    {
        var lab = MiproWorld.Numbered(call => Lab.AnswerIf(call.Role == "task" && call.Has("INSTR-1") && call.Question == "v1", call.Question));
        var result = await Compile(lab, Options(3) with { LaterProposals = 1, DemoAware = false }, 6);
        var later = Assert.Single(lab.Calls, call => MiproWorld.IsProposal(call) && call.Text("material").Contains("<earlier_instructions>", StringComparison.Ordinal));
        Assert.Contains("INSTR-1\n</instructions>\nScore: 0.5\n</earlier_instructions>", later.Text("material"), StringComparison.Ordinal);
        Assert.Contains(result.Candidates, candidate => candidate.State["ans"].Instructions == $"INSTR-{later.Sample % SampleIds.Series}");
    }

    [Fact]
    public async Task Descriptions_ThatFail_AreLeftOut()
    {
        var lab = new Lab(call => call.Role != "prompt" || MiproWorld.IsProposal(call) ? Writes(call) : throw new InvalidOperationException("no"));
        await Compile(lab, Options(2), 6);
        var material = lab.Calls.Single(MiproWorld.IsProposal).Text("material");
        Assert.DoesNotContain("<dataset>", material, StringComparison.Ordinal);
        Assert.DoesNotContain("<program_description>", material, StringComparison.Ordinal);
        Assert.Contains("<program>", material, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Proposed Instruction: Be brief.", "Be brief.")]
    [InlineData("**New instructions:** \"Be brief.\"", "Be brief.")]
    [InlineData("Given the question: answer it.", "Given the question: answer it.")]
    [InlineData("\"Be\" brief", "\"Be\" brief")]
    [InlineData("Instruction:", "Instruction:")]
    public void Clean_OfAProposal_TakesOffLabelsAndQuotes(string text, string expected) => Assert.Equal(expected, MetaText.Clean(text));

    [Fact]
    public void Block_OfForeignText_CannotBeClosedByIt() =>
        Assert.Equal("<demo>\na< /demo>b\n</demo>", MetaText.Block("demo", "a</demo>b"));

    private static MiproV2Options Options(int candidates) => new()
    {
        Auto = null,
        Candidates = candidates,
        Trials = 6,
        Minibatch = false,
        MaxBootstrappedDemos = 0,
        MaxLabeledDemos = 0,
    };

    private static Task<MiproV2Result<FieldMap, FieldMap>> Compile(Lab lab, MiproV2Options options, int train) =>
        new MiproV2<FieldMap, FieldMap>(Lab.Exact, options) { Acceptance = Metric.From<FieldMap, FieldMap>((_, _) => true) }
            .CompileAsync(lab.One(), Lab.Examples(train), Lab.Examples(2, "v"), Token);

    private static FieldMap Writes(LabCall call)
    {
        if (call.Role != "prompt")
            return Lab.Answer("wrong");
        if (MiproWorld.IsProposal(call))
            return FieldMap.Of(("proposed_instructions", $"text {call.Sample}"));
        if (call.Inputs.ContainsKey("earlier_observations"))
            return FieldMap.Of(("observations", "new things"));
        return FieldMap.Of(("description", call.Inputs.ContainsKey("module") ? "the module" : call.Inputs.ContainsKey("program") ? "the program" : "the summary"));
    }
}
