using System.Collections.Immutable;
using System.Globalization;

namespace Hone.Optimizers;

/// <summary>The search of MIPROv2: combinations chosen by a sampler, scored on parts of the selection set or on all of it.</summary>
internal sealed class MiproSearch<TIn, TOut>
{
    private readonly SearchRun<TIn, TOut> search;
    private readonly MiproV2Options options;
    private readonly Func<SearchSpace, long, int, ISearchSampler> samplerOf;
    private readonly ImmutableArray<ImmutableArray<Demo>>[]? demos;
    private readonly List<string>[] instructions;
    private readonly Dictionary<string, MiproPoint<TIn, TOut>> points = new(StringComparer.Ordinal);
    private readonly List<MiproPoint<TIn, TOut>> tried = [];
    private readonly List<SearchObservation> observations = [];
    private readonly List<TrialScored> log = [];
    private readonly bool usesMinibatches;
    private readonly int trials;
    private ISearchSampler sampler;
    private SearchSpace space;
    private long examples;
    private int done;

    /// <param name="search">The run.</param>
    /// <param name="options">Settings.</param>
    /// <param name="trials">Combinations to try.</param>
    /// <param name="instructions">Instructions of every predictor; the first one is its own.</param>
    /// <param name="demos">Demo sets of every predictor; null leaves the program's own.</param>
    /// <param name="samplerOf">Makes a sampler for a space, a seed and a number of trials.</param>
    public MiproSearch(
        SearchRun<TIn, TOut> search,
        MiproV2Options options,
        int trials,
        List<string>[] instructions,
        ImmutableArray<ImmutableArray<Demo>>[]? demos,
        Func<SearchSpace, long, int, ISearchSampler> samplerOf)
    {
        (this.search, this.options, this.trials) = (search, options, trials);
        (this.instructions, this.demos, this.samplerOf) = (instructions, demos, samplerOf);
        usesMinibatches = MiproBudget.UsesMinibatches(options, Selection.Count);
        (space, sampler) = NewSampler();
        search.StrategyState = this;
    }

    private SearchSet<TIn, TOut> Selection => search.Selection!;

    private ImmutableArray<KeyValuePair<string, Signature>> Predictors => search.Open;

    /// <summary>Every evaluation in order.</summary>
    public IReadOnlyList<TrialScored> Trials => log;

    /// <summary>What the choices of instructions stand for, by predictor.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Instructions =>
        Predictors.Zip(instructions).ToImmutableSortedDictionary(entry => entry.First.Key, entry => entry.Second.ToImmutableArray(), StringComparer.Ordinal);

    /// <summary>Logs the program as it came. It is an observation only if a choice gives the very same program.</summary>
    public void Start()
    {
        var baseline = search.Ledger[0];
        var zero = PointOf([.. space.Choices.Select(_ => 0)], isTried: false);
        var isZero = zero.Candidate.Key == baseline.Key;
        var score = search.Ledger.Entries[0].Score!.Value;
        Log(isZero ? zero.Choices : [], score, Selection.Count, isFull: true);
        if (isZero)
            ObserveFull(zero, score);
    }

    /// <summary>Tries combinations until so many trials are done, or nothing is left to learn.</summary>
    public async Task RunAsync(int until, CancellationToken cancellationToken)
    {
        while (done < until && points.Values.Count(point => point.IsFull) < space.Size)
        {
            var beforeFull = usesMinibatches ? options.FullEvaluationEvery - (done % options.FullEvaluationEvery) : until;
            var suggested = sampler.Suggest(Math.Min(Math.Min(options.TrialsAtOnce, beforeFull), until - done));
            if (suggested.Count == 0)
                break;
            MiproPoint<TIn, TOut>[] round = [.. suggested.Select(choices => PointOf(choices, isTried: true))];
            if (usesMinibatches)
                await SampleAsync(round, cancellationToken).ConfigureAwait(false);
            else
                await ScoreAsync(round, cancellationToken).ConfigureAwait(false);
            done += round.Length;
            if (usesMinibatches && (done % options.FullEvaluationEvery == 0 || done == trials))
                await ScoreMostPromisingAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Scores what is promising and was not scored in full, if the search ended between two full evaluations.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        if (usesMinibatches && done < trials && done % options.FullEvaluationEvery != 0)
            await ScoreMostPromisingAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Widens the space by further instructions; what was observed still holds.</summary>
    public void Add(ImmutableArray<string>[] further)
    {
        for (var i = 0; i < instructions.Length; i++)
            instructions[i].AddRange(further[i]);
        (space, sampler) = NewSampler();
        foreach (var observation in observations)
            sampler.Observe(observation);
    }

    /// <summary>The best instructions of a predictor with the means of the combinations that had them, the best one last; null when nothing was tried.</summary>
    public string? HistoryOf(int predictor)
    {
        const int Most = 5;
        const int Tokens = 6000;
        var variable = VariableOf(predictor);
        var best = points.Values.Where(point => point.Examples > 0)
            .GroupBy(point => point.Choices[variable])
            .Select(group => (Text: instructions[predictor][group.Key], group.Key, Mean: group.Sum(point => point.Sum) / group.Sum(point => point.Examples)))
            .OrderByDescending(entry => entry.Mean).ThenBy(entry => entry.Key)
            .Take(Most).ToArray();
        return best.Length == 0 ? null : MetaText.Scored("instructions", best.Select(entry => (entry.Text, entry.Mean)), Tokens);
    }

    private int VariableOf(int predictor) => demos is null ? predictor : 2 * predictor;

    private (SearchSpace Space, ISearchSampler Sampler) NewSampler()
    {
        SearchSpace wide = new([.. Enumerable.Range(0, instructions.Length)
            .SelectMany(i => demos is null ? (int[])[instructions[i].Count] : [instructions[i].Count, demos[i].Length])]);
        return (wide, samplerOf(wide, search.Seed.Derive("sampler", done).Seed, trials - done));
    }

    private MiproPoint<TIn, TOut> PointOf(ImmutableArray<int> choices, bool isTried)
    {
        var key = string.Join(',', choices);
        if (!points.TryGetValue(key, out var point))
            points.Add(key, point = new(choices, CandidateOf(choices)));
        if (isTried && !tried.Contains(point))
            tried.Add(point);
        return point;
    }

    private SearchCandidate<TIn, TOut> CandidateOf(ImmutableArray<int> choices)
    {
        var state = search.Student.State;
        for (var i = 0; i < Predictors.Length; i++)
        {
            var path = Predictors[i].Key;
            var (text, set) = (choices[VariableOf(i)], demos is null ? 0 : choices[VariableOf(i) + 1]);
            if (text > 0)
                state = TextComponents.Set(state, path, instructions[i][text]);
            if (demos is not null && !state[path].Demos.SequenceEqual(demos[i][set]))
                state = state.With(path, state[path] with { Demos = demos[i][set] });
        }

        var named = Named(choices);
        return search.Candidate(state, string.Join(", ", named.Select(choice => FormattableString.Invariant($"{choice.Key} {choice.Value}")))) with
        {
            Parents = [0],
            Notes = named.ToImmutableSortedDictionary(choice => choice.Key, choice => choice.Value.ToString(CultureInfo.InvariantCulture)),
        };
    }

    private ImmutableSortedDictionary<string, int> Named(ImmutableArray<int> choices)
    {
        var named = ImmutableSortedDictionary<string, int>.Empty;
        for (var i = 0; i < Predictors.Length && !choices.IsEmpty; i++)
        {
            named = named.Add($"{Predictors[i].Key}.instructions", choices[VariableOf(i)]);
            if (demos is not null)
                named = named.Add($"{Predictors[i].Key}.demos", choices[VariableOf(i) + 1]);
        }

        return named;
    }

    private async Task SampleAsync(MiproPoint<TIn, TOut>[] round, CancellationToken cancellationToken)
    {
        int[][] parts = [.. round.Select((_, i) => PartOf(done + i))];
        var requests = round.Zip(parts).SelectMany(pair => pair.Second.Select(index => pair.First.Candidate.On(Selection, index)));
        var runs = await search.RunAsync("trials", [.. requests], cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < round.Length; i++)
        {
            var point = round[i];
            var sum = runs.AsSpan(i * options.MinibatchSize, options.MinibatchSize).ToArray().Sum(run => run.Score.Value);
            search.Tell(new CandidateSampled(point.Candidate.Origin, sum / options.MinibatchSize, options.MinibatchSize));
            Log(point.Choices, sum / options.MinibatchSize, options.MinibatchSize, isFull: false);
            if (!point.IsFull)
                (point.Sum, point.Examples) = (point.Sum + sum, point.Examples + options.MinibatchSize);
            Observe(new(point.Choices, sum / options.MinibatchSize, options.MinibatchSize));
        }
    }

    private int[] PartOf(int trial)
    {
        int[] order = [.. Selection.All];
        search.RandomFor("minibatch", options.PairedMinibatches ? trial / options.FullEvaluationEvery : trial).Shuffle(order);
        return order[..options.MinibatchSize];
    }

    private async Task ScoreAsync(MiproPoint<TIn, TOut>[] round, CancellationToken cancellationToken)
    {
        var entries = await search.ScoreOnceAsync("trials", [.. round.Select(point => point.Candidate)], cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < round.Length; i++)
        {
            Log(round[i].Choices, entries[i].Score!.Value, Selection.Count, isFull: true);
            ObserveFull(round[i], entries[i].Score!.Value);
        }
    }

    // The highest mean over parts; the earliest of equals. When all were scored in full, there is nothing to do.
    private async Task ScoreMostPromisingAsync(CancellationToken cancellationToken)
    {
        if (tried.Where(point => !point.IsFull).MaxBy(point => point.Mean) is not { } best)
            return;
        var entry = (await search.ScoreOnceAsync("full evaluation", [best.Candidate], cancellationToken).ConfigureAwait(false))[0];
        Log(best.Choices, entry.Score!.Value, Selection.Count, isFull: true);
        ObserveFull(best, entry.Score.Value);
    }

    private void ObserveFull(MiproPoint<TIn, TOut> point, double score)
    {
        (point.Sum, point.Examples, point.IsFull) = (score * Selection.Count, Selection.Count, true);
        Observe(new(point.Choices, score, Selection.Count) { IsFull = true });
    }

    private void Observe(SearchObservation observation)
    {
        observations.Add(observation);
        sampler.Observe(observation);
    }

    private void Log(ImmutableArray<int> choices, double score, int count, bool isFull)
    {
        examples += count;
        log.Add(new(log.Count + 1, Named(choices), score, count, isFull) { ExamplesSoFar = examples });
        search.Tell(log[^1]);
    }
}
