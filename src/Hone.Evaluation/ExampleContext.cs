using Microsoft.Extensions.AI.Evaluation;

namespace Hone.Evaluation;

/// <summary>What a metric needs beside a conversation: the example, and what is known of its prediction. Reports show the expected output.</summary>
/// <typeparam name="TIn">The program's input.</typeparam>
/// <typeparam name="TOut">The program's output.</typeparam>
public sealed class ExampleContext<TIn, TOut> : EvaluationContext
{
    /// <summary>Creates a context.</summary>
    /// <param name="example">The example.</param>
    /// <param name="prediction">What the program returned; null when only the answer's text is known.</param>
    /// <param name="score">What a metric said of it; null when none was asked.</param>
    public ExampleContext(Example<TIn, TOut> example, Prediction<TOut>? prediction = null, Score? score = null)
        : base("expected", ValueText.Of((example ?? throw new ArgumentNullException(nameof(example))).Expected)) =>
        (Example, Prediction, Score) = (example, prediction, score);

    /// <summary>The example.</summary>
    public Example<TIn, TOut> Example { get; }

    /// <summary>What the program returned; null when only the answer's text is known.</summary>
    public Prediction<TOut>? Prediction { get; }

    /// <summary>What a metric said of it; null when none was asked.</summary>
    public Score? Score { get; }

    internal static string Missing => $"A value of the type {nameof(ExampleContext<,>)}<{typeof(TIn).Name}, {typeof(TOut).Name}> is missing in the additional context.";

    internal static ExampleContext<TIn, TOut>? In(IEnumerable<EvaluationContext>? context) => context?.OfType<ExampleContext<TIn, TOut>>().FirstOrDefault();
}
