using System.Collections.Immutable;
using System.Globalization;

namespace Hone.Optimizers;

/// <summary>
/// Rewrites an agent's instruction by contrast: a model compares runs that went well with runs that went wrong, another one rewrites the instruction
/// accordingly, and the new one is kept when it scores better (DSPy's AvatarOptimizer). Works for every program with predictors.
/// </summary>
public sealed class AvatarOptimizer<TIn, TOut> : PromptOptimizer<TIn, TOut>
{
    private readonly AvatarOptions options;

    /// <summary>Creates the optimizer.</summary>
    /// <param name="metric">Scores a run; higher is better.</param>
    /// <param name="options">Settings.</param>
    public AvatarOptimizer(Metric<TIn, TOut> metric, AvatarOptions? options = null) : this(metric, options ?? new(), default)
    {
    }

    private AvatarOptimizer(Metric<TIn, TOut> metric, AvatarOptions options, ValueTuple _) : base(metric, options) => this.options = options;

    /// <summary>Compares runs that went well with runs that went wrong; its signature is the meta-prompt.</summary>
    public Module<ContrastRequest, ContrastReply> Comparator { get; init; } = AvatarModules.Comparator;

    /// <summary>Rewrites the instruction; its signature is the meta-prompt.</summary>
    public Module<RewriteRequest, ReflectionReply> Writer { get; init; } = AvatarModules.Writer;

    /// <inheritdoc/>
    public override string Name => "avatar";

    private protected override SelectionWithoutValidation WithoutValidation => SelectionWithoutValidation.Train;

    private protected override string Describe() => $"; comparator={ProgramParts.Identity(Comparator)}; writer={ProgramParts.Identity(Writer)}";

    // Every candidate may run on both sets; two requests for each, and each of them once more when it fails.
    private protected override OptimizationEstimate EstimateFor(Program<TIn, TOut> program, int train, int? selection) =>
        new((options.MaxIterations + 1L) * (train + selection!.Value), 4L * options.MaxIterations, program.Predictors.Length);

    private protected override void Check(Program<TIn, TOut> program)
    {
        if (options.Predictor is { } path && !program.Predictors.Any(entry => entry.Key == path))
            throw new HoneException($"The program has no predictor '{path}'. It has: {string.Join(", ", program.Predictors.Select(entry => entry.Key))}.");
        if (options.Predictor is { } frozen && options.IsFrozen(frozen))
            throw new HoneException($"The predictor '{frozen}' is frozen: {nameof(AvatarOptions.Predictor)} and {nameof(OptimizerOptions.Frozen)} contradict each other.");
        if (program.Predictors.IsEmpty)
            throw new HoneException("The program has no predictors: there is no instruction to improve.");
    }

    private protected override async Task SearchAsync(SearchRun<TIn, TOut> search, CancellationToken cancellationToken)
    {
        var components = options.Predictor is { } path ? [path] : TextComponents.Of(search.Student, options);
        var comparator = search.Proposer(Comparator, options.PromptModel, "prompt");
        var writer = search.Proposer(Writer, options.PromptModel, "prompt");
        for (var iteration = 1; iteration <= options.MaxIterations; iteration++)
        {
            var best = search.Ledger.BestIndex;
            var component = components[(iteration - 1) % components.Length];
            var runs = await search.RunAsync(
                "comparing", [.. search.Train.All.Select(index => search.Ledger[best].On(search.Train, index))], cancellationToken).ConfigureAwait(false);
            if (Contrast(search, iteration, component, runs) is not { } contrast)
            {
                search.Warn($"Iteration {iteration} found no run of '{component}' to compare: none scored {options.LowerBound} or less, or {options.UpperBound} or more.");
                return;
            }

            var current = TextComponents.Get(search.Ledger[best].Program, component);
            var feedback = await AskTwiceAsync(
                search, "comparing", comparator, new AskRequest<ContrastRequest>($"avatar|{iteration}|compare", contrast with { Instruction = current }) { Sample = iteration },
                AvatarJson.Default.ContrastReply, cancellationToken).ConfigureAwait(false);
            if (feedback is null)
                continue;
            var reply = await AskTwiceAsync(
                search, "writing", writer, new AskRequest<RewriteRequest>($"avatar|{iteration}|write", new(current, feedback.Feedback)) { Sample = iteration },
                GepaJson.Default.ReflectionReply, cancellationToken).ConfigureAwait(false);
            var text = reply is null ? null : FencedText.Extract(reply.NewInstruction);
            search.Tell(new TextProposed(component, text, text is null ? "No text was proposed." : null));
            if (!string.IsNullOrWhiteSpace(text))
                await TryAsync(search, iteration, best, component, text, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task TryAsync(
        SearchRun<TIn, TOut> search, int iteration, int best, string component, string text, CancellationToken cancellationToken)
    {
        var candidate = search.Candidate(TextComponents.Set(search.Ledger[best].State, component, text), $"rewriting of {component}, {iteration}") with
        {
            Parents = [best],
            Notes = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal).Add("iteration", iteration.ToString(CultureInfo.InvariantCulture)),
        };
        var before = search.Ledger.ScoreOf(best)!.Mean;
        if (Enumerable.Range(0, search.Ledger.Count).Any(known => search.Ledger[known].Key == candidate.Key))
        {
            search.Tell(new ProposalJudged(candidate.Origin, false, before, double.NaN, "a duplicate of a candidate"));
            return;
        }

        var after = (await search.ScoreAsync("scoring", candidate, cancellationToken).ConfigureAwait(false)).Mean;
        search.Tell(new ProposalJudged(candidate.Origin, after > before, before, after, after > before ? "better than the best so far" : "no better than the best so far"));
    }

    // Null when there is nothing to tell apart.
    private ContrastRequest? Contrast(SearchRun<TIn, TOut> search, int iteration, string component, RunRecord[] runs)
    {
        var agent = AgentView.Of(search.Student, component);
        var random = search.RandomFor("contrast", iteration);
        var positives = Drawn(runs.Where(run => run.Score.Value >= options.UpperBound), options.MaxPositives);
        var negatives = Drawn(runs.Where(run => run.Score.Value <= options.LowerBound), options.MaxNegatives);
        return positives.Length + negatives.Length == 0 ? null : new(string.Empty, Tools(), Text(positives), Text(negatives));

        ReflectionRecord[] Drawn(IEnumerable<RunRecord> from, int most)
        {
            ReflectionRecord[] records = [.. from.Select(run => agent is null ? Record(component, run) : Actions(agent, run)).OfType<ReflectionRecord>()];
            random.Shuffle(records);
            return records[..Math.Min(most, records.Length)];
        }

        string Tools() => agent is null ? "(none)" : AgentView.Describe(agent.Tools, ReflectionText.CharactersOf(options.MaxRecordTokens));

        string Text(ReflectionRecord[] records) => records.Length == 0 ? "(none)" : ReflectionText.Of(records, options.MaxRecordTokens).Text;
    }

    // A run of an agent as what it did, from its task to the end.
    private static ReflectionRecord? Actions(AgentView agent, RunRecord run) => agent.In(run) is { } seen
        ? new("", seen.Inputs, run.Score.Value, ReflectionDataset<TIn, TOut>.FeedbackOf(agent.Predictor, run)) { Outputs = seen.Outputs }
        : null;

    // A run as its last call of the predictor, with what else was done.
    private static ReflectionRecord? Record(string path, RunRecord run)
    {
        var last = run.Steps.LastOrDefault(step => step.Path == path);
        return last is null ? null : new("", last.Inputs, run.Score.Value, ReflectionDataset<TIn, TOut>.FeedbackOf(path, run))
        {
            Outputs = last.Outputs,
            RawText = last.Outputs is null ? last.RawText ?? string.Empty : null,
            OtherSteps = [.. run.Steps.Where(step => !ReferenceEquals(step, last) && step.Outputs is not null).Select(step => KeyValuePair.Create(step.Path, step.Outputs!))],
        };
    }

    private static async Task<TReply?> AskTwiceAsync<TRequest, TReply>(
        SearchRun<TIn, TOut> search,
        string phase,
        Program<TRequest, TReply> program,
        AskRequest<TRequest> request,
        System.Text.Json.Serialization.Metadata.JsonTypeInfo<TReply> json,
        CancellationToken cancellationToken)
        where TReply : class
    {
        var reply = (await search.AskAsync(phase, program, [request], json, cancellationToken).ConfigureAwait(false))[0];

        // A sample of its own: a cache would give the same answer again.
        return reply.Reply ?? (await search.AskAsync(
            phase, program, [request with { Key = request.Key + "|again", Sample = SampleIds.Series + request.Sample }], json, cancellationToken).ConfigureAwait(false))[0].Reply;
    }
}
