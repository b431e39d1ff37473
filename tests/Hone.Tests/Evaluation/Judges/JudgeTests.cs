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
