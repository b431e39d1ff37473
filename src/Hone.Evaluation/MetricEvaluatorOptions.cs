using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone.Evaluation;

/// <summary>How a metric works as an evaluator.</summary>
/// <typeparam name="TOut">The program's output.</typeparam>
public sealed record MetricEvaluatorOptions<TOut>
{
    /// <summary>A score below this is reported as failed, and one from it on as good; null, the default, leaves the judgement to the reader.</summary>
    public double? Passing { get; init; }

    /// <summary>Names of the score's parts, told before any score is known. Parts that are not named here are reported all the same.</summary>
    /// <value>None by default.</value>
    public ImmutableArray<string> Parts { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Reads an output in an answer, for conversations whose context has the example but no prediction.</summary>
    /// <value>None by default: the context must have the prediction.</value>
    public Func<ChatResponse, TOut>? Output { get; init; }
}
