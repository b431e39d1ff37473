using System.Collections.Immutable;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;

namespace Hone.Evaluation;

/// <summary>What an evaluator is shown of an example and its prediction, and how a score is made of what it says.</summary>
/// <typeparam name="TIn">The program's input.</typeparam>
/// <typeparam name="TOut">The program's output.</typeparam>
public sealed record EvaluatorMetricOptions<TIn, TOut>
{
    /// <summary>
    /// The model that the evaluator asks, for those that judge by one; null, the default, gives none. <see cref="LMExtensions.AsChatClient"/> makes one of a model with
    /// cache, budget and retries.
    /// </summary>
    public IChatClient? Judge { get; init; }

    /// <summary>The messages that led to the answer.</summary>
    /// <value>By default one of the user's, with the example's input in words.</value>
    public Func<Example<TIn, TOut>, IEnumerable<ChatMessage>> Messages { get; init; } =
        static example => [new ChatMessage(ChatRole.User, ValueText.Of(example.Input))];

    /// <summary>The answer.</summary>
    /// <value>By default the program's output in words.</value>
    public Func<Prediction<TOut>, ChatResponse> Response { get; init; } =
        static prediction => new(new ChatMessage(ChatRole.Assistant, ValueText.Of(prediction.Value)));

    /// <summary>What else the evaluator needs, e.g. a reference answer or the passages that should support the answer, each in the type that it asks for.</summary>
    /// <value>Nothing by default.</value>
    public Func<Example<TIn, TOut>, Prediction<TOut>, IEnumerable<EvaluationContext>> Context { get; init; } = static (_, _) => [];

    /// <summary>The ends of the numbers that the evaluator gives: they become 0 and 1. A number outside fails the example.</summary>
    /// <value>0 and 1 by default; evaluators that judge by a model often give 1 to 5.</value>
    /// <exception cref="ArgumentOutOfRangeException">The ends are not finite, or the lower one is not below the other.</exception>
    public (double Low, double High) Scale
    {
        get;
        init => field = double.IsFinite(value.Low) && double.IsFinite(value.High) && value.Low < value.High
            ? value
            : throw new ArgumentOutOfRangeException(nameof(Scale), value, "Scale needs two finite numbers, the lower one first.");
    } = (0, 1);

    /// <summary>
    /// Makes a fraction of one result; null leaves that result out. Takes the place of the rule that is usual here: true is 1 and false 0, numbers are read on
    /// <see cref="Scale"/>, and what else has a rating gets 0 (unacceptable), 0.25, 0.5, 0.75 or 1 (exceptional).
    /// </summary>
    /// <value>The usual rule by default.</value>
    public Func<EvaluationMetric, double?>? Value { get; init; }

    /// <summary>Names of the results that count; their mean is the score, and each is a part of it.</summary>
    /// <value>Empty by default: all of them.</value>
    public ImmutableArray<string> Counted { get; init => field = value.IsDefault ? [] : value; } = [];
}
