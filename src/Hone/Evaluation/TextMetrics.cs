using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>Exact string metrics of question answering: exact match, F1, precision, passage match. All compare normalised texts.</summary>
public static partial class TextMetrics
{
    private static readonly string[] ClosedAnswers = ["yes", "no", "noanswer"];

    /// <summary>
    /// Normalises a text for comparison: canonical decomposition, lower case, ASCII punctuation deleted, the words a, an
    /// and the dropped, blanks collapsed.
    /// </summary>
    public static string Normalize(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TextNormalizer.Normalize(text);
    }

    /// <summary>As <see cref="Normalize(string)"/>, with options for other languages and for typeset texts.</summary>
    public static string Normalize(string text, TextNormalization options)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(options);
        return TextNormalizer.Normalize(text, options);
    }

    /// <summary>True when the prediction equals any of the answers after normalisation.</summary>
    /// <exception cref="HoneException">There are no answers.</exception>
    public static bool ExactMatch(string prediction, params IReadOnlyList<string> answers) => ExactMatch(prediction, answers, TextNormalization.Default);

    /// <summary>As <see cref="ExactMatch(string, IReadOnlyList{string})"/>, with a normalisation of one's own.</summary>
    /// <exception cref="HoneException">There are no answers.</exception>
    public static bool ExactMatch(string prediction, IReadOnlyList<string> answers, TextNormalization normalization)
    {
        RequireAnswers(answers);
        var normalized = Normalize(prediction, normalization);
        return answers.Any(answer => Normalize(answer, normalization) == normalized);
    }

    /// <summary>Harmonic mean of token precision and recall, the best over the answers; 0 to 1, and 0 when nothing overlaps.</summary>
    /// <exception cref="HoneException">There are no answers.</exception>
    public static double F1(string prediction, params IReadOnlyList<string> answers) => F1(prediction, answers, TextNormalization.Default);

    /// <summary>As <see cref="F1(string, IReadOnlyList{string})"/>, with a normalisation of one's own.</summary>
    /// <exception cref="HoneException">There are no answers.</exception>
    public static double F1(string prediction, IReadOnlyList<string> answers, TextNormalization normalization)
    {
        RequireAnswers(answers);
        var tokens = Tokens(Normalize(prediction, normalization));
        return answers.Max(answer => F1(tokens, Tokens(Normalize(answer, normalization))));
    }

    /// <summary>As <see cref="F1(string, IReadOnlyList{string})"/>, but yes, no and noanswer only match themselves.</summary>
    /// <exception cref="HoneException">There are no answers.</exception>
    public static double HotPotF1(string prediction, params IReadOnlyList<string> answers) => HotPotF1(prediction, answers, TextNormalization.Default);

    /// <summary>As <see cref="HotPotF1(string, IReadOnlyList{string})"/>, with a normalisation of one's own.</summary>
    /// <exception cref="HoneException">There are no answers.</exception>
    public static double HotPotF1(string prediction, IReadOnlyList<string> answers, TextNormalization normalization)
    {
        RequireAnswers(answers);
        var normalized = Normalize(prediction, normalization);
        return answers.Max(answer => HotPotF1(normalized, Normalize(answer, normalization)));
    }

    /// <summary>The share of the prediction's tokens that the answer has, best over the answers; 0 when nothing overlaps.</summary>
    /// <exception cref="HoneException">There are no answers.</exception>
    public static double Precision(string prediction, params IReadOnlyList<string> answers) => Precision(prediction, answers, TextNormalization.Default);

    /// <summary>As <see cref="Precision(string, IReadOnlyList{string})"/>, with a normalisation of one's own.</summary>
    /// <exception cref="HoneException">There are no answers.</exception>
    public static double Precision(string prediction, IReadOnlyList<string> answers, TextNormalization normalization)
    {
        RequireAnswers(answers);
        var tokens = Tokens(Normalize(prediction, normalization));
        return answers.Max(answer => Overlap(tokens, Tokens(Normalize(answer, normalization))) is > 0 and var overlap ? (double)overlap / tokens.Length : 0);
    }

    /// <summary>Compares the field <c>answer</c> of a prediction with that of an example, which is a text or a list of texts.</summary>
    /// <param name="example">Holds the reference answers.</param>
    /// <param name="prediction">Holds the predicted answer.</param>
    /// <param name="fraction">1 or more asks for an exact match; less for at least this F1.</param>
    /// <exception cref="HoneException">A field is absent or not text.</exception>
    public static bool AnswerExactMatch(FieldMap example, FieldMap prediction, double fraction = 1.0) =>
        AnswerExactMatch(example, prediction, fraction, TextNormalization.Default);

    /// <summary>As <see cref="AnswerExactMatch(FieldMap, FieldMap, double)"/>, with a normalisation of one's own.</summary>
    /// <exception cref="HoneException">A field is absent or not text.</exception>
    public static bool AnswerExactMatch(FieldMap example, FieldMap prediction, double fraction, TextNormalization normalization)
    {
        ArgumentNullException.ThrowIfNull(example);
        ArgumentNullException.ThrowIfNull(prediction);
        var answers = Texts(example, "answer");
        var predicted = prediction["answer"] as string ?? throw NotText("answer", prediction["answer"]);
        return fraction >= 1 ? ExactMatch(predicted, answers, normalization) : F1(predicted, answers, normalization) >= fraction;
    }

    /// <summary>True when any passage of the prediction's field <c>context</c> contains an answer of the example as consecutive tokens.</summary>
    /// <exception cref="HoneException">A field is absent or not text.</exception>
    public static bool AnswerPassageMatch(FieldMap example, FieldMap prediction) => AnswerPassageMatch(example, prediction, TextNormalization.Default);

    /// <summary>As <see cref="AnswerPassageMatch(FieldMap, FieldMap)"/>, with a normalisation of one's own.</summary>
    /// <exception cref="HoneException">A field is absent or not text.</exception>
    public static bool AnswerPassageMatch(FieldMap example, FieldMap prediction, TextNormalization normalization)
    {
        ArgumentNullException.ThrowIfNull(example);
        ArgumentNullException.ThrowIfNull(prediction);
        return PassageMatch(Texts(prediction, "context"), Texts(example, "answer"), normalization);
    }

    /// <summary>True when any passage contains any answer as consecutive tokens. An answer that normalises to nothing matches nothing; <see cref="TextNormalization.Logger"/> is told of it.</summary>
    public static bool PassageMatch(IReadOnlyList<string> passages, IReadOnlyList<string> answers) => PassageMatch(passages, answers, TextNormalization.Default);

    /// <summary>As <see cref="PassageMatch(IReadOnlyList{string}, IReadOnlyList{string})"/>, with a normalisation of one's own.</summary>
    public static bool PassageMatch(IReadOnlyList<string> passages, IReadOnlyList<string> answers, TextNormalization normalization)
    {
        ArgumentNullException.ThrowIfNull(passages);
        ArgumentNullException.ThrowIfNull(answers);
        var wanted = new List<string[]>(answers.Count);
        foreach (var answer in answers)
        {
            if (TokensOf(answer) is { Length: > 0 } tokens)
                wanted.Add(tokens);
            else if (normalization.Logger is { } logger)
                LogNothingToFind(logger, answer);
        }

        return wanted.Count > 0 && passages.Select(TokensOf).Any(passage => wanted.Exists(answer => passage.AsSpan().IndexOf(answer) >= 0));

        string[] TokensOf(string text) => TextNormalizer.PassageTokens(Normalize(text, normalization));
    }

    private static double HotPotF1(string prediction, string answer) =>
        prediction != answer && (ClosedAnswers.Contains(prediction) || ClosedAnswers.Contains(answer)) ? 0 : F1(Tokens(prediction), Tokens(answer));

    private static double F1(string[] prediction, string[] answer)
    {
        var overlap = Overlap(prediction, answer);
        if (overlap == 0)
            return 0;
        var precision = (double)overlap / prediction.Length;
        var recall = (double)overlap / answer.Length;
        return 2 * precision * recall / (precision + recall);
    }

    // Size of the multiset intersection.
    private static int Overlap(string[] left, string[] right)
    {
        var counts = right.CountBy(token => token).ToDictionary(StringComparer.Ordinal);
        var overlap = 0;
        foreach (var token in left)
        {
            if (counts.TryGetValue(token, out var count) && count > 0)
            {
                counts[token] = count - 1;
                overlap++;
            }
        }

        return overlap;
    }

    private static string[] Tokens(string normalized) => normalized.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static ImmutableArray<string> Texts(FieldMap fields, string name) => fields[name] switch
    {
        string text => [text],
        ImmutableArray<object?> list => [.. list.Select(item => item as string ?? throw NotText(name, item))],
        var other => throw NotText(name, other),
    };

    [LoggerMessage(EventId = 151, Level = LogLevel.Warning, Message = "The answer '{Answer}' normalises to nothing, so no passage can contain it: this example can only score 0 by it.")]
    private static partial void LogNothingToFind(ILogger logger, string answer);

    private static HoneException NotText(string name, object? value) =>
        new($"The field '{name}' must be text or a list of texts for this metric, found {FieldConstraints.Shorten(value)}.");

    private static void RequireAnswers(IReadOnlyList<string> answers)
    {
        ArgumentNullException.ThrowIfNull(answers);
        if (answers.Count == 0)
            throw new HoneException("There are no answers to compare with. Give at least one reference answer.");
    }
}
