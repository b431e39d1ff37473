using Hone.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;

namespace Hone.Evaluation.Tests;

public sealed class EvaluatorMetricTests
{
    private static readonly Example<string, string> Ask = new("Where is the Louvre?", "Paris");

    [Fact]
    public async Task Score_JudgeAndTruth_AreFractionsWithReasons()
    {
        var judge = ScriptedChatClient.By((request, _) => "4");
        var metric = new PolitenessEvaluator().ToMetric<string, string>(new()
        {
            Judge = new LM(judge).AsChatClient(),
            Scale = (1, 5),
            Context = static (example, _) => [new ExampleContext<string, string>(example)],
        });

        var score = await ScoreAsync(metric, "Please: Paris");

        Assert.Equal((0.75 + 1) / 2, score.Value, 9);
        Assert.Equal(0.75, score.Parts["Politeness"]);
        Assert.Equal(1, score.Parts["Short"]);
        Assert.Equal("Politeness 0.75: It says please.", score.Feedback);
        Assert.Equal("Where is the Louvre?|Please: Paris|expected", judge.Requests.Single().Messages.Single().Text);
    }

    [Fact]
    public async Task Score_OwnMessagesAndResponse_AreWhatTheEvaluatorSees()
    {
        var judge = ScriptedChatClient.By((request, _) => "1");
        var metric = new PolitenessEvaluator().ToMetric<string, string>(new()
        {
            Judge = judge,
            Messages = static example => [new(ChatRole.System, "Be brief."), new(ChatRole.User, example.Input.ToUpperInvariant())],
            Response = static prediction => new(new ChatMessage(ChatRole.Assistant, $"<{prediction.Value}>")),
        });

        await ScoreAsync(metric, "Paris");

        Assert.Equal("WHERE IS THE LOUVRE?|<Paris>|", judge.Requests.Single().Messages.Single().Text);
    }

    [Theory]
    [InlineData(EvaluationRating.Unacceptable, 0)]
    [InlineData(EvaluationRating.Poor, 0.25)]
    [InlineData(EvaluationRating.Average, 0.5)]
    [InlineData(EvaluationRating.Good, 0.75)]
    [InlineData(EvaluationRating.Exceptional, 1)]
    public async Task Score_TextWithRating_IsTheRating(EvaluationRating rating, double expected)
    {
        var metric = new FixedEvaluator(new StringMetric("Tone", "warm") { Interpretation = new(rating, reason: "Warm words.") }).ToMetric<string, string>();

        var score = await ScoreAsync(metric, "Paris");

        Assert.Equal(expected, score.Value);
        Assert.EndsWith(": Warm words.", score.Feedback, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Score_TextWithoutRating_IsFeedbackBesideOtherResults()
    {
        var metric = new FixedEvaluator(new StringMetric("Tone", "warm", "Warm words."), new NumericMetric("Match", 0.5)).ToMetric<string, string>();

        var score = await ScoreAsync(metric, "Paris");

        Assert.Equal(0.5, score.Value);
        Assert.Equal(["Match"], score.Parts.Keys);
        Assert.Equal("Tone: Warm words.", score.Feedback);
    }

    [Fact]
    public async Task Score_Counted_LeavesOthersOut()
    {
        var metric = new FixedEvaluator(new NumericMetric("Tokens", 812), new NumericMetric("Match", 0.25)).ToMetric<string, string>(new() { Counted = ["Match"] });

        var score = await ScoreAsync(metric, "Paris");

        Assert.Equal(0.25, score.Value);
        Assert.Equal(["Match"], score.Parts.Keys);
    }

    [Fact]
    public async Task Score_CountedOfNothing_CountsAll()
    {
        var metric = new FixedEvaluator(new NumericMetric("Match", 0.25)).ToMetric<string, string>(new() { Counted = default });

        Assert.Equal(0.25, (await ScoreAsync(metric, "Paris")).Value);
    }

    [Fact]
    public async Task Score_RuleOfTheUsers_TakesThePlaceOfTheUsualOne()
    {
        var metric = new FixedEvaluator(new NumericMetric("Tokens", 800), new BooleanMetric("Safe", true)).ToMetric<string, string>(new()
        {
            Value = static metric => metric is NumericMetric { Value: { } tokens } ? 1 - tokens / 1_000 : null,
        });

        var score = await ScoreAsync(metric, "Paris");

        Assert.Equal(0.2, score.Value, 9);
    }

    [Fact]
    public async Task Score_NumberOutsideTheScale_SaysWhichAndWhatToSet()
    {
        var metric = new FixedEvaluator(new NumericMetric("Coherence", 4)).ToMetric<string, string>();

        var error = await Assert.ThrowsAsync<HoneException>(() => ScoreAsync(metric, "Paris"));

        Assert.Equal("FixedEvaluator gave 4 for 'Coherence', outside 0 to 1. Set Scale to the numbers that it gives, e.g. (1, 5), or Value.", error.Message);
    }

    [Fact]
    public async Task Score_NothingToCount_SaysWhatWasGiven()
    {
        var metric = new FixedEvaluator(new StringMetric("Tone", "warm"), new NumericMetric("Match")).ToMetric<string, string>();

        var error = await Assert.ThrowsAsync<HoneException>(() => ScoreAsync(metric, "Paris"));

        Assert.Contains("gave nothing that is a number, a truth or a rating: 'Tone' (StringMetric), 'Match' (NumericMetric)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Evaluate_EvaluatorThatFails_FailsItsExampleByName()
    {
        var judge = ScriptedChatClient.By((request, _) => request.Messages[0].Text.StartsWith("a|", StringComparison.Ordinal) ? "no idea" : "1");
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.By((_, _) => ScriptedChatClient.ChatText(FieldMap.Of(("answer", "Paris")))));
        Example<FieldMap, FieldMap>[] examples = [.. "abc".Select(letter => new Example<FieldMap, FieldMap>(FieldMap.Of(("question", $"{letter}")), FieldMap.Of(("answer", "Paris"))))];
        var evaluator = Evaluator.Create(new PolitenessEvaluator().ToMetric<FieldMap, FieldMap>(new() { Judge = judge }), new() { MaxErrors = 1 });

        var result = await evaluator.EvaluateAsync(program, examples, TestContext.Current.CancellationToken);

        Assert.Equal([0, 1, 1], result.Scores);
        Assert.Equal(
            "The metric failed on example #0: PolitenessEvaluator has no value for 'Politeness': The judge said 'no idea'.",
            Assert.Single(result.Failures).Error!.Message);
        Assert.Equal(1, result.PartMeans["Politeness"]);
    }

    [Fact]
    public async Task Evaluate_Composite_HasPartsOfAll()
    {
        var metric = new CompositeEvaluator(new FixedEvaluator(new NumericMetric("Match", 0.5)), new FixedEvaluator(new BooleanMetric("Safe", true))).ToMetric<string, string>();

        var score = await ScoreAsync(metric, "Paris");

        Assert.Equal(0.75, score.Value);
        Assert.Equal(["Match", "Safe"], score.Parts.Keys);
    }

    [Fact]
    public void ToMetric_UnknownName_IsRefusedAtOnce()
    {
        var error = Assert.Throws<ArgumentException>(() => new PolitenessEvaluator().ToMetric<string, string>(new() { Counted = ["Polite"] }));

        Assert.StartsWith("PolitenessEvaluator has no result 'Polite'; it gives Politeness, Short.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 1)]
    [InlineData(double.NaN, 1)]
    [InlineData(0, double.PositiveInfinity)]
    public void Scale_WithoutOrder_IsRefused(double low, double high) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new EvaluatorMetricOptions<string, string> { Scale = (low, high) });

    private static async Task<Score> ScoreAsync(Metric<string, string> metric, string answer) =>
        await metric(Ask, new(answer, Trace.Empty), TestContext.Current.CancellationToken);
}
