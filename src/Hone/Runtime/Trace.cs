using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>One call of a model for one predictor, recorded where it happened, whether or not its answer could be parsed.</summary>
public sealed record PredictorCall
{
    /// <summary>The predictor's dotted path, e.g. <c>generate_query</c>.</summary>
    public required string Path { get; init; }

    /// <summary>Which call of this predictor it was in the run, from 0.</summary>
    public required int Ordinal { get; init; }

    /// <summary>
    /// 0 for the first request; 1, 2, … for those that followed it: to recover from an unreadable answer, or to read the fields out of a good one.
    /// </summary>
    public int Attempt { get; init; }

    /// <summary>
    /// True for a request that reads the outputs out of the answer before it, as <see cref="TwoStepAdapter"/> makes one each time: it recovers from nothing.
    /// </summary>
    public bool IsFollowUp { get; init; }

    /// <summary>The signature in effect.</summary>
    public required Signature Signature { get; init; }

    /// <summary>The inputs as they were at the time of the call.</summary>
    public required FieldMap Inputs { get; init; }

    /// <summary>The rendered prompt.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>Name of the model that answered.</summary>
    public required string Model { get; init; }

    /// <summary>What the model was used for, e.g. <c>task</c> or <c>judge</c>.</summary>
    public string Role { get; init; } = "task";

    /// <summary>Name of the adapter that rendered and parsed.</summary>
    public string Adapter { get; init; } = string.Empty;

    /// <summary>The raw answer.</summary>
    public string Text { get; init; } = string.Empty;

    /// <summary>The parsed outputs; null when parsing failed.</summary>
    public FieldMap? Outputs { get; init; }

    /// <summary>Why parsing failed; null when it succeeded.</summary>
    public AdapterParseException? Failure { get; init; }

    /// <summary>True when the answer had to be mended before it could be read.</summary>
    public bool IsRepaired { get; init; }

    /// <summary>Why generation ended.</summary>
    public ChatFinishReason? FinishReason { get; init; }

    /// <summary>True when the answer came from the cache.</summary>
    public bool IsCacheHit { get; init; }

    /// <summary>What the call cost; nothing when it came from the cache.</summary>
    public Usage Usage { get; init; }

    /// <summary>Time from request to answer.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The sampled tokens, when the model is a local policy.</summary>
    public SampledTokens? Tokens { get; init; }

    /// <summary>
    /// The provider's own response object, kept only when log-probabilities were asked for (<see cref="CallOptions.LogProbs"/>): they have no common
    /// form.
    /// </summary>
    public object? RawResponse { get; init; }
}

/// <summary>A call of a model that no predictor made: code of the program spoke to <see cref="LMExtensions.AsChatClient"/>.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="Role">What the model was used for.</param>
/// <param name="Usage">What the call cost; nothing when it came from the cache.</param>
public sealed record DirectCall(string Model, string Role, Usage Usage);

/// <summary>Calls that a scope no longer keeps, as it was told to keep so many only.</summary>
/// <param name="Calls">How many.</param>
/// <param name="Usage">What they cost.</param>
public sealed record DroppedCalls(long Calls, Usage Usage);

/// <summary>Everything that predictors did in one run of a program, in order of their start.</summary>
/// <param name="Calls">The recorded calls.</param>
public sealed record Trace(ImmutableArray<PredictorCall> Calls)
{
    /// <summary>A trace without calls.</summary>
    public static Trace Empty { get; } = new([]);

    /// <summary>Calls of other programs that ran inside this one, each with its own paths; part of <see cref="Usage"/>.</summary>
    public ImmutableArray<PredictorCall> Nested { get; init; } = [];

    /// <summary>
    /// Calls of attempts whose result was not taken, as <c>BestOfN</c> and <c>Refine</c> make them: paid for, and so part of
    /// <see cref="Usage"/>, but nothing that the result came of. Their ordinals count within their attempt.
    /// </summary>
    public ImmutableArray<PredictorCall> Discarded { get; init; } = [];

    /// <summary>Calls of models that no predictor made; part of <see cref="Usage"/>.</summary>
    public ImmutableArray<DirectCall> Direct { get; init; } = [];

    /// <summary>The calls before those kept here, when a scope's <see cref="ScopeOptions.TraceLimit"/> was reached; part of <see cref="Usage"/>.</summary>
    public DroppedCalls? Dropped { get; init; }

    /// <summary>What all calls cost, those of programs inside this one, of discarded attempts and without a predictor included.</summary>
    public Usage Usage
    {
        get
        {
            var sum = default(Usage);
            foreach (var call in Calls)
                sum += call.Usage;
            foreach (var call in Nested)
                sum += call.Usage;
            foreach (var call in Discarded)
                sum += call.Usage;
            foreach (var call in Direct)
                sum += call.Usage;
            return Dropped is null ? sum : sum + Dropped.Usage;
        }
    }

    /// <summary>What each model cost, by its name. Models that only answered from the cache do not appear.</summary>
    public ImmutableSortedDictionary<string, Usage> UsageByModel => Grouped(
        Made.Select(call => (call.Model, call.Usage)).Concat(Direct.Select(call => (call.Model, call.Usage))));

    /// <summary>What models cost by what they were used for, e.g. <c>task</c> or <c>judge</c>.</summary>
    public ImmutableSortedDictionary<string, Usage> UsageByRole => Grouped(
        Made.Select(call => (call.Role, call.Usage)).Concat(Direct.Select(call => (call.Role, call.Usage))));

    /// <summary>How many answers could not be read.</summary>
    internal int FormatFailureCount
    {
        get
        {
            var count = 0;
            foreach (var call in Calls)
                count += call.Failure is null ? 0 : 1;
            return count;
        }
    }

    /// <summary>How often an unreadable answer led to another request.</summary>
    public int RecoveryCount => Calls.Count(call => call is { Attempt: > 0, IsFollowUp: false });

    /// <summary>The calls of one predictor, in order.</summary>
    public IEnumerable<PredictorCall> Of(string path) => Calls.Where(call => call.Path == path);

    /// <summary>What the predictors' calls cost, grouped: by <c>call.Path</c>, by <c>call.Role</c>, … Without <see cref="Direct"/> and <see cref="Dropped"/>.</summary>
    public ImmutableSortedDictionary<string, Usage> UsageBy(Func<PredictorCall, string> key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Grouped(Made.Select(call => (key(call), call.Usage)));
    }

    private IEnumerable<PredictorCall> Made => Calls.Concat(Nested).Concat(Discarded);

    private static ImmutableSortedDictionary<string, Usage> Grouped(IEnumerable<(string Key, Usage Usage)> costs) => costs
        .Where(cost => cost.Usage != default)
        .GroupBy(cost => cost.Key, cost => cost.Usage, StringComparer.Ordinal)
        .ToImmutableSortedDictionary(
            group => group.Key, group => group.Aggregate(default(Usage), (sum, usage) => sum + usage), StringComparer.Ordinal);
}
