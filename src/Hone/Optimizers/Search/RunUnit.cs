using System.Collections.Immutable;
using System.Text.Json;

namespace Hone.Optimizers;

/// <summary>A run of a program that the search asks for.</summary>
/// <param name="Program">The program with its state.</param>
/// <param name="Key">What tells program and state apart from others of the run.</param>
/// <param name="Set">Where the example is from.</param>
/// <param name="Index">Its position there.</param>
internal sealed record RunRequest<TIn, TOut>(Program<TIn, TOut> Program, string Key, SearchSet<TIn, TOut> Set, int Index)
{
    /// <summary>Number of an independent sample; 0 may come from a cache.</summary>
    public long Sample { get; init; }

    /// <summary>Options over the model's.</summary>
    public CallOptions? Options { get; init; }

    /// <summary>A metric in place of the run's, with a name for the journal.</summary>
    public (string Name, Metric<TIn, TOut> Score)? Metric { get; init; }

    public string UnitKey => $"{RunUnit.KeyPrefix}{Key}|{Set.Key}|{Index}|{Sample}"
        + (Options is null ? "" : $"|{RunIdentity.Digest(Options, ProgramFileJson.Default.CallOptions)}") + (Metric is { } metric ? $"|{metric.Name}" : "");
}

/// <summary>What journals know runs of programs by.</summary>
internal static class RunUnit
{
    public const string KeyPrefix = "run|";
}

/// <summary>Runs a program on an example and scores the result.</summary>
internal sealed class RunUnit<TIn, TOut>(RunRequest<TIn, TOut> request, Metric<TIn, TOut> metric, SeedStream seed, double failureScore)
    : Unit<RunRecord>(request.UnitKey)
{
    public override string Kind => "run";

    public override bool IsProgramRun => true;

    public override ImmutableSortedDictionary<string, Usage> UsageByRole => Result.UsageByRole;

    private Example<TIn, TOut> Example => request.Set.Examples[request.Index];

    public override async Task ExecuteAsync(CancellationToken cancellationToken)
    {
        var outcome = await request.Program.TryRunAsync(Example.Input, RunOptions(), cancellationToken).ConfigureAwait(false);
        var usage = outcome.Trace.UsageByRole;
        var steps = request.Set.KeepsSteps ? RunRecord.StepsOf(outcome.Trace) : [];
        if (outcome.Error is { SourceException: var error })
        {
            ThrowUnlessTheCandidates(error, usage);
            Outcome = new RunRecord(new(failureScore))
            {
                Fault = error is AdapterParseException ? RunFault.Unreadable : RunFault.Crashed,
                Error = error.Message,
                Steps = steps,
                UsageByRole = usage,
            };
            return;
        }

        var (score, fault, judging) = await ScoreAsync(new(outcome.Value!, outcome.Trace), usage, cancellationToken).ConfigureAwait(false);
        Outcome = new RunRecord(score)
        {
            Output = ValueText.Of(outcome.Value),
            Fault = fault is null ? RunFault.None : RunFault.Metric,
            Error = fault,
            Steps = steps,
            UsageByRole = usage.Plus(judging),
        };
    }

    public override bool IsCrash => Result.Fault is RunFault.Crashed or RunFault.Metric;

    public override string? Error => Result.Error;

    public override void Save(Utf8JsonWriter json) => Result.Write(json);

    public override void Load(JsonElement saved) => Outcome = RunRecord.Read(
        saved, path => request.Program.Predictors.FirstOrDefault(entry => entry.Key == path).Value
            ?? throw new HoneException($"The journal has a call of '{path}', which the program lacks. Remove the run directory."));

    private RunOptions RunOptions()
    {
        var options = request.Options;
        if (request.Sample != 0)
            options = (options ?? new()) with { SampleId = request.Sample };
        return new() { Options = options, Seed = seed.Derive(request.Set.Name, request.Index, request.Sample).Seed };
    }

    private async Task<(Score Score, string? Fault, ImmutableSortedDictionary<string, Usage> Usage)> ScoreAsync(
        Prediction<TOut> prediction, ImmutableSortedDictionary<string, Usage> spent, CancellationToken cancellationToken)
    {
        using var judging = HoneScope.Use(new ScopeOptions { TraceLimit = int.MaxValue });
        try
        {
            var score = await (request.Metric?.Score ?? metric)(Example, prediction, cancellationToken).ConfigureAwait(false);
            return double.IsFinite(score.Value)
                ? (score, null, Usage())
                : (new(failureScore), $"The metric gave {score.Value} for example {Name}.", Usage());
        }
        catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            ThrowUnlessTheCandidates(error, spent.Plus(Usage()));
            return (new(failureScore), $"The metric failed on example {Name}: {error.Message}", Usage());
        }

        ImmutableSortedDictionary<string, Usage> Usage() => judging.Trace.UsageByRole;
    }

    private string Name => Example.Id ?? $"#{request.Index} of the {request.Set.Name} set";

    // A program or a metric with a time limit of its own may be cancelled by it: nobody has cancelled the run, and the candidate is to blame.
    private void ThrowUnlessTheCandidates(Exception error, ImmutableSortedDictionary<string, Usage> spent)
    {
        if (SearchFaults.Refusal(error) is null && !SearchFaults.IsOutage(error) && !SearchFaults.IsFatal(error))
            return;
        Wasted = spent;
        System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error);
    }
}
