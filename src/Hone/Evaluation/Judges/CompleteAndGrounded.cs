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

    /// <summary>Creates the judge.</summary>
    /// <param name="model">The judge's model; it gets the role <c>judge</c> unless it has one of its own.</param>
    /// <param name="options">Threshold and call options.</param>
    public CompleteAndGrounded(LM model, JudgeOptions? options = null) : this(CreateModule().WithModel(JudgeScores.AsJudge(model)), options)
    {
    }

    /// <summary>Creates the judge of a program: one that was tuned on verdicts of people, or loaded, or has other words.</summary>
    /// <param name="program">Gives both fractions; <see cref="CreateModule"/> makes the built-in one. Its model should have the role <c>judge</c>.</param>
    /// <param name="options">Threshold and call options.</param>
    public CompleteAndGrounded(Program<JudgedAnswer, Verdict> program, JudgeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(program);
        (Program, this.options) = (program, options ?? new());
    }

    /// <summary>
    /// The program that judges, with the predictors <c>completeness</c> and <c>groundedness</c>: evaluate it, tune it, save it like any other, and make a judge of what came out.
    /// </summary>
    public Program<JudgedAnswer, Verdict> Program { get; }

    /// <summary>The built-in module.</summary>
    public static Module<JudgedAnswer, Verdict> CreateModule() => new Judging();

    /// <summary>Scores one answer.</summary>
    public async Task<Score> ScoreAsync(JudgedAnswer answer, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var found = (await Program.RunAsync(answer, new() { Options = options.Options }, cancellationToken).ConfigureAwait(false)).Value;
        var feedback = $"Completeness {JudgeScores.Words(found.Completeness)}: {found.CompletenessDiscussion}\n"
            + $"Groundedness {JudgeScores.Words(found.Groundedness)}: {found.GroundednessDiscussion}";
        return JudgeScores.Of(options, ("groundedness", found.Groundedness), ("completeness", found.Completeness), feedback);
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

    /// <summary>What the judge found.</summary>
    /// <param name="Completeness">Fraction of the reference that the answer covers.</param>
    /// <param name="CompletenessDiscussion">Which ideas of the reference the answer has.</param>
    /// <param name="Groundedness">Fraction of the answer's claims that are supported.</param>
    /// <param name="GroundednessDiscussion">Which claims the context or common sense supports.</param>
    public sealed record Verdict(double Completeness, string CompletenessDiscussion, double Groundedness, string GroundednessDiscussion);

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

    private sealed class Judging : Module<JudgedAnswer, Verdict>
    {
        private readonly ChainOfThought<SemanticF1.AnswerPair, CompletenessVerdict> completeness = new(CompletenessTask);
        private readonly ChainOfThought<ContextAndResponse, GroundednessVerdict> groundedness = new(GroundednessTask);

        protected internal override IEnumerable<KeyValuePair<string, Module>> GetChildren() =>
            [new(nameof(completeness), completeness), new(nameof(groundedness), groundedness)];

        protected override async Task<Verdict> ForwardAsync(JudgedAnswer input, CancellationToken cancellationToken)
        {
            var complete = await completeness.CallAsync(new(input.Question, input.Reference, input.Response), cancellationToken).ConfigureAwait(false);
            var grounded = await groundedness.CallAsync(new(input.Question, input.Context, input.Response), cancellationToken).ConfigureAwait(false);
            return new(complete.Completeness, complete.Discussion, grounded.Groundedness, grounded.Discussion);
        }
    }
}
