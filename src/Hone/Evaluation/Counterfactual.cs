using System.Collections.Immutable;

namespace Hone;

/// <summary>How often and how a call is made anew.</summary>
public sealed record CounterfactualOptions
{
    /// <summary>How often the call, and what follows it, is made anew.</summary>
    /// <value>4 by default; at least 1.</value>
    public int Samples
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(Samples)); field = value; }
    } = 4;

    /// <summary>Options of the calls that are made anew.</summary>
    /// <value>Temperature 1 by default: at 0 they would all be as recorded.</value>
    public CallOptions Options { get; init; } = new() { Temperature = 1 };

    /// <summary>Seed; each sample derives its own.</summary>
    public long Seed { get; init; }

    /// <summary>How many runs are under way at once. Results do not depend on it.</summary>
    /// <value>8 by default; at least 1.</value>
    public int MaxParallelism
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxParallelism)); field = value; }
    } = 8;

    /// <summary>Score of a run that ends with an error.</summary>
    public double FailureScore { get; init; }
}

/// <summary>What one call contributed to a run's score.</summary>
/// <param name="Call">The recorded call.</param>
/// <param name="Score">Score of the recorded run.</param>
/// <param name="Alternatives">Scores of runs that are the same up to the call and make it, and all that follows, anew.</param>
public sealed record CounterfactualResult(PredictorCall Call, double Score, ImmutableArray<double> Alternatives)
{
    /// <summary>How much better the run ended than the alternatives did on average: above 0 the call was a good one.</summary>
    public double Advantage => Score - Alternatives.Average();
}

/// <summary>
/// What would have come of a run, had one of its calls been made anew? All calls before it are answered from the record, so the question costs only what comes
/// after. The difference is the call's own part in the score: an estimate of its advantage without a model of values (as in VinePPO, arXiv 2410.01679).
/// </summary>
public static class Counterfactual
{
    /// <summary>Asks the question for one call.</summary>
    /// <param name="program">The program that made the run, on a model that samples.</param>
    /// <param name="example">The run's example.</param>
    /// <param name="run">The run.</param>
    /// <param name="call">A call of the run's trace.</param>
    /// <param name="metric">Scores the run and its alternatives.</param>
    /// <param name="options">How often, at what temperature.</param>
    /// <param name="cancellationToken">Stops the runs.</param>
    /// <exception cref="HoneException">The call is not of the run, or the program does something else when it runs again on the same answers.</exception>
    public static async Task<CounterfactualResult> OfCallAsync<TIn, TOut>(
        Program<TIn, TOut> program,
        Example<TIn, TOut> example,
        Prediction<TOut> run,
        PredictorCall call,
        Metric<TIn, TOut> metric,
        CounterfactualOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(metric);
        options ??= new();
        var place = run.Trace.Calls.IndexOf(call);
        if (place < 0)
            throw new HoneException($"The call of '{call.Path}' is not one of the run's trace. Take it from {nameof(Trace)}.{nameof(Trace.Calls)} of the same run.");

        // A call that was asked again counts from its first request on.
        var prefix = run.Trace.Calls[..place].RemoveAll(earlier => earlier.Path == call.Path && earlier.Ordinal == call.Ordinal);
        var score = await metric(example, run, cancellationToken).ConfigureAwait(false);
        var results = await ParallelRunner.RunAsync(
            [.. Enumerable.Range(0, options.Samples)],
            (sample, _, token) => AlternativeAsync(program, example, prefix, sample, metric, options, token),
            new() { MaxParallelism = options.MaxParallelism, MaxErrors = 0 },
            cancellationToken).ConfigureAwait(false);
        return new(call, score.Value, [.. results.Select(result => result.Value)]);
    }

    /// <summary>Asks the question for every call of a run, in its order.</summary>
    /// <inheritdoc cref="OfCallAsync"/>
    public static async Task<ImmutableArray<CounterfactualResult>> OfRunAsync<TIn, TOut>(
        Program<TIn, TOut> program,
        Example<TIn, TOut> example,
        Prediction<TOut> run,
        Metric<TIn, TOut> metric,
        CounterfactualOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        var results = ImmutableArray.CreateBuilder<CounterfactualResult>();
        foreach (var call in run.Trace.Calls.Where(call => call.Attempt == 0))
            results.Add(await OfCallAsync(program, example, run, call, metric, options, cancellationToken).ConfigureAwait(false));
        return results.ToImmutable();
    }

    private static async Task<double> AlternativeAsync<TIn, TOut>(
        Program<TIn, TOut> program,
        Example<TIn, TOut> example,
        ImmutableArray<PredictorCall> prefix,
        int sample,
        Metric<TIn, TOut> metric,
        CounterfactualOptions options,
        CancellationToken cancellationToken)
    {
        var replaying = On(program, model => model with { Client = new RecordedPrefix(model.Client, prefix), Cache = null, Failover = [] });
        var settings = new RunOptions { Options = options.Options with { SampleId = sample }, Seed = new SeedStream(options.Seed).Derive("counterfactual", sample).Seed };
        var outcome = await replaying.TryRunAsync(example.Input, settings, cancellationToken).ConfigureAwait(false);
        Check(prefix, outcome.Trace);
        if (outcome.Error is not null)
            return options.FailureScore;
        return (await metric(example, new(outcome.Value!, outcome.Trace), cancellationToken).ConfigureAwait(false)).Value;
    }

    private static Program<TIn, TOut> On<TIn, TOut>(Program<TIn, TOut> program, Func<LM, LM> wrap)
    {
        var wrapped = program.Model is { } model ? program.WithModel(wrap(model)) : program;
        foreach (var (name, named) in program.NamedModels)
            wrapped = wrapped.WithNamedModel(name, wrap(named));
        return wrapped;
    }

    private static void Check(ImmutableArray<PredictorCall> prefix, Trace trace)
    {
        foreach (var recorded in prefix)
        {
            var again = trace.Calls.FirstOrDefault(call => call.Path == recorded.Path && call.Ordinal == recorded.Ordinal && call.Attempt == recorded.Attempt);
            if (again is null)
                throw new HoneException($"Run again on the same answers, the program did not make call {recorded.Ordinal} of '{recorded.Path}': it depends on something besides its input and its calls.");
            if (!Equals(again.Outputs, recorded.Outputs))
                throw new HoneException($"The recorded answer to call {recorded.Ordinal} of '{recorded.Path}' reads otherwise than it did: it came by the provider's own tool calls, or under another adapter.");
        }
    }
}
