using System.Collections.Immutable;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;

namespace Hone.Optimizers;

/// <summary>
/// What a strategy works with: it runs programs on examples, asks models for texts and scores candidates, each in waves that are journaled, budgeted and
/// run side by side. A strategy is sequential code between waves; it draws all randomness from <see cref="Seed"/>, so that it takes the same way again
/// when its units come from the journal.
/// </summary>
internal sealed class SearchRun<TIn, TOut>
{
    private readonly Metric<TIn, TOut> metric;
    private readonly UnitRunner units;
    private readonly SearchEvents events;
    private readonly SearchFolder<TIn, TOut>? folder;
    private readonly List<Unit> ahead = [];
    private int failedProposals;
    private bool hasMetricFailed;

    public SearchRun(
        Program<TIn, TOut> student,
        Metric<TIn, TOut> metric,
        OptimizerOptions options,
        SearchSet<TIn, TOut> train,
        SearchSet<TIn, TOut>? selection,
        SeedStream seed,
        UnitRunner units,
        SearchEvents events,
        SearchFolder<TIn, TOut>? folder)
    {
        (this.metric, this.units, this.events, this.folder) = (metric, units, events, folder);
        (Options, Train, Selection, Seed) = (options, train, selection, seed);
        Baseline = new(student, CandidateKeys.Of(student, "student"), "the program as it came");
    }

    public OptimizerOptions Options { get; }

    /// <summary>Where the run is kept; null for one in memory.</summary>
    public string? Directory => folder?.Directory;

    /// <summary>Examples to learn from.</summary>
    public SearchSet<TIn, TOut> Train { get; }

    /// <summary>Examples that choose; null when nothing chooses.</summary>
    public SearchSet<TIn, TOut>? Selection { get; }

    public SeedStream Seed { get; }

    /// <summary>Candidate 0.</summary>
    public SearchCandidate<TIn, TOut> Baseline { get; }

    public Program<TIn, TOut> Student => Baseline.Program;

    /// <summary>The student's predictors that may be changed, in declaration order: path and signature.</summary>
    public ImmutableArray<KeyValuePair<string, Signature>> Open => Options.OpenIn(Student);

    public CandidateLedger<TIn, TOut> Ledger { get; } = new();

    /// <summary>What the strategy will want to know when the result is made.</summary>
    public object? StrategyState { get; set; }

    public long RemainingRuns => units.RemainingRuns;

    public long ProgramRuns => units.ProgramRuns;

    /// <summary>What the run's budget leaves to a step of it: enough is kept to score what the step gives.</summary>
    public RunAllowance AllowStep() => units.Allow(Selection?.Count ?? 0, (Selection?.Count ?? 0) * (long)(Options.CallsPerRun ?? Math.Max(1, Student.Predictors.Length)));

    /// <summary>Counts runs of the program that a step has made.</summary>
    public void CountRunsOfStep(long runs) => units.CountRunsOfStep(runs);

    /// <summary>The student under another state.</summary>
    public SearchCandidate<TIn, TOut> Candidate(ProgramState state, string origin)
    {
        var program = Student.With(state);
        return new(program, CandidateKeys.Of(program, "student"), origin);
    }

    /// <summary>Another program, e.g. a teacher's.</summary>
    /// <param name="program">The program.</param>
    /// <param name="slot">What tells it apart from others that look alike, e.g. <c>teacher0</c>.</param>
    /// <param name="origin">What it is, in words.</param>
    public static SearchCandidate<TIn, TOut> Foreign(Program<TIn, TOut> program, string slot, string origin) =>
        new(program, CandidateKeys.Of(program, slot), origin);

    /// <summary>A module that writes texts, on the model given for it or else the student's own. Make it once a run.</summary>
    /// <param name="module">The module; its signature is the meta-prompt.</param>
    /// <param name="model">Its model; the student's when null.</param>
    /// <param name="role">What the model is for, e.g. <c>prompt</c> or <c>reflection</c>: costs are kept apart by it.</param>
    public Program<TRequest, TReply> Proposer<TRequest, TReply>(Module<TRequest, TReply> module, LM? model, string role) =>
        new(module, (model ?? Student.Model ?? throw new HoneException("The program has no model to write texts with. Set one with WithModel, or give the optimizer its own.")) with { Role = role });

    /// <summary>A stream of randomness for a purpose.</summary>
    public Random RandomFor(string purpose, params ReadOnlySpan<long> ordinals) => Seed.Derive(purpose, ordinals).CreateRandom();

    /// <summary>Runs programs on examples; the records are in the order of the requests.</summary>
    /// <exception cref="SearchEndedException">The run is to end.</exception>
    public Task<RunRecord[]> RunAsync(string phase, IReadOnlyList<RunRequest<TIn, TOut>> requests, CancellationToken cancellationToken) =>
        RunAsync(phase, requests, Options.MaxErrors, cancellationToken);

    /// <summary>As <see cref="RunAsync(string, IReadOnlyList{RunRequest{TIn, TOut}}, CancellationToken)"/>, for a caller that counts failures itself.</summary>
    /// <exception cref="SearchEndedException">The run is to end.</exception>
    public Task<RunRecord[]> RunUncountedAsync(string phase, IReadOnlyList<RunRequest<TIn, TOut>> requests, CancellationToken cancellationToken) =>
        RunAsync(phase, requests, null, cancellationToken);

    /// <summary>Runs each candidate on the same part of a set. Nothing is entered in the ledger.</summary>
    public async Task<SearchScore<TIn, TOut>[]> SampleAsync(
        string phase,
        IReadOnlyList<SearchCandidate<TIn, TOut>> candidates,
        SearchSet<TIn, TOut> set,
        IReadOnlyList<int> indices,
        CancellationToken cancellationToken)
    {
        var records = await RunAsync(phase, [.. candidates.SelectMany(candidate => indices.Select(index => candidate.On(set, index)))], cancellationToken)
            .ConfigureAwait(false);
        SearchScore<TIn, TOut>[] scores =
            [.. candidates.Select((candidate, i) => new SearchScore<TIn, TOut>(candidate, records[(i * indices.Count)..((i + 1) * indices.Count)]))];
        foreach (var score in scores)
            Tell(new CandidateSampled(score.Candidate.Origin, score.Mean, indices.Count));
        return scores;
    }

    /// <summary>
    /// Scores candidates on the whole selection set and enters them in the ledger, in order. When the budget allows only some of them, those are entered
    /// before the run ends.
    /// </summary>
    /// <exception cref="SearchEndedException">The run is to end: a budget is spent, or a candidate reached the target.</exception>
    public async Task<SearchScore<TIn, TOut>[]> ScoreAsync(
        string phase, IReadOnlyList<SearchCandidate<TIn, TOut>> candidates, CancellationToken cancellationToken)
    {
        var set = Selection ?? throw new InvalidOperationException("There is no selection set.");
        var waves = candidates.Select(candidate => UnitsFor([.. set.All.Select(index => candidate.On(set, index))])).ToArray();
        var affordable = waves.Length;
        while (affordable > 0 && units.NewRuns(waves[..affordable].SelectMany(wave => wave)) > RemainingRuns)
            affordable--;
        SearchEndedException? ended = null;
        try
        {
            await WaveAsync(phase, [.. waves[..affordable].SelectMany(wave => wave)], cancellationToken).ConfigureAwait(false);
        }
        catch (SearchEndedException error)
        {
            ended = error;
        }

        var scores = new List<SearchScore<TIn, TOut>>();
        for (var i = 0; i < affordable && waves[i].All(unit => unit.Outcome is not null); i++)
            scores.Add(await EnterAsync(new(candidates[i], [.. waves[i].Select(unit => unit.Result)]), cancellationToken).ConfigureAwait(false));
        if (ended is not null)
            throw ended;
        if (affordable < waves.Length)
            await WaveAsync(phase, waves[affordable], cancellationToken).ConfigureAwait(false);
        ThrowIfReached(scores);
        return [.. scores];
    }

    /// <summary>Scores one candidate; see <see cref="ScoreAsync(string, IReadOnlyList{SearchCandidate{TIn, TOut}}, CancellationToken)"/>.</summary>
    public async Task<SearchScore<TIn, TOut>> ScoreAsync(string phase, SearchCandidate<TIn, TOut> candidate, CancellationToken cancellationToken) =>
        (await ScoreAsync(phase, [candidate], cancellationToken).ConfigureAwait(false))[0];

    /// <summary>Scores those candidates that the ledger does not have yet, each once; gives the entries of all, in order.</summary>
    /// <exception cref="SearchEndedException">The run is to end.</exception>
    public async Task<OptimizationCandidate[]> ScoreOnceAsync(
        string phase, IReadOnlyList<SearchCandidate<TIn, TOut>> candidates, CancellationToken cancellationToken)
    {
        SearchCandidate<TIn, TOut>[] fresh = [.. candidates.Where(candidate => Ledger.Find(candidate.Key) is null).DistinctBy(candidate => candidate.Key)];
        if (fresh.Length > 0)
            await ScoreAsync(phase, fresh, cancellationToken).ConfigureAwait(false);
        return [.. candidates.Select(candidate => Ledger.Find(candidate.Key)!)];
    }

    /// <summary>Scores a candidate where there is a selection set; else enters it as the result so far.</summary>
    public async Task OfferAsync(SearchCandidate<TIn, TOut> candidate, CancellationToken cancellationToken)
    {
        if (Selection is not null)
            await ScoreAsync("scoring", candidate, cancellationToken).ConfigureAwait(false);
        else
            await EnterAsync(candidate, null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Questions for which nothing has to be known any more: they are asked beside the next wave, and are answered when the search asks them. One that could
    /// not be asked then is asked when its turn comes.
    /// </summary>
    public void AskAhead<TRequest, TReply>(Program<TRequest, TReply> proposer, IEnumerable<AskRequest<TRequest>> requests, JsonTypeInfo<TReply> json)
        where TReply : class =>
        ahead.AddRange(requests.Select(request => new AskUnit<TRequest, TReply>(proposer, request, Seed, json)));

    /// <summary>Asks a model for texts, side by side; a question that fails is a proposal with an error.</summary>
    /// <exception cref="SearchEndedException">The run is to end: too many proposals in a row failed, for one.</exception>
    public async Task<Proposal<TReply>[]> AskAsync<TRequest, TReply>(
        string phase,
        Program<TRequest, TReply> proposer,
        IReadOnlyList<AskRequest<TRequest>> requests,
        JsonTypeInfo<TReply> json,
        CancellationToken cancellationToken)
        where TReply : class
    {
        AskUnit<TRequest, TReply>[] wave = [.. requests.Select(request => new AskUnit<TRequest, TReply>(proposer, request, Seed, json))];
        await WaveAsync(phase, wave, cancellationToken).ConfigureAwait(false);
        foreach (var unit in wave)
        {
            // Too long a question says nothing about the model: the strategy asks a shorter one.
            failedProposals = unit.Result.Error is null ? 0 : failedProposals + (unit.Result.IsTooLong ? 0 : 1);
            if (failedProposals >= Options.MaxFailedProposals)
                throw new SearchEndedException(StopReason.Outage, $"{failedProposals} proposals in a row failed; the last one: {unit.Result.Error}");
        }

        return [.. wave.Select(unit => unit.Result)];
    }

    /// <summary>Embeds texts, in batches: vectors of length 1, in the order of the texts.</summary>
    /// <exception cref="SearchEndedException">The run is to end.</exception>
    /// <exception cref="HoneException">The vectors differ in length, or there is not one a text.</exception>
    public async Task<float[][]> EmbedAsync(IEmbeddingGenerator<string, Embedding<float>> embeddings, string[] texts, CancellationToken cancellationToken)
    {
        EmbedUnit[] wave = [.. texts.Chunk(EmbeddingBatches.DefaultSize).Select(batch => new EmbedUnit(embeddings, batch))];
        await WaveAsync("embedding", wave, cancellationToken).ConfigureAwait(false);
        float[][] vectors = [.. wave.SelectMany(unit => unit.Result.Values)];
        return Array.Find(vectors, vector => vector.Length != vectors[0].Length) is { } other
            ? throw new HoneException($"The embedding generator gave vectors of several lengths: {vectors[0].Length} and {other.Length}.")
            : vectors;
    }

    /// <summary>Tells listeners what happened.</summary>
    public void Tell(OptimizerEvent happened) => events.Tell(happened);

    /// <summary>Something the user should know.</summary>
    public void Warn(string message) => events.Warn(message);

    private RunUnit<TIn, TOut>[] UnitsFor(IReadOnlyList<RunRequest<TIn, TOut>> requests) =>
        [.. requests.Select(request => new RunUnit<TIn, TOut>(request, metric, Seed.Derive("run"), Options.FailureScore))];

    private async Task<RunRecord[]> RunAsync(
        string phase, IReadOnlyList<RunRequest<TIn, TOut>> requests, int? maxErrors, CancellationToken cancellationToken)
    {
        var wave = UnitsFor(requests);
        await WaveAsync(phase, wave, maxErrors, cancellationToken).ConfigureAwait(false);
        return [.. wave.Select(unit => unit.Result)];
    }

    private Task WaveAsync(string phase, IReadOnlyList<Unit> wave, CancellationToken cancellationToken) => WaveAsync(phase, wave, Options.MaxErrors, cancellationToken);

    private async Task WaveAsync(string phase, IReadOnlyList<Unit> wave, int? maxErrors, CancellationToken cancellationToken)
    {
        using var activity = HoneDiagnostics.Source.StartActivity($"optimize {phase}");
        activity?.SetTag("hone.optimizer.units", wave.Count);
        Unit[] beside = wave.Count == 0 ? [] : [.. ahead];
        ahead.RemoveRange(0, beside.Length);
        try
        {
            await units.RunAsync(phase, wave, beside, maxErrors, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            WarnOfMetric(wave);
        }

        await events.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    // The first one alone: a metric that fails often would say the same thing over and over.
    private void WarnOfMetric(IReadOnlyList<Unit> wave)
    {
        if (hasMetricFailed || wave.FirstOrDefault(unit => unit.Outcome is RunRecord { Fault: RunFault.Metric })?.Error is not { } error)
            return;
        hasMetricFailed = true;
        Warn(error);
    }

    private async Task<SearchScore<TIn, TOut>> EnterAsync(SearchScore<TIn, TOut> score, CancellationToken cancellationToken)
    {
        if (Ledger.Count == 0)
            CheckBaseline(score);
        await EnterAsync(score.Candidate, score, cancellationToken).ConfigureAwait(false);
        return score;
    }

    private async Task EnterAsync(SearchCandidate<TIn, TOut> candidate, SearchScore<TIn, TOut>? score, CancellationToken cancellationToken)
    {
        var entry = Ledger.Add(candidate, score, units.ProgramRuns);
        Tell(new CandidateScored(entry, Ledger.BestIndex == entry.Index));
        if (folder is not null)
            await folder.WriteCandidateAsync(candidate.Program, entry, cancellationToken).ConfigureAwait(false);
        await events.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    // A program that fails everywhere before anything was changed is broken, or its metric is: searching would only spend.
    private void CheckBaseline(SearchScore<TIn, TOut> score)
    {
        if (score.Runs.All(run => run.Fault is RunFault.Crashed or RunFault.Metric))
            throw new HoneException($"Every run of the program as it came failed, so there is nothing to improve on. The first error: {score.Runs[0].Error}");
    }

    private void ThrowIfReached(List<SearchScore<TIn, TOut>> scores)
    {
        foreach (var score in scores)
        {
            if (score.Mean >= Options.TargetScore)
                throw new SearchEndedException(StopReason.TargetReached, "A candidate reached the target score.");
            if (Options.PerfectScore is { } perfect && score.Scores.All(value => value >= perfect))
                throw new SearchEndedException(StopReason.TargetReached, "A candidate has the perfect score on every example of the selection set.");
        }

        if (Ledger.Count - 1 - Ledger.BestIndex >= Options.Patience)
            throw new SearchEndedException(StopReason.NoImprovement, $"The last {Ledger.Count - 1 - Ledger.BestIndex} candidates were no better than the best before them.");
    }
}
