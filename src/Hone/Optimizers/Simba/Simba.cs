using System.Collections.Immutable;
using System.Globalization;

namespace Hone.Optimizers;

/// <summary>
/// Stochastic introspective mini-batch ascent (DSPy's SIMBA): samples each example of a batch several times, looks where the outcomes differ most, and
/// turns the contrast into a demo or a rule. The result is a <see cref="SimbaResult{TIn,TOut}"/>.
/// </summary>
public sealed class Simba<TIn, TOut> : PromptOptimizer<TIn, TOut>
{
    // Batches in a row without any contrast, after which the search ends.
    private const int FlatStepsToEnd = 2;

    private readonly SimbaOptions options;

    /// <summary>Creates the optimizer.</summary>
    public Simba(Metric<TIn, TOut> metric, SimbaOptions? options = null) : this(metric, options ?? new(), default)
    {
    }

    private Simba(Metric<TIn, TOut> metric, SimbaOptions options, ValueTuple _) : base(metric, options) => this.options = options;

    /// <summary>Contrasts two attempts and advises the modules.</summary>
    public Module<AdviceRequest, AdviceReply> Advice { get; init; } = SimbaAdvice.Default;

    /// <summary>Shortens instructions that have grown too long: see <see cref="SimbaOptions.MaxInstructionTokens"/>.</summary>
    public Module<ConsolidationRequest, InstructionReply> Consolidator { get; init; } = SimbaConsolidation.Default;

    /// <inheritdoc/>
    public override string Name => "simba";

    /// <inheritdoc cref="PromptOptimizer{TIn,TOut}.CompileAsync"/>
    public new async Task<SimbaResult<TIn, TOut>> CompileAsync(
        Program<TIn, TOut> program,
        IReadOnlyList<Example<TIn, TOut>> train,
        IReadOnlyList<Example<TIn, TOut>>? validation = null,
        CancellationToken cancellationToken = default) =>
        (SimbaResult<TIn, TOut>)await base.CompileAsync(program, train, validation, cancellationToken).ConfigureAwait(false);

    private protected override SelectionWithoutValidation WithoutValidation => SelectionWithoutValidation.Train;

    private protected override string Describe() => $"; advice={ProgramParts.Identity(Advice)}"
        + (options.MaxInstructionTokens is null ? string.Empty : $"; consolidator={ProgramParts.Identity(Consolidator)}");

    private protected override OptimizationEstimate EstimateFor(Program<TIn, TOut> program, int train, int? selection)
    {
        long perStep = ((long)options.BatchSize * options.Candidates) + ((options.Candidates + 1L) * options.BatchSize);
        var questions = (long)options.MaxSteps * options.BatchSize * (options.MaxInstructionTokens is null ? 1 : 1 + options.OpenIn(program).Length);
        var scored = SimbaWinners<TIn, TOut>.Places(options.MaxSteps, options.Candidates) + 1;
        return new((options.MaxSteps * perStep) + train + ((long)scored * (selection ?? 0)), questions, program.Predictors.Length);
    }

    private protected override (LM? Model, long Runs) TeacherRuns(int train) =>
        options.TeacherModel is { } teacher ? (teacher, (long)options.MaxSteps * options.BatchSize) : default;

    private protected override void Check(Program<TIn, TOut> program)
    {
        if (options.MaxDemos > 0)
            TextPart.RefuseDemos(program, Name, $"Set {nameof(SimbaOptions.MaxDemos)} to 0 for rules alone.");
    }

    private protected override void Check(int train, int? selection)
    {
        if (train < options.BatchSize)
            throw new HoneException($"The training set has {train} examples and a step takes {options.BatchSize}. Lower {nameof(SimbaOptions.BatchSize)}.");
    }

    private protected override async Task SearchAsync(SearchRun<TIn, TOut> search, CancellationToken cancellationToken)
    {
        var proposer = search.Proposer(Advice, options.PromptModel, "prompt");
        var pool = new SimbaPool<TIn, TOut>(search.Baseline);
        var winners = new SimbaWinners<TIn, TOut>(options.MaxSteps, options.Candidates);
        var steps = new List<SimbaStep>();
        search.StrategyState = steps;
        var flatSteps = 0;
        for (var step = 0; step < options.MaxSteps; step++)
        {
            search.Tell(new OptimizerPhaseStarted($"step {step + 1} of {options.MaxSteps}"));
            var batch = Batch(search, step);
            var top = pool.Top(options.Candidates);
            var (reference, buckets) = await SampleAsync(search, top, batch, step, cancellationToken).ConfigureAwait(false);
            steps.Add(new(step + 1, reference.Mean, buckets.Count(bucket => bucket.Gap > 0)));
            if (buckets.All(bucket => bucket.Gap <= 0))
            {
                // All samples alike: there is nothing to contrast in this batch, and a model that never varies will not vary in the next one.
                if (++flatSteps == FlatStepsToEnd)
                    break;
                continue;
            }

            flatSteps = 0;
            var candidates = await BuildAsync(search, proposer, top, buckets, step, cancellationToken).ConfigureAwait(false);
            if (candidates.Count == 0)
                continue;
            var scores = await search.SampleAsync("candidates", candidates, search.Train, batch, cancellationToken).ConfigureAwait(false);
            foreach (var score in scores)
                pool.Add(score.Candidate, score.Mean - reference.Mean);
            var winner = scores.MaxBy(score => score.Mean)!;
            var isBetter = winner.Mean > reference.Mean;
            steps[^1] = steps[^1] with { Candidates = [.. scores.Select(score => score.Mean)], Winner = winner.Candidate.Origin, IsBetter = isBetter };
            search.Tell(new ProposalJudged(winner.Candidate.Origin, isBetter, reference.Mean, winner.Mean, isBetter ? "best of its step" : "no better than the program as it came"));
            if (isBetter && winners.Add(winner.Candidate, step + 1) is { } due)
                await search.ScoreOnceAsync("scoring", [due], cancellationToken).ConfigureAwait(false);
        }

        await search.ScoreOnceAsync("scoring", winners.Rest(), cancellationToken).ConfigureAwait(false);

        if (flatSteps > 0)
            search.Warn("All samples of every example scored the same: there was no contrast to learn from. A higher temperature or a finer metric may help.");
    }

    private protected override OptimizationResult<TIn, TOut> Complete(OptimizationResult<TIn, TOut> result, SearchRun<TIn, TOut> search) =>
        new SimbaResult<TIn, TOut>(result) { Steps = search.StrategyState is List<SimbaStep> steps ? [.. steps] : [] };

    // Epochs in shuffled order; what is left over at the end of one is passed over.
    private int[] Batch(SearchRun<TIn, TOut> search, int step)
    {
        var perEpoch = search.Train.Count / options.BatchSize;
        int[] order = [.. search.Train.All];
        search.RandomFor("order", step / perEpoch).Shuffle(order);
        return order[((step % perEpoch) * options.BatchSize)..][..options.BatchSize];
    }

    // The program as it came beside the samples, in one wave: neither has to wait for the other.
    private async Task<(SearchScore<TIn, TOut> Reference, IReadOnlyList<SimbaBucket> Buckets)> SampleAsync(
        SearchRun<TIn, TOut> search, IReadOnlyList<(SearchCandidate<TIn, TOut> Candidate, double Score)> top, int[] batch, int step, CancellationToken cancellationToken)
    {
        double[] scores = [.. top.Select(entry => entry.Score)];
        List<RunRequest<TIn, TOut>> requests = [.. batch.Select(example => search.Baseline.On(search.Train, example))];
        foreach (var example in batch)
        {
            for (var sample = 0; sample < options.Candidates; sample++)
            {
                var random = search.RandomFor("sample", step, example, sample);
                var drawn = top[SimbaMath.SoftmaxPick(scores, options.SamplingTemperature, random)].Candidate;
                if (sample == 0 && options.TeacherModel is { } teacher)
                    drawn = SearchRun<TIn, TOut>.Foreign(drawn.Program.WithModel(teacher), "teacher", "teacher");
                requests.Add(drawn.On(search.Train, example) with { Sample = ((long)step * options.Candidates) + sample, Options = new() { Temperature = 1 } });
            }
        }

        var runs = await search.RunAsync("sampling", requests, cancellationToken).ConfigureAwait(false);
        var reference = new SearchScore<TIn, TOut>(search.Baseline, runs[..batch.Length]);
        search.Tell(new CandidateSampled(reference.Candidate.Origin, reference.Mean, batch.Length));
        var samples = runs[batch.Length..].Chunk(options.Candidates);
        return (reference, [.. batch.Zip(samples, (example, drawn) => new SimbaBucket(example, drawn)).OrderByDescending(bucket => bucket.Promise)]);
    }

    private async Task<List<SearchCandidate<TIn, TOut>>> BuildAsync(
        SearchRun<TIn, TOut> search,
        Program<AdviceRequest, AdviceReply> proposer,
        IReadOnlyList<(SearchCandidate<TIn, TOut> Candidate, double Score)> top,
        IReadOnlyList<SimbaBucket> buckets,
        int step,
        CancellationToken cancellationToken)
    {
        var low = SimbaMath.Percentile(buckets.SelectMany(bucket => bucket.Runs).Select(run => run.Score.Value), 0.1);
        var high = SimbaMath.Percentile(buckets.SelectMany(bucket => bucket.Runs).Select(run => run.Score.Value), 0.9);
        var built = new List<SearchCandidate<TIn, TOut>>();

        // A wave is never larger than what is still missing: the same questions as one after the other.
        for (var next = 0; next < buckets.Count && built.Count <= options.Candidates;)
        {
            var wave = buckets.Skip(next).Take(options.Candidates + 1 - built.Count).Select(bucket => Plan(search, top, bucket, step, low, high)).ToArray();
            next += wave.Length;
            var asking = wave.Where(plan => plan.Question is not null).ToArray();
            var replies = await search.AskAsync(
                "advice",
                proposer,
                [.. asking.Select(plan => new AskRequest<AdviceRequest>($"simba|{step}|{plan.Bucket.Example}", plan.Question!) { Sample = step, Temperature = step == 0 ? null : 1 })],
                SimbaJson.Default.AdviceReply,
                cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < asking.Length; i++)
                asking[i].State = Advised(search, asking[i], replies[i]);
            await ConsolidateAsync(search, asking, step, cancellationToken).ConfigureAwait(false);
            built.AddRange(wave.Where(plan => plan.State is { } state && !state.Equals(plan.Source.State)).Select(plan => Made(search, plan, step)));
        }

        return built;
    }

    private SimbaPlan<TIn, TOut> Plan(
        SearchRun<TIn, TOut> search, IReadOnlyList<(SearchCandidate<TIn, TOut> Candidate, double Score)> top, SimbaBucket bucket, int step, double low, double high)
    {
        var random = search.RandomFor("candidate", step, bucket.Example);
        var source = top[SimbaMath.SoftmaxPick([.. top.Select(entry => entry.Score)], options.CandidateTemperature, random)].Candidate;
        var kept = SimbaEdits.Forget(source.State, options, random);
        var plan = new SimbaPlan<TIn, TOut>(bucket, source) { IsRule = options.MaxDemos == 0 || random.Next(2) == 1, Kept = kept };
        if (!plan.IsRule)
            plan.State = SimbaEdits.AddDemos(kept, bucket, low, options);
        else
            plan.Question = SimbaEdits.Question(source.Program, search.Train.Examples[bucket.Example], bucket, low, high, options);
        return plan;
    }

    private ProgramState? Advised(SearchRun<TIn, TOut> search, SimbaPlan<TIn, TOut> plan, Proposal<AdviceReply> proposal)
    {
        foreach (var (module, advice) in proposal.Reply?.Advice ?? ImmutableDictionary<string, string>.Empty)
            search.Tell(new TextProposed(module, advice));
        if (proposal.Reply is null)
            search.Tell(new TextProposed("advice", null, proposal.Error));
        return proposal.Reply is null ? null : SimbaEdits.AddRules(search.Student, plan.Kept, proposal.Reply.Advice, options);
    }

    // A text that is not shorter, or none, leaves the instructions as they are: too long is better than lost.
    private async Task ConsolidateAsync(SearchRun<TIn, TOut> search, SimbaPlan<TIn, TOut>[] advised, int step, CancellationToken cancellationToken)
    {
        if (options.MaxInstructionTokens is not { } most)
            return;
        var grown = advised.Where(plan => plan.State is not null)
            .SelectMany(plan => search.Open.Select(entry => (Plan: plan, Path: entry.Key, Text: plan.State![entry.Key].Instructions)))
            .Where(entry => entry.Text is not null && entry.Text != entry.Plan.Kept[entry.Path].Instructions && MetaText.TokensOf(entry.Text) > most).ToArray();
        if (grown.Length == 0)
            return;
        var replies = await search.AskAsync(
            "consolidating",
            search.Proposer(Consolidator, options.PromptModel, "prompt"),
            [.. grown.Select(entry => new AskRequest<ConsolidationRequest>($"simba|{step}|{entry.Plan.Bucket.Example}|{entry.Path}|consolidate", new(entry.Text!, MetaText.WordsIn(most))))],
            InstructionJson.Default.InstructionReply,
            cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < grown.Length; i++)
        {
            var (plan, path, text) = grown[i];
            var shorter = replies[i].Reply is { } reply ? MetaText.Clean(reply.ProposedInstructions) : null;
            search.Tell(new TextProposed(path, shorter, replies[i].Error));
            if (!string.IsNullOrEmpty(shorter) && shorter.Length < text!.Length)
                plan.State = TextComponents.Set(plan.State!, path, shorter);
        }
    }

    private static SearchCandidate<TIn, TOut> Made(SearchRun<TIn, TOut> search, SimbaPlan<TIn, TOut> plan, int step)
    {
        var what = plan.IsRule ? "rule" : "demo";
        return search.Candidate(plan.State!, $"{what} from example {plan.Bucket.Example}, step {step + 1}") with
        {
            Notes = ImmutableSortedDictionary<string, string>.Empty.Add("step", (step + 1).ToString(CultureInfo.InvariantCulture)).Add("strategy", what).Add("from", plan.Source.Origin),
        };
    }
}

/// <summary>A candidate in the making.</summary>
internal sealed class SimbaPlan<TIn, TOut>(SimbaBucket bucket, SearchCandidate<TIn, TOut> source)
{
    public SimbaBucket Bucket { get; } = bucket;

    public SearchCandidate<TIn, TOut> Source { get; } = source;

    public bool IsRule { get; init; }

    public required ProgramState Kept { get; init; }

    public AdviceRequest? Question { get; set; }

    /// <summary>The new state; null when the strategy declined.</summary>
    public ProgramState? State { get; set; }
}
