namespace Hone;

/// <summary>
/// As <see cref="BestOfN{TIn,TOut}"/>, one attempt after another; between them a model looks at what went wrong and gives each predictor advice for the
/// next attempt. The advice is a further input of that attempt's requests and of nothing else: no state, trace or demo holds it.
/// </summary>
/// <typeparam name="TIn">What goes in.</typeparam>
/// <typeparam name="TOut">What comes out.</typeparam>
public sealed class Refine<TIn, TOut> : AttemptingModule<TIn, TOut>
{
    private readonly RefineAdvisor advisor;

    /// <summary>Creates the module.</summary>
    /// <param name="module">What is run; its predictors are below <c>module</c>.</param>
    /// <param name="attempts">Most attempts at one input; at least 1.</param>
    /// <param name="reward">What an output is worth; higher is better. Its <see cref="Score.Feedback"/> reaches the advisor.</param>
    /// <param name="threshold">A reward that is enough; null makes every attempt.</param>
    /// <param name="goal">What the reward asks for, in words, for the advisor.</param>
    /// <param name="options">Failures, temperature; the defaults when null.</param>
    public Refine(
        Module<TIn, TOut> module, int attempts, Func<TIn, TOut, Score> reward, double? threshold = null, string? goal = null, AttemptOptions? options = null)
        : this(module, attempts, Reward.Of(reward), threshold, goal, options)
    {
    }

    /// <summary>Creates the module with a reward that may wait, e.g. for a judge.</summary>
    /// <param name="module">What is run; its predictors are below <c>module</c>.</param>
    /// <param name="attempts">Most attempts at one input; at least 1.</param>
    /// <param name="reward">What an output is worth; higher is better. Its <see cref="Score.Feedback"/> reaches the advisor.</param>
    /// <param name="threshold">A reward that is enough; null makes every attempt.</param>
    /// <param name="goal">What the reward asks for, in words, for the advisor.</param>
    /// <param name="options">Failures, temperature; the defaults when null.</param>
    public Refine(
        Module<TIn, TOut> module,
        int attempts,
        Func<TIn, TOut, CancellationToken, ValueTask<Score>> reward,
        double? threshold = null,
        string? goal = null,
        AttemptOptions? options = null)
        : base(module, attempts, reward, threshold, options) => advisor = new(module, goal);

    /// <inheritdoc/>
    protected internal override IEnumerable<KeyValuePair<string, Module>> GetChildren() => [new("module", Inner), new("advisor", advisor.Predictor)];

    private protected override async Task MakeAsync(TIn input, AttemptSeries<TOut> series, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<object, string>? hints = null;
        for (var i = 0; i < series.Count; i++)
        {
            var attempt = await TryAsync(input, series.Open(i, hints), cancellationToken).ConfigureAwait(false) with { Advice = [.. hints?.Values.Distinct() ?? []] };
            if (series.Keep(i, attempt) || series.HasFailed())
                return;

            // A broken connection is nobody's fault: the advice so far stays.
            if (i < series.Count - 1 && attempt.Error is not LMException)
                hints = await advisor.AdviseAsync(input, attempt, Threshold, cancellationToken).ConfigureAwait(false) ?? hints;
        }
    }
}
