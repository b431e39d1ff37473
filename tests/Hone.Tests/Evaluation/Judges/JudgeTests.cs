using Hone.Testing;

namespace Hone.Tests.Evaluation.Judges;

public sealed class JudgeTests
{
    private static readonly Example<FieldMap, FieldMap> Example =
        new(FieldMap.Of(("question", "Who wrote it?")), FieldMap.Of(("response", "Ada wrote it in 1843.")));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("0.5", "1.0", 2 / 3.0)]
    [InlineData("0", "0", 0)]
    [InlineData("1.7", "-0.2", 0)]
    [InlineData("1.7", "1", 1)]
    public async Task SemanticF1_Numbers_AreClampedAndTheirHarmonicMeanIsTheScore(string recall, string precision, double expected)
    {
        var client = ScriptedChatClient.InSequence(Answer(("reasoning", "R."), ("recall", recall), ("precision", precision)));
        var score = await new SemanticF1(new LM(client)).AsMetric()(Example, Output(("response", "Ada.")), Token);
        Assert.Equal(expected, score.Value, 1e-12);
        Assert.Equal(["f1", "precision", "recall"], score.Parts.Keys);
        Assert.EndsWith("R.", score.Feedback, StringComparison.Ordinal);
        var request = Assert.Single(client.Requests);
        Assert.Equal("judge", Assert.IsType<HoneChatOptions>(request.Options).Role);
        Assert.Contains("Ada wrote it in 1843.", request.LastText, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.5", 1)]
    [InlineData("0.45", 0)]
    public async Task SemanticF1_PassOrFail_ComparesWithTheThreshold(string recall, double expected)
    {
        var client = ScriptedChatClient.InSequence(Answer(("reasoning", "R."), ("recall", recall), ("precision", "1")));
        var score = await new SemanticF1(new LM(client), options: new() { PassOrFail = true }).AsMetric()(Example, Output(("response", "Ada.")), Token);
        Assert.Equal(expected, score.Value);
        Assert.NotEqual(expected, score.Parts["f1"]);
    }

    [Fact]
    public async Task SemanticF1_ByIdeas_AsksForIdeasAndADiscussionFirst()
    {
        var client = ScriptedChatClient.InSequence(Answer(
            ("reasoning", "R."), ("ground_truth_key_ideas", "a"), ("system_response_key_ideas", "b"), ("discussion", "D."), ("recall", "0.5"), ("precision", "0.5")));
        var score = await new SemanticF1(new LM(client) { Role = "auditor" }, byIdeas: true)
            .AsMetric<string, string>((_, output) => new("q", "r", output))(new("q", "r"), new("o", Trace.Empty), Token);
        Assert.Equal((0.5, "Recall 0.50, precision 0.50. D."), (score.Value, score.Feedback));
        Assert.Equal("auditor", Assert.IsType<HoneChatOptions>(client.Requests[0].Options).Role);
    }

    [Fact]
    public async Task CompleteAndGrounded_TwoVerdicts_AreJoined()
    {
        var client = ScriptedChatClient.InSequence(
            Answer(("reasoning", "R."), ("ground_truth_key_ideas", "a"), ("system_response_key_ideas", "b"), ("discussion", "half is there"), ("completeness", "0.5")),
            Answer(("reasoning", "R."), ("system_response_claims", "c"), ("discussion", "all is supported"), ("groundedness", "1.0")));
        var score = await new CompleteAndGrounded(new LM(client)).AsMetric()(
            Example, Output(("response", "Ada."), ("context", ClrValues.List(["first passage", "second passage"]))), Token);
        Assert.Equal(2 / 3.0, score.Value, 1e-12);
        Assert.Equal("Completeness 0.50: half is there\nGroundedness 1.00: all is supported", score.Feedback);
        Assert.Contains("[2] second passage", client.Requests[1].LastText, StringComparison.Ordinal);
        Assert.DoesNotContain("second passage", client.Requests[0].LastText, StringComparison.Ordinal);
    }

    /// <summary>A judge is a program: it is changed, saved and loaded as one, and judges as it was tuned.</summary>
    [Fact]
    public async Task SemanticF1_OfAProgram_JudgesAsItWasTuned()
    {
        var client = ScriptedChatClient.By((_, _) => Answer(("reasoning", "R."), ("recall", "1"), ("precision", "0.5")));
        var built = new SemanticF1(new LM(client));
        var tuned = built.Program.With(built.Program.State.With("self", new() { Instructions = "Judge STRICTLY." }));
        var loaded = SemanticF1.CreateModule().WithModel(new LM(client) { Role = "judge" }).LoadState(tuned.SaveState());
        var score = await new SemanticF1(loaded, new() { PassOrFail = true, Threshold = 0.5 }).AsMetric()(Example, Output(("response", "Ada.")), Token);
        Assert.Equal((1.0, 2 / 3.0), (score.Value, score.Parts["f1"]));
        Assert.Contains("Judge STRICTLY.", Assert.Single(client.Requests).SystemText, StringComparison.Ordinal);

        // The judge itself can be scored against the verdicts of people.
        Example<SemanticF1.AnswerPair, SemanticF1.Overlap>[] people = [new(new("q", "r", "a"), new("", 1, 0.5))];
        var agrees = Metric.From<SemanticF1.AnswerPair, SemanticF1.Overlap>((example, output) => Math.Abs(output.Recall - example.Expected.Recall) < 0.1);
        Assert.Equal(1, (await Evaluator.Create(agrees).EvaluateAsync(loaded, people, Token)).Mean);
        Assert.Equal(["compare"], SemanticF1.CreateModule(byIdeas: true).WithModel(client).Predictors.Select(predictor => predictor.Key));
    }

    [Fact]
    public async Task CompleteAndGrounded_OfAProgram_JudgesAsItWasTuned()
    {
        var client = ScriptedChatClient.ByPath(
            ("completeness", [Answer(("reasoning", "R."), ("ground_truth_key_ideas", "a"), ("system_response_key_ideas", "b"), ("discussion", "D"), ("completeness", "1"))]),
            ("groundedness", [Answer(("reasoning", "R."), ("system_response_claims", "c"), ("discussion", "E"), ("groundedness", "1"))]));
        var program = CompleteAndGrounded.CreateModule().WithModel(new LM(client));
        program = program.With(program.State.With("groundedness", new() { Instructions = "Trust NOTHING." }));
        var score = await new CompleteAndGrounded(program).AsMetric()(Example, Output(("response", "Ada."), ("context", "p")), Token);
        Assert.Equal((1.0, "Completeness 1.00: D\nGroundedness 1.00: E"), (score.Value, score.Feedback));
        Assert.Contains("Trust NOTHING.", client.Requests[1].SystemText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Evaluator_WithAJudge_DoesNotCountItsCallsAsTheProgramsOwn()
    {
        var judge = new LM(ScriptedChatClient.By((_, _) => Answer(("reasoning", "R."), ("recall", "1"), ("precision", "1"))));
        var program = Predict.Parse("question -> response").WithModel(ScriptedChatClient.By((_, _) => Answer(("response", "Ada."))));
        var result = await Evaluator.Create(new SemanticF1(judge).AsMetric()).EvaluateAsync(program, [Example, Example], Token);
        Assert.Equal((1.0, 2L), (result.Mean, (long)result.Usage.Calls));
        Assert.Equal(1, result.PartMeans["precision"]);
    }

    private static Prediction<FieldMap> Output(params (string, object?)[] fields) => new(FieldMap.Of(fields), Trace.Empty);

    private static string Answer(params (string Name, string Value)[] fields) =>
        string.Concat(fields.Select(field => $"[[ ## {field.Name} ## ]]\n{field.Value}\n\n")) + "[[ ## completed ## ]]";
}
