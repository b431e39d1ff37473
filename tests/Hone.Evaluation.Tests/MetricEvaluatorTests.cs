using System.Collections.Immutable;
using Hone.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;

namespace Hone.Evaluation.Tests;

public sealed class MetricEvaluatorTests
{
    private static readonly Example<string, string> Ask = new("Where is the Louvre?", "Paris");

    private static readonly Metric<string, string> Rated = Metric.From<string, string>((example, output) => new Score(output == example.Expected ? 1 : 0.25)
    {
        Parts = ImmutableSortedDictionary<string, double>.Empty.Add("words", output.Split(' ').Length),
        Feedback = $"expected {example.Expected}",
    });

    [Fact]
    public async Task Evaluate_ContextWithPrediction_GivesScorePartsAndReason()
    {
        var evaluator = Rated.ToEvaluator("answer", new() { Parts = ["words"] });

        var result = await evaluator.EvaluateAsync("?", "ignored", null, [new ExampleContext<string, string>(Ask, new("Rome", Trace.Empty))], TestContext.Current.CancellationToken);

        Assert.Equal(["answer", "answer.words"], evaluator.EvaluationMetricNames);
        var score = result.Get<NumericMetric>("answer");
        Assert.Equal((0.25, "expected Paris"), (score.Value, score.Reason));
        Assert.Null(score.Interpretation);
        Assert.Equal("Paris", Assert.Single(score.Context!).Value.Contents.OfType<TextContent>().Single().Text);
        Assert.Equal(1, result.Get<NumericMetric>("answer.words").Value);
    }

    [Fact]
    public async Task Evaluate_Passing_SaysWhatFailed()
    {
        var evaluator = Rated.ToEvaluator("answer", new() { Passing = 0.5, Output = response => response.Text });
        ExampleContext<string, string> context = new(Ask);

        var wrong = (await evaluator.EvaluateAsync("?", "Rome", null, [context], TestContext.Current.CancellationToken)).Get<NumericMetric>("answer").Interpretation!;
        var right = (await evaluator.EvaluateAsync("?", "Paris", null, [context], TestContext.Current.CancellationToken)).Get<NumericMetric>("answer").Interpretation!;

        Assert.Equal((true, EvaluationRating.Unacceptable, "Below 0.5."), (wrong.Failed, wrong.Rating, wrong.Reason));
        Assert.Equal((false, EvaluationRating.Good), (right.Failed, right.Rating));
    }

    [Fact]
    public async Task Evaluate_ScoreOfAnotherMetric_IsNotTaken()
    {
        var result = await Rated.ToEvaluator().EvaluateAsync(
            "?", "Rome", null, [new ExampleContext<string, string>(Ask, new("Rome", Trace.Empty), score: 0.5)], TestContext.Current.CancellationToken);

        Assert.Equal(0.25, result.Get<NumericMetric>("score").Value);
    }

    [Fact]
    public async Task Evaluate_WithoutContext_ReportsWhatIsMissing()
    {
        var evaluator = Rated.ToEvaluator();

        var without = (await evaluator.EvaluateAsync("?", "Rome", cancellationToken: TestContext.Current.CancellationToken)).Get<NumericMetric>("score");
        var unread = (await evaluator.EvaluateAsync("?", "Rome", null, [new ExampleContext<string, string>(Ask)], TestContext.Current.CancellationToken)).Get<NumericMetric>("score");

        Assert.Null(without.Value);
        Assert.Equal("A value of the type ExampleContext<String, String> is missing in the additional context.", Assert.Single(without.Diagnostics!).Message);
        Assert.Equal("The context has no prediction, and the evaluator does not read answers: set Output.", Assert.Single(unread.Diagnostics!).Message);
    }

    [Fact]
    public async Task Evaluate_MetricThatThrows_IsADiagnosticOfAComposite()
    {
        var metric = Metric.From<string, string>(double (_, _) => throw new InvalidOperationException("The sky fell."));
        var evaluator = new CompositeEvaluator(metric.ToEvaluator("sky"), Rated.ToEvaluator("answer"));

        var result = await evaluator.EvaluateAsync("?", "Rome", null, [new ExampleContext<string, string>(Ask, new("Rome", Trace.Empty))], TestContext.Current.CancellationToken);

        Assert.Contains("The sky fell.", Assert.Single(result.Get<EvaluationMetric>("sky").Diagnostics!).Message, StringComparison.Ordinal);
        Assert.Equal(0.25, result.Get<NumericMetric>("answer").Value);
    }

    [Fact]
    public async Task ThereAndBack_IsTheSameScore()
    {
        var back = Rated.ToEvaluator("answer").ToMetric<string, string>(new()
        {
            Counted = ["answer"],
            Context = static (example, prediction) => [new ExampleContext<string, string>(example, prediction)],
        });

        var score = await back(Ask, new("Rome", Trace.Empty), TestContext.Current.CancellationToken);

        Assert.Equal(0.25, score.Value);
        Assert.Equal("answer 0.25: expected Paris", score.Feedback);
    }

    [Fact]
    public async Task ToConversation_RowsOfAnEvaluation_AreReportedWithoutAnotherRun()
    {
        var model = ScriptedChatClient.By((request, _) => request.Messages[^1].Text.Contains("Prado", StringComparison.Ordinal)
            ? throw new InvalidOperationException("The line is dead.")
            : ScriptedChatClient.ChatText(FieldMap.Of(("answer", "Paris"))));
        var program = Predict.Parse("question, year: int -> answer").WithModel(new LM(model) { Retry = null });
        Example<FieldMap, FieldMap>[] examples =
        [
            new(FieldMap.Of(("question", "Where is the Louvre?"), ("year", 2020L)), FieldMap.Of(("answer", "Paris"))),
            new(FieldMap.Of(("question", "Where is the Prado?"), ("year", 2020L)), FieldMap.Of(("answer", "Madrid"))),
        ];
        var metric = Metric.From<FieldMap, FieldMap>((example, output) => Equals(example.Expected["answer"], output["answer"]));
        var evaluation = await Evaluator.Create(metric, new() { MaxErrors = 2 }).EvaluateAsync(program, examples, TestContext.Current.CancellationToken);
        var (rows, evaluator) = (evaluation.Rows, evaluation.ToEvaluator(passing: 1));

        var (messages, response, context) = rows[0].ToConversation();
        var good = await evaluator.EvaluateAsync(messages, response, null, context, TestContext.Current.CancellationToken);
        var again = await metric.ToEvaluator().EvaluateAsync(messages, response, null, context, TestContext.Current.CancellationToken);
        var (_, failure, contextOfFailure) = rows[1].ToConversation();
        var bad = await evaluator.EvaluateAsync(messages, failure, null, contextOfFailure, TestContext.Current.CancellationToken);

        Assert.Equal("question: Where is the Louvre?\nyear: 2020", Assert.Single(messages).Text);
        Assert.Equal("Paris", response.Text);
        Assert.Equal(rows[0].Usage.TotalTokens, response.Usage!.TotalTokenCount);
        Assert.Equal((1, 1), (good.Get<NumericMetric>("score").Value, again.Get<NumericMetric>("score").Value));
        Assert.False(good.Get<NumericMetric>("score").Interpretation!.Failed);
        Assert.Contains("The line is dead.", Assert.IsType<ErrorContent>(Assert.Single(failure.Messages[0].Contents)).Message, StringComparison.Ordinal);
        Assert.True(bad.Get<NumericMetric>("score").Interpretation!.Failed);
        Assert.Equal(2, model.Requests.Count);
    }

    [Fact]
    public async Task ToEvaluator_OfAnEvaluation_TellsPartsAndWhatIsMissing()
    {
        var row = new EvaluationRow<string, string>(0, Ask, "Rome", await Rated(Ask, new("Rome", Trace.Empty), TestContext.Current.CancellationToken), Trace.Empty, null);
        var evaluator = new EvaluationResult<string, string>([row], default).ToEvaluator("rated");

        var (messages, response, context) = row.ToConversation();
        var reported = await evaluator.EvaluateAsync(messages, response, null, context, TestContext.Current.CancellationToken);
        var unscored = await evaluator.EvaluateAsync(messages, response, null, [new ExampleContext<string, string>(Ask)], TestContext.Current.CancellationToken);

        Assert.Equal(["rated", "rated.words"], evaluator.EvaluationMetricNames);
        Assert.Equal((0.25, "expected Paris"), (reported.Get<NumericMetric>("rated").Value, reported.Get<NumericMetric>("rated").Reason));
        Assert.Equal(1, reported.Get<NumericMetric>("rated.words").Value);
        Assert.Equal("The context has no score.", Assert.Single(unscored.Get<NumericMetric>("rated").Diagnostics!).Message);
    }
}
