using System.ComponentModel;

namespace Hone;

/// <summary>
/// A judge that asks a model how much of the reference an answer covers (recall) and how much of the answer the reference covers (precision). The score is
/// the harmonic mean of both; both are parts of it, and what the judge thought is its feedback.
/// </summary>
public sealed class SemanticF1
{
    private const string Task =
        "Compare an answer with a reference answer to the same question by what they say, not by how they say it. Give recall, the fraction of the "
        + "reference's content that the answer also states, and precision, the fraction of the answer's content that the reference supports.";

    private const string TaskByIdeas =
        "Compare an answer with a reference answer to the same question by what they say, not by how they say it. List the key ideas of each, discuss which "
        + "of them are shared, then give recall, the fraction of the reference's ideas that the answer also has, and precision, the fraction of the "
        + "answer's ideas that the reference supports.";

    private readonly JudgeOptions options;

    /// <summary>Creates the judge.</summary>
    /// <param name="model">The judge's model; it gets the role <c>judge</c> unless it has one of its own.</param>
    /// <param name="byIdeas">True to have key ideas listed and discussed before the numbers: slower, and steadier on long answers.</param>
    /// <param name="options">Threshold and call options.</param>
    public SemanticF1(LM model, bool byIdeas = false, JudgeOptions? options = null) : this(CreateModule(byIdeas).WithModel(JudgeScores.AsJudge(model)), options)
    {
    }

    /// <summary>Creates the judge of a program: one that was tuned on verdicts of people, or loaded, or has other words.</summary>
    /// <param name="program">Gives recall and precision; <see cref="CreateModule"/> makes the built-in one. Its model should have the role <c>judge</c>.</param>
    /// <param name="options">Threshold and call options.</param>
    public SemanticF1(Program<AnswerPair, Overlap> program, JudgeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(program);
        (Program, this.options) = (program, options ?? new());
    }

    /// <summary>The program that judges: evaluate it, tune it, save it like any other, and make a judge of what came out.</summary>
    public Program<AnswerPair, Overlap> Program { get; }

    /// <summary>The built-in module.</summary>
    /// <param name="byIdeas">True to have key ideas listed and discussed before the numbers.</param>
    public static Module<AnswerPair, Overlap> CreateModule(bool byIdeas = false) => byIdeas ? new ByIdeas() : new ChainOfThought<AnswerPair, Overlap>(Task);

    /// <summary>Scores one answer.</summary>
    public async Task<Score> ScoreAsync(JudgedAnswer answer, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var run = await Program.RunAsync(new(answer.Question, answer.Reference, answer.Response), new() { Options = options.Options }, cancellationToken).ConfigureAwait(false);
        var found = run.Value;
        var feedback = $"Recall {JudgeScores.Words(found.Recall)}, precision {JudgeScores.Words(found.Precision)}. {found.Reasoning}";
        return JudgeScores.Of(options, ("precision", found.Precision), ("recall", found.Recall), feedback);
    }

    /// <summary>The judge as a metric.</summary>
    /// <param name="select">Finds question, reference and response in an example and what the program returned.</param>
    public Metric<TIn, TOut> AsMetric<TIn, TOut>(Func<Example<TIn, TOut>, TOut, JudgedAnswer> select)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Metric.From<TIn, TOut>((example, output, token) => ScoreAsync(select(example, output), token));
    }

    /// <summary>The judge as a metric of programs with an input <c>question</c> and an output <c>response</c>.</summary>
    public Metric<FieldMap, FieldMap> AsMetric() => AsMetric<FieldMap, FieldMap>((example, output) => new(
        JudgeScores.Text(example.Input, "question"), JudgeScores.Text(example.Expected, "response"), JudgeScores.Text(output, "response")));

    /// <summary>What is compared.</summary>
    /// <param name="Question">What was asked.</param>
    /// <param name="GroundTruth">The reference.</param>
    /// <param name="SystemResponse">The answer to judge.</param>
    public sealed record AnswerPair(
        string Question,
        [property: Description("The reference.")] string GroundTruth,
        [property: Description("The answer to judge.")] string SystemResponse);

    /// <summary>How much two answers have in common.</summary>
    /// <param name="Reasoning">What the judge thought.</param>
    /// <param name="Recall">Fraction of the reference that the answer covers.</param>
    /// <param name="Precision">Fraction of the answer that the reference covers.</param>
    public sealed record Overlap(
        string Reasoning,
        [property: Description("Fraction, 0 to 1, of the ground truth that the response covers.")] double Recall,
        [property: Description("Fraction, 0 to 1, of the response that the ground truth covers.")] double Precision);

    internal sealed record OverlapByIdeas(
        string Reasoning,
        [property: Description("The key ideas of the ground truth, one a line.")] string GroundTruthKeyIdeas,
        [property: Description("The key ideas of the response, one a line.")] string SystemResponseKeyIdeas,
        [property: Description("Which ideas both have, and which only one.")] string Discussion,
        [property: Description("Fraction, 0 to 1, of the ground truth that the response covers.")] double Recall,
        [property: Description("Fraction, 0 to 1, of the response that the ground truth covers.")] double Precision);

    private sealed class ByIdeas : Module<AnswerPair, Overlap>
    {
        private readonly ChainOfThought<AnswerPair, OverlapByIdeas> compare = new(TaskByIdeas);

        protected internal override IEnumerable<KeyValuePair<string, Module>> GetChildren() => [new(nameof(compare), compare)];

        protected override async Task<Overlap> ForwardAsync(AnswerPair input, CancellationToken cancellationToken)
        {
            var found = await compare.CallAsync(input, cancellationToken).ConfigureAwait(false);
            return new(found.Discussion, found.Recall, found.Precision);
        }
    }
}
