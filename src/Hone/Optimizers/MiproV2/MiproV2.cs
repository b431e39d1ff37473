using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>
/// Chooses instructions and demos of all predictors together: harvests demo sets, has a model write instructions that rest on the data, the program and
/// those demos, and searches for the best combination with a model of what was good so far (DSPy's MIPROv2, arXiv 2406.11695). The result is a
/// <see cref="MiproV2Result{TIn,TOut}"/>.
/// </summary>
public sealed class MiproV2<TIn, TOut> : PromptOptimizer<TIn, TOut>
{
    private readonly MiproV2Options options;

    /// <summary>Creates the optimizer.</summary>
    /// <param name="metric">Scores runs.</param>
    /// <param name="options">Settings.</param>
    public MiproV2(Metric<TIn, TOut> metric, MiproV2Options? options = null) : this(metric, options ?? new(), default)
    {
    }

    private MiproV2(Metric<TIn, TOut> metric, MiproV2Options options, ValueTuple _) : base(metric, options) => this.options = options;

    /// <summary>The program whose runs are harvested, e.g. the same one on a stronger model; the student itself when null.</summary>
    public Program<TIn, TOut>? Teacher { get; init; }

    /// <summary>Decides which runs become demos, e.g. more strictly than the metric that scores; null takes that one.</summary>
    public Metric<TIn, TOut>? Acceptance { get; init; }

    /// <summary>The modules that describe and propose.</summary>
    public MiproWriters Writers { get; init; } = new();

    /// <summary>Makes the sampler for a space, a seed and a number of trials; a <see cref="CategoricalTpeSampler"/> when null.</summary>
    public Func<SearchSpace, long, int, ISearchSampler>? Sampler { get; init; }

    /// <inheritdoc/>
    public override string Name => "mipro-v2";

    /// <inheritdoc cref="PromptOptimizer{TIn,TOut}.CompileAsync"/>
    public new async Task<MiproV2Result<TIn, TOut>> CompileAsync(
        Program<TIn, TOut> program,
        IReadOnlyList<Example<TIn, TOut>> train,
        IReadOnlyList<Example<TIn, TOut>>? validation = null,
        CancellationToken cancellationToken = default) =>
        (MiproV2Result<TIn, TOut>)await base.CompileAsync(program, train, validation, cancellationToken).ConfigureAwait(false);

    private protected override SelectionWithoutValidation WithoutValidation => SelectionWithoutValidation.Split;

    private protected override int SelectionOf(int examples) => MiproBudget.SelectionOf(examples);

    private protected override int? SelectionLimit => options.Auto is { } auto ? MiproBudget.SelectionLimit(auto) : null;

    private protected override string Describe() => Writers.Describe() + Describe(Teacher) + (Sampler is null ? string.Empty : "; own sampler");

    private protected override OptimizationEstimate EstimateFor(Program<TIn, TOut> program, int train, int? selection)
    {
        var predictors = options.OpenIn(program).Length;
        var budget = MiproBudget.For(options, predictors);
        var (whole, harvests) = ((long)(selection ?? 0), options.IsZeroShot && !options.DemoAware ? 0 : (long)train * options.MaxRounds);
        var search = MiproBudget.UsesMinibatches(options, selection ?? 0)
            ? ((long)budget.Trials * options.MinibatchSize) + (MiproBudget.FullEvaluations(budget.Trials, options.FullEvaluationEvery) * whole)
            : budget.Trials * whole;
        var texts = (budget.Instructions - 1 + options.LaterProposals) * (long)predictors * (1 + options.Resamples)
            + (options.DataAware ? MiproBudget.LooksAtData(train, options.DataBatchSize) : 0)
            + (options.ProgramAware ? 1 + program.Predictors.Length : 0);
        return new(harvests + whole + search, texts, predictors);
    }

    private protected override (LM? Model, long Runs) TeacherRuns(int train) =>
        Teacher is null || (options.IsZeroShot && !options.DemoAware) ? default : (Teacher.Model, (long)train * options.MaxRounds);

    private protected override void Check(Program<TIn, TOut> program)
    {
        if (!options.IsZeroShot)
            TextPart.RefuseDemos(program, Name);
        TeacherCheck.SamePredictors(program, Teacher);
        if (program.Model is null && options.PromptModel is null)
            throw new HoneException("Neither the program nor the options have a model to write instructions with. Set PromptModel, or use WithModel.");
    }

    private protected override void Check(int train, int? selection)
    {
        if (selection is { } count && MiproBudget.UsesMinibatches(options, count) && options.MinibatchSize > count)
        {
            throw new HoneException(
                $"MinibatchSize is {options.MinibatchSize}, but there are only {count} examples to choose by. Make it smaller, or set Minibatch to false.");
        }
    }

    private protected override void AskAhead(SearchRun<TIn, TOut> search)
    {
        if (MiproBudget.For(options, search.Open.Length).Instructions + options.LaterProposals > 1)
            new GroundedProposer<TIn, TOut>(search, options, Writers, [.. search.Train.Examples.Select(ExampleFields.Of)]).AskAhead();
    }

    private protected override async Task SearchAsync(SearchRun<TIn, TOut> search, CancellationToken cancellationToken)
    {
        var budget = MiproBudget.For(options, search.Open.Length);
        var bootstrapper = new Bootstrapper<TIn, TOut>(search, options, Teacher, Acceptance);
        ProgramState[] sets = [];
        if (!options.IsZeroShot || options.DemoAware)
        {
            search.Tell(new OptimizerPhaseStarted("demo sets"));
            sets = await MiproDemoSets.BuildAsync(search, bootstrapper, options, budget.DemoSets, cancellationToken).ConfigureAwait(false);
        }

        List<string>[] instructions = [.. search.Open.Select(entry => new List<string> { entry.Value.Instructions })];
        var proposer = new GroundedProposer<TIn, TOut>(search, options, Writers, bootstrapper.Examples);
        if (budget.Instructions + options.LaterProposals > 1)
        {
            search.Tell(new OptimizerPhaseStarted("proposals"));
            await proposer.PrepareAsync(cancellationToken).ConfigureAwait(false);
            var first = await proposer.ProposeAsync(
                budget.Instructions - 1, instructions, sets, _ => null, 0, cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < instructions.Length; i++)
                instructions[i].AddRange(first[i]);
        }

        search.Tell(new OptimizerPhaseStarted("search"));
        var demos = options.IsZeroShot ? null : search.Open.Select(entry => MiproDemoSets.Distinct(sets, entry.Key)).ToArray();
        var combinations = new MiproSearch<TIn, TOut>(search, options, budget.Trials, instructions, demos, Sampler ?? Tpe);
        combinations.Start();
        if (options.LaterProposals > 0)
        {
            await combinations.RunAsync(budget.Trials / 2, cancellationToken).ConfigureAwait(false);
            combinations.Add(await proposer.ProposeAsync(
                options.LaterProposals, instructions, sets, combinations.HistoryOf, 1, cancellationToken).ConfigureAwait(false));
        }

        await combinations.RunAsync(budget.Trials, cancellationToken).ConfigureAwait(false);
        await combinations.FinishAsync(cancellationToken).ConfigureAwait(false);
    }

    private protected override OptimizationResult<TIn, TOut> Complete(OptimizationResult<TIn, TOut> result, SearchRun<TIn, TOut> search) =>
        search.StrategyState is MiproSearch<TIn, TOut> found
            ? new MiproV2Result<TIn, TOut>(result) { Trials = [.. found.Trials], Instructions = found.Instructions }
            : new MiproV2Result<TIn, TOut>(result);

    private static CategoricalTpeSampler Tpe(SearchSpace space, long seed, int trials) => new(space, seed, trials);
}
