using Docs.Tests.Checks;
using Hone;
using Hone.Evaluation;
using Hone.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;

namespace Docs.Tests.Snippets.Evaluation;

public sealed class EvaluationTests
{
    private static readonly Example<FieldMap, FieldMap>[] Examples =
    [
        new(FieldMap.Of(("question", "Where is the Louvre?")), FieldMap.Of(("answer", "Paris"))),
        new(FieldMap.Of(("question", "Where is the Prado?")), FieldMap.Of(("answer", "Madrid"))),
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Programs_AreScoredComparedAndWritten()
    {
        using var folder = new TemporaryFolder();
        var (directory, examples) = (folder.Path, Examples);
        var program = Predict.Parse("question -> answer").WithModel(Answers.Always(("answer", "Paris")));
        var candidate = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.ByRules(
            (request => request.LastText.Contains("Louvre", StringComparison.Ordinal), Answers.Of(("answer", "Paris"))), (_ => true, Answers.Of(("answer", "Madrid")))));
        using var output = new StringWriter();
        #region evaluation-first
        var metric = Metric.From<FieldMap, FieldMap>((example, output) => TextMetrics.AnswerExactMatch(example.Expected, output));
        var evaluator = Evaluator.Create(metric, new() { MaxParallelism = 16 });
        var result = await evaluator.EvaluateAsync(program, examples);
        Console.WriteLine(result);                                   // 0.500 [0.000, 1.000] over 2 examples, 0 failures
        #endregion
        Assert.Equal(0.5, result.Mean);
        #region evaluation-compare
        var comparison = await evaluator.CompareAsync(program, candidate, examples);
        Console.WriteLine(comparison.Scores.Gain);                   // 0.5
        Console.WriteLine(comparison.Scores.IsSignificant);
        foreach (var (before, after) in comparison.Losses)
            Console.WriteLine($"{before.Name}: {before.Score.Value} -> {after.Score.Value}");
        #endregion
        Assert.Equal(0.5, comparison.Scores.Gain);
        #region evaluation-reports
        result.WriteTable(output, new() { MaxRows = 10 });
        await result.SaveCsvAsync(Path.Combine(directory, "rows.csv"));
        await result.SaveJsonAsync(Path.Combine(directory, "result.json"));
        await result.SaveHtmlAsync(Path.Combine(directory, "result.html"), "Museums");
        await result.SaveMarkdownAsync(Path.Combine(directory, "result.md"), "Museums");
        await comparison.SaveHtmlAsync(Path.Combine(directory, "comparison.html"));
        #endregion
        Assert.Equal(5, Directory.GetFiles(directory).Length);
        Assert.Contains("Madrid", output.ToString(), StringComparison.Ordinal);
        #region evaluation-rows-file
        var scored = await evaluator.ContinueAsync(program, examples, Path.Combine(directory, "rows.jsonl"));
        #endregion
        Assert.Equal(0.5, scored.Mean);
    }

    [Fact]
    public async Task Stopped_GoesOn()
    {
        var examples = Examples;
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.By((_, call) => call == 0 ? "garbage" : Answers.Of(("answer", "Paris")))).WithRecovery(RecoveryPolicy.None);
        var evaluator = Evaluator.Create(CorpusMetrics.HotPotQA, new() { MaxErrors = 0, MaxParallelism = 1 });
        EvaluationResult<FieldMap, FieldMap> result;
        #region evaluation-stopped
        try
        {
            result = await evaluator.EvaluateAsync(program, examples);
        }
        catch (EvaluationStoppedException<FieldMap, FieldMap> stopped)
        {
            Console.WriteLine(stopped.Message);                      // how many failed, how many were left out, the first cause
            result = await evaluator.ContinueAsync(program, examples, stopped.Finished);
        }
        #endregion
        Assert.Equal(0.5, result.Mean);
    }

    [Fact]
    public async Task Judges_AreMetrics()
    {
        IChatClient judgeClient = Answers.Always(("reasoning", "Same."), ("recall", "1.0"), ("precision", "0.5"));
        #region evaluation-judge
        var judge = new SemanticF1(new LM(judgeClient) { Cache = new ResponseCache() });
        var metric = judge.AsMetric<string, string>((example, output) => new(Question: example.Input, Reference: example.Expected, Response: output));
        #endregion
        var score = await metric(new("q", "r"), new("o", Trace.Empty), Token);
        Assert.Equal(2 / 3.0, score.Value, 1e-9);
        var exact = Metric.From<string, string>((example, output) => example.Expected == output);
        #region evaluation-combine
        var both = Metric.Combine(("exact", exact, 1), ("judged", metric, 3));       // parts: exact, judged, judged.precision, …
        #endregion
        Assert.Equal(0.5, (await both(new("q", "r"), new("o", Trace.Empty), Token)).Value, 1e-9);
    }

    [Fact]
    public async Task Evaluators_AreMetricsAndBack()
    {
        IChatClient judgeClient = ScriptedChatClient.By((_, _) => "4");
        IEvaluator coherence = new Coherence();
        var (program, examples) = (Predict.Parse("question -> answer").WithModel(Answers.Always(("answer", "Paris"))), Examples);
        #region evaluation-evaluators
        var metric = coherence.ToMetric<FieldMap, FieldMap>(new()
        {
            Judge = new LM(judgeClient) { Cache = new ResponseCache(), Role = "judge" }.AsChatClient(),
            Scale = (1, 5),                                          // what this one gives; it becomes 0 to 1
        });
        var result = await Evaluator.Create(metric).EvaluateAsync(program, examples);

        var exact = Metric.From<FieldMap, FieldMap>((example, output) => TextMetrics.AnswerExactMatch(example.Expected, output));
        IEvaluator both = new CompositeEvaluator(exact.ToEvaluator("exact"), result.ToEvaluator("coherence", passing: 0.5));
        foreach (var row in result.Rows)
        {
            var (messages, response, context) = row.ToConversation();
            var reported = await both.EvaluateAsync(messages, response, additionalContext: context);
            Console.WriteLine($"{row.Name}: {reported.Get<NumericMetric>("exact").Value}, {reported.Get<NumericMetric>("coherence").Value}");
        }
        #endregion
        Assert.Equal(0.75, result.Mean);
    }

    private sealed class Coherence : IEvaluator
    {
        public IReadOnlyCollection<string> EvaluationMetricNames => ["Coherence"];

        public async ValueTask<EvaluationResult> EvaluateAsync(
            IEnumerable<ChatMessage> messages,
            ChatResponse modelResponse,
            ChatConfiguration? chatConfiguration = null,
            IEnumerable<EvaluationContext>? additionalContext = null,
            CancellationToken cancellationToken = default)
        {
            var verdict = await chatConfiguration!.ChatClient.GetResponseAsync(modelResponse.Text, cancellationToken: cancellationToken);
            return new(new NumericMetric("Coherence", double.Parse(verdict.Text, System.Globalization.CultureInfo.InvariantCulture)));
        }
    }
}
