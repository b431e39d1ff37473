using System.ComponentModel;

namespace Hone;

/// <summary>
/// A judge for answers from retrieved passages. One call estimates completeness, the fraction of the reference that the answer covers; another groundedness,
/// the fraction of the answer's claims that the passages or common sense support. The score is the harmonic mean of both.
/// </summary>
public sealed class CompleteAndGrounded
{
    private const string CompletenessTask =
        "Judge how complete an answer is. List the key ideas of the reference and those of the answer, discuss which ideas of the reference the answer has, "
        + "then give the fraction of the reference that it covers.";

    private const string GroundednessTask =
        "Judge how well an answer is grounded. List the claims that the answer makes beyond what is commonly known, discuss for each whether the retrieved "
        + "context or common sense supports it, then give the fraction of claims that are supported.";

    private readonly JudgeOptions options;
    private readonly Program<SemanticF1.AnswerPair, CompletenessVerdict> completeness;
    private readonly Program<ContextAndResponse, GroundednessVerdict> groundedness;

    /// <summary>Creates the judge.</summary>
    /// <param name="model">The judge's model; it gets the role <c>judge</c> unless it has one of its own.</param>
    /// <param name="options">Threshold and call options.</param>
    public CompleteAndGrounded(LM model, JudgeOptions? options = null)
    {
        this.options = options ?? new();
        var judging = JudgeScores.AsJudge(model);
        completeness = new ChainOfThought<SemanticF1.AnswerPair, CompletenessVerdict>(CompletenessTask).WithModel(judging);
        groundedness = new ChainOfThought<ContextAndResponse, GroundednessVerdict>(GroundednessTask).WithModel(judging);
    }

    /// <summary>Scores one answer.</summary>
    public async Task<Score> ScoreAsync(JudgedAnswer answer, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var run = new RunOptions { Options = options.Options };
        var complete = (await completeness.RunAsync(new(answer.Question, answer.Reference, answer.Response), run, cancellationToken).ConfigureAwait(false)).Value;
        var grounded = (await groundedness.RunAsync(new(answer.Question, answer.Context, answer.Response), run, cancellationToken).ConfigureAwait(false)).Value;
        var feedback = $"Completeness {JudgeScores.Words(complete.Completeness)}: {complete.Discussion}\n"
            + $"Groundedness {JudgeScores.Words(grounded.Groundedness)}: {grounded.Discussion}";
        return JudgeScores.Of(options, ("groundedness", grounded.Groundedness), ("completeness", complete.Completeness), feedback);
    }

    /// <summary>The judge as a metric.</summary>
    /// <param name="select">Finds question, reference, response and context in an example and what the program returned.</param>
    public Metric<TIn, TOut> AsMetric<TIn, TOut>(Func<Example<TIn, TOut>, TOut, JudgedAnswer> select)
    {
        ArgumentNullException.ThrowIfNull(select);
        return Metric.From<TIn, TOut>((example, output, token) => ScoreAsync(select(example, output), token));
    }

    /// <summary>The judge as a metric of programs with an input <c>question</c> and outputs <c>context</c> and <c>response</c>.</summary>
    public Metric<FieldMap, FieldMap> AsMetric() => AsMetric<FieldMap, FieldMap>((example, output) => new(
        JudgeScores.Text(example.Input, "question"),
        JudgeScores.Text(example.Expected, "response"),
        JudgeScores.Text(output, "response"),
        JudgeScores.Text(output, "context")));

    internal sealed record CompletenessVerdict(
        [property: Description("The key ideas of the ground truth, one a line.")] string GroundTruthKeyIdeas,
        [property: Description("The key ideas of the response, one a line.")] string SystemResponseKeyIdeas,
        [property: Description("Which ideas of the ground truth the response has.")] string Discussion,
        [property: Description("Fraction, 0 to 1, of the ground truth that the response covers.")] double Completeness);

    internal sealed record ContextAndResponse(string Question, string RetrievedContext, string SystemResponse);

    internal sealed record GroundednessVerdict(
        [property: Description("The claims of the response, one a line.")] string SystemResponseClaims,
        [property: Description("Which claims the context or common sense supports.")] string Discussion,
        [property: Description("Fraction, 0 to 1, of the claims that are supported.")] double Groundedness);
}
