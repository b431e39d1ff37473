using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>One call of one predictor, recorded where it happened, whether or not its answer could be parsed.</summary>
public sealed record PredictorCall
{
    /// <summary>The predictor's dotted path, e.g. <c>generate_query</c>.</summary>
    public required string Path { get; init; }

    /// <summary>Which call of this predictor it was in the run, from 0.</summary>
    public required int Ordinal { get; init; }

    /// <summary>The signature in effect.</summary>
    public required Signature Signature { get; init; }

    /// <summary>The inputs as they were at the time of the call.</summary>
    public required FieldMap Inputs { get; init; }

    /// <summary>The rendered prompt.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>Name of the model that answered.</summary>
    public required string Model { get; init; }

    /// <summary>The raw answer.</summary>
    public string Text { get; init; } = string.Empty;

    /// <summary>The parsed outputs; null when parsing failed.</summary>
    public FieldMap? Outputs { get; init; }

    /// <summary>Why parsing failed; null when it succeeded.</summary>
    public AdapterParseException? Failure { get; init; }

    /// <summary>Why generation ended.</summary>
    public ChatFinishReason? FinishReason { get; init; }

    /// <summary>What the call cost.</summary>
    public Usage Usage { get; init; }

    /// <summary>Time from request to answer.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The sampled tokens, when the model is a local policy.</summary>
    public SampledTokens? Tokens { get; init; }
}

/// <summary>Everything that predictors did in one run of a program, in order of their start.</summary>
/// <param name="Calls">The recorded calls.</param>
public sealed record Trace(ImmutableArray<PredictorCall> Calls)
{
    /// <summary>A trace without calls.</summary>
    public static Trace Empty { get; } = new([]);

    /// <summary>What all calls cost.</summary>
    public Usage Usage => Calls.Aggregate(default(Usage), (sum, call) => sum + call.Usage);

    /// <summary>The calls of one predictor, in order.</summary>
    public IEnumerable<PredictorCall> Of(string path) => Calls.Where(call => call.Path == path);
}
