using System.Collections.Immutable;
using System.Globalization;

namespace Hone.Optimizers;

/// <summary>
/// Coordinate ascent on instructions: a model proposes wordings, all are scored, and it proposes further ones knowing how the earlier ones did, predictor
/// by predictor (DSPy's COPRO, arXiv 2310.03714). The program as it came is the first candidate and wins ties.
/// </summary>
public sealed class Copro<TIn, TOut> : PromptOptimizer<TIn, TOut>
{
    private const int BestCount = 10;
    private const int TokensOfAttempts = 12000;

    private readonly CoproOptions options;

    /// <summary>Creates the optimizer.</summary>
    /// <param name="metric">Scores runs.</param>
    /// <param name="options">Settings.</param>
    public Copro(Metric<TIn, TOut> metric, CoproOptions? options = null) : this(metric, options ?? new(), default)
    {
    }

    private Copro(Metric<TIn, TOut> metric, CoproOptions options, ValueTuple _) : base(metric, options) => this.options = options;

    /// <summary>Writes the instructions of the first round.</summary>
    public Module<InstructionIdeaRequest, InstructionReply> IdeaWriter { get; init; } = new Predict<InstructionIdeaRequest, InstructionReply>(CoproTexts.Idea);

    /// <summary>Writes the instructions of later rounds, knowing how the earlier ones scored.</summary>
    public Module<InstructionAttemptsRequest, InstructionReply> AttemptWriter { get; init; } =
        new Predict<InstructionAttemptsRequest, InstructionReply>(CoproTexts.Attempts);

    /// <inheritdoc/>
    public override string Name => "copro";

    private protected override SelectionWithoutValidation WithoutValidation => SelectionWithoutValidation.Train;

    private protected override string Describe() => $"; ideas={ProgramParts.Identity(IdeaWriter)}; attempts={ProgramParts.Identity(AttemptWriter)}";

    private protected override OptimizationEstimate EstimateFor(Program<TIn, TOut> program, int train, int? selection)
    {
        long predictors = options.OpenIn(program).Length;
        var evaluations = predictors == 1
            ? (long)options.Breadth * options.Depth
            : predictors * options.Breadth * options.Depth * (options.Depth + 1) / 2;
        return new(evaluations * (selection ?? 0), predictors * ((options.Breadth - 1) + ((long)options.Breadth * (options.Depth - 1))), (int)predictors);
    }

    // Ideas rest on the instructions alone.
    private protected override void AskAhead(SearchRun<TIn, TOut> search) =>
        search.AskAhead(search.Proposer(IdeaWriter, options.PromptModel, "prompt"), Questions(search, ComponentsOf(search), 0, Idea), InstructionJson.Default.InstructionReply);

    private protected override async Task SearchAsync(SearchRun<TIn, TOut> search, CancellationToken cancellationToken)
    {
        var ideas = search.Proposer(IdeaWriter, options.PromptModel, "prompt");
        var attempts = search.Proposer(AttemptWriter, options.PromptModel, "prompt");
        var components = ComponentsOf(search);
        await ProposeAsync(search, ideas, components, 0, Idea, cancellationToken).ConfigureAwait(false);
        var working = search.Baseline;
        for (var round = 0; ; round++)
        {
            search.Tell(new OptimizerPhaseStarted(FormattableString.Invariant($"round {round + 1} of {options.Depth}")));
            foreach (var component in components)
                working = await ScoreAsync(search, working, component, round, components.Length == 1, cancellationToken).ConfigureAwait(false);
            if (round == options.Depth - 1)
                return;
            await ProposeAsync(
                search, attempts, components, round + 1, component => new InstructionAttemptsRequest(AttemptsOf(component)), cancellationToken).ConfigureAwait(false);
        }
    }

    private ComponentTexts[] ComponentsOf(SearchRun<TIn, TOut> search) =>
        [.. TextComponents.Of(search.Student, options).Select(path => new ComponentTexts(path, TextComponents.Get(search.Student, path)))];

    private static InstructionIdeaRequest Idea(ComponentTexts component) => new(component.Original);

    private int QuestionsIn(int round) => round == 0 ? options.Breadth - 1 : options.Breadth;

    // Independent samples of one question: models that cannot give several answers at once give as many.
    private AskRequest<TRequest>[] Questions<TRequest>(SearchRun<TIn, TOut> search, ComponentTexts[] components, int round, Func<ComponentTexts, TRequest> request) =>
    [
        .. components.SelectMany(component => Enumerable.Range(1, QuestionsIn(round)).Select(i =>
            new AskRequest<TRequest>(FormattableString.Invariant($"copro|{round}|{component.Path}|{i}"), request(component))
            {
                Sample = SampleIds.Of(search.Seed, i),
                Temperature = options.InitTemperature,
            })),
    ];

    private async Task ProposeAsync<TRequest>(
        SearchRun<TIn, TOut> search,
        Program<TRequest, InstructionReply> writer,
        ComponentTexts[] components,
        int round,
        Func<ComponentTexts, TRequest> request,
        CancellationToken cancellationToken)
    {
        var count = QuestionsIn(round);
        var wave = Questions(search, components, round, request);
        var replies = await search.AskAsync("proposing", writer, wave, InstructionJson.Default.InstructionReply, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < components.Length; i++)
        {
            var component = components[i];
            component.Latest = round == 0 ? [component.Original] : [];
            foreach (var reply in replies.AsSpan(i * count, count))
            {
                var text = reply.Reply is { } proposed ? MetaText.Clean(proposed.ProposedInstructions) : null;
                search.Tell(new TextProposed(component.Path, text, reply.Error));
                if (!string.IsNullOrEmpty(text) && component.Known.Add(text))
                    component.Latest.Add(text);
            }
        }
    }

    // With several predictors all texts are scored again, as the others have changed; what was scored under the same ones costs nothing.
    private async Task<SearchCandidate<TIn, TOut>> ScoreAsync(
        SearchRun<TIn, TOut> search, SearchCandidate<TIn, TOut> working, ComponentTexts component, int round, bool isOnly, CancellationToken cancellationToken)
    {
        component.All.AddRange(component.Latest);
        var texts = isOnly ? component.Latest : component.All;
        var parent = search.Ledger.Find(working.Key)!.Index;
        SearchCandidate<TIn, TOut>[] candidates = [.. texts.Select(text => Candidate(search, working, component, text, round, parent))];
        var givenUp = options.Racing ? await RaceAsync(search, candidates, cancellationToken).ConfigureAwait(false) : [];
        var entries = await search.ScoreOnceAsync("scoring", [.. candidates.Where(candidate => !givenUp.ContainsKey(candidate.Key))], cancellationToken).ConfigureAwait(false);
        component.GivenUp.Clear();
        for (var i = 0; i < texts.Count; i++)
        {
            var isGivenUp = givenUp.TryGetValue(candidates[i].Key, out var mean);
            component.Scores[texts[i]] = isGivenUp ? mean : search.Ledger.Find(candidates[i].Key)!.Score!.Value;
            if (isGivenUp)
                component.GivenUp.Add(texts[i]);
        }

        if (options.TrackStatistics && texts.Count > 0)
        {
            search.Tell(new InstructionStatistics(
                component.Path,
                round,
                ScoreSummary.Of([.. texts.Select(text => component.Scores[text])]),
                ScoreSummary.Of([.. component.Ranked().Take(BestCount).Select(text => component.Scores[text])])));
        }

        return component.Ranked().FirstOrDefault(text => !component.GivenUp.Contains(text)) is { } best ? Candidate(search, working, component, best, round, parent) : working;
    }

    // Those that cannot be better than the best so far any more, by key, with their means over what was scored of them.
    private async Task<Dictionary<string, double>> RaceAsync(
        SearchRun<TIn, TOut> search, SearchCandidate<TIn, TOut>[] candidates, CancellationToken cancellationToken)
    {
        const int Parts = 4;
        var givenUp = new Dictionary<string, double>(StringComparer.Ordinal);
        var set = search.Selection!;
        var best = search.Ledger.Entries[search.Ledger.BestIndex].Score!.Value * set.Count;
        var racing = candidates.Where(candidate => search.Ledger.Find(candidate.Key) is null).DistinctBy(candidate => candidate.Key)
            .Select(candidate => (Candidate: candidate, Sum: 0.0)).ToArray();
        var seen = 0;
        foreach (var part in set.All.Chunk((set.Count + Parts - 1) / Parts).SkipLast(1))
        {
            var runs = await search.RunAsync(
                "racing", [.. racing.SelectMany(entry => part.Select(index => entry.Candidate.On(set, index)))], cancellationToken).ConfigureAwait(false);
            seen += part.Length;
            for (var i = 0; i < racing.Length; i++)
            {
                racing[i].Sum += runs.AsSpan(i * part.Length, part.Length).ToArray().Sum(run => run.Score.Value);
                if (racing[i].Sum + (options.PerfectScore!.Value * (set.Count - seen)) <= best)
                    givenUp.Add(racing[i].Candidate.Key, racing[i].Sum / seen);
            }

            racing = [.. racing.Where(entry => !givenUp.ContainsKey(entry.Candidate.Key))];
        }

        return givenUp;
    }

    private static SearchCandidate<TIn, TOut> Candidate(
        SearchRun<TIn, TOut> search, SearchCandidate<TIn, TOut> working, ComponentTexts component, string text, int round, int parent)
    {
        // The original keeps its state: then it is the same candidate as before.
        var state = text == component.Original
            ? working.State.With(component.Path, working.State[component.Path] with { Instructions = search.Student.State[component.Path].Instructions })
            : TextComponents.Set(working.State, component.Path, text);
        if (state.Equals(working.State))
            return working;
        return search.Candidate(state, FormattableString.Invariant($"instructions of {component.Path}, round {round}")) with
        {
            Parents = [parent],
            Notes = ImmutableSortedDictionary<string, string>.Empty
                .Add("round", round.ToString(CultureInfo.InvariantCulture)).Add("component", component.Path),
        };
    }

    private string AttemptsOf(ComponentTexts component) => MetaText.Scored(
        "instructions", component.Ranked().Take(options.Breadth).Select(text => (text, component.Scores[text])), TokensOfAttempts);

    /// <summary>What was proposed for a predictor, in the order in which it came.</summary>
    private sealed class ComponentTexts(string path, string original)
    {
        public string Path => path;

        public string Original => original;

        public HashSet<string> Known { get; } = new(StringComparer.Ordinal) { original };

        public List<string> Latest { get; set; } = [];

        public List<string> All { get; } = [];

        public Dictionary<string, double> Scores { get; } = new(StringComparer.Ordinal);

        /// <summary>Texts of the last round that were not scored to the end.</summary>
        public HashSet<string> GivenUp { get; } = new(StringComparer.Ordinal);

        /// <summary>The best first; the earliest of equals.</summary>
        public IEnumerable<string> Ranked() => All.Where(Scores.ContainsKey).OrderByDescending(text => Scores[text]);
    }
}
