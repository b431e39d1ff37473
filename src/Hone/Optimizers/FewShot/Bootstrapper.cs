using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>What is harvested: how much, from whom, and what counts as good.</summary>
/// <param name="MaxBootstrapped">Accepted examples after which harvesting ends.</param>
/// <param name="MaxLabeled">Most demos a predictor in all.</param>
internal readonly record struct BootstrapAmounts(int MaxBootstrapped, int MaxLabeled);

/// <summary>A set of demos to harvest.</summary>
/// <param name="Order">Positions of training examples, in the order in which they are tried.</param>
/// <param name="Amounts">How much.</param>
/// <param name="Draw">Seed of the choices among repeated calls and of the labelled demos.</param>
internal sealed record BootstrapPlan(IReadOnlyList<int> Order, BootstrapAmounts Amounts, SeedStream Draw);

/// <summary>
/// Runs a teacher on training examples and makes demos of the runs that the metric accepts. The examples are tried in waves that are never larger than
/// what is still missing: the same attempts as one after the other, side by side.
/// </summary>
internal sealed class Bootstrapper<TIn, TOut>
{
    private static readonly ImmutableSortedDictionary<string, Demo> NoDemos = ImmutableSortedDictionary.Create<string, Demo>(StringComparer.Ordinal);

    private readonly SearchRun<TIn, TOut> search;
    private readonly BootstrapOptions options;
    private readonly Metric<TIn, TOut>? acceptance;
    private readonly Program<TIn, TOut>? teacher;
    private readonly FieldMap[] examples;
    private readonly FieldMap[] inputs;
    private readonly HashSet<string> failed = new(StringComparer.Ordinal);

    public Bootstrapper(SearchRun<TIn, TOut> search, BootstrapOptions options, Program<TIn, TOut>? teacher, Metric<TIn, TOut>? acceptance)
    {
        (this.search, this.options, this.teacher, this.acceptance) = (search, options, teacher, acceptance);
        examples = [.. search.Train.Examples.Select(ExampleFields.Of)];
        inputs = [.. search.Train.Examples.Select(ExampleFields.InputsOf)];
    }

    /// <summary>All training examples as field maps.</summary>
    public IReadOnlyList<FieldMap> Examples => examples;

    /// <summary>The student with harvested demos, topped up with labelled ones.</summary>
    /// <param name="order">Positions of training examples, in the order in which they are tried.</param>
    /// <param name="amounts">How much.</param>
    /// <param name="draw">Seed of the choices among repeated calls and of the labelled demos.</param>
    /// <param name="cancellationToken">Abandons the run.</param>
    /// <exception cref="HoneException">Too many runs failed.</exception>
    public async Task<ProgramState> BuildAsync(IReadOnlyList<int> order, BootstrapAmounts amounts, SeedStream draw, CancellationToken cancellationToken) =>
        (await BuildAsync([new(order, amounts, draw)], cancellationToken).ConfigureAwait(false))[0];

    /// <summary>Several such states, harvested side by side; attempts that they share are made once.</summary>
    /// <exception cref="HoneException">Too many runs failed.</exception>
    public async Task<ProgramState[]> BuildAsync(IReadOnlyList<BootstrapPlan> plans, CancellationToken cancellationToken)
    {
        Harvest[] harvests = [.. plans.Select(plan => new Harvest(plan, Teacher(plan.Amounts.MaxLabeled)))];
        while (harvests.Where(harvest => harvest.IsOpen).ToArray() is { Length: > 0 } open)
            await AttemptAsync(open, cancellationToken).ConfigureAwait(false);
        return [.. harvests.Select(harvest => StateOf(harvest.Plan, harvest.Accepted))];
    }

    private ProgramState StateOf(BootstrapPlan plan, List<(int Index, RunRecord Run)> accepted)
    {
        var (order, amounts, draw) = plan;
        var taken = accepted.Select(entry => entry.Index).ToHashSet();
        FieldMap[] pool = [.. order.Where(index => !taken.Contains(index)).Select(index => examples[index])];
        var state = search.Student.State;
        for (var i = 0; i < search.Student.Predictors.Length; i++)
        {
            var (path, signature) = search.Student.Predictors[i];
            if (options.IsFrozen(path))
                continue;
            ImmutableArray<Demo> harvested =
                [.. accepted.Select(entry => DemoOf(entry.Run, path, draw.Derive("call", entry.Index, i))).OfType<Demo>().Take(amounts.MaxBootstrapped)];
            var labeled = LabeledDemos.Draw(signature, pool, Math.Max(0, amounts.MaxLabeled - harvested.Length), draw.Derive("labeled", i));
            state = state.With(path, state[path] with { Demos = [.. harvested, .. labeled] });
        }

        return state;
    }

    /// <summary>Demos by predictor of an accepted run on every training example; empty where none was accepted.</summary>
    /// <param name="maxLabeled">Labelled demos that the teacher is shown.</param>
    /// <param name="cancellationToken">Abandons the run.</param>
    /// <exception cref="HoneException">Too many runs failed.</exception>
    public async Task<ImmutableSortedDictionary<string, Demo>[]> HarvestAllAsync(int maxLabeled, CancellationToken cancellationToken)
    {
        ImmutableSortedDictionary<string, Demo>[] found = [.. search.Train.All.Select(_ => NoDemos)];
        var harvest = new Harvest(new(search.Train.All, new(search.Train.Count, maxLabeled), search.Seed), Teacher(maxLabeled));
        while (harvest.IsOpen)
            await AttemptAsync([harvest], cancellationToken).ConfigureAwait(false);
        foreach (var (index, run) in harvest.Accepted)
            found[index] = DemosOf(index, run);
        return found;
    }

    /// <summary>The same of one example, outside of the run that the search belongs to: nothing is journaled or budgeted.</summary>
    /// <param name="index">Its position in the training set.</param>
    /// <param name="maxLabeled">Labelled demos that the teacher is shown.</param>
    /// <param name="metric">Accepts runs unless there is another metric for that.</param>
    /// <param name="cancellationToken">Stops the teacher.</param>
    public async Task<ImmutableSortedDictionary<string, Demo>> HarvestAsync(
        int index, int maxLabeled, Metric<TIn, TOut> metric, CancellationToken cancellationToken)
    {
        var source = Teacher(maxLabeled);
        for (var round = 0; round < options.MaxRounds; round++)
        {
            var unit = new RunUnit<TIn, TOut>(Request(source, index, round), metric, search.Seed.Derive("run"), options.FailureScore);
            await unit.ExecuteAsync(cancellationToken).ConfigureAwait(false);
            if (IsAccepted(unit.Result))
                return DemosOf(index, unit.Result);
        }

        return NoDemos;
    }

    private ImmutableSortedDictionary<string, Demo> DemosOf(int index, RunRecord run)
    {
        var demos = NoDemos.ToBuilder();
        for (var i = 0; i < search.Student.Predictors.Length; i++)
        {
            var path = search.Student.Predictors[i].Key;
            if (!options.IsFrozen(path) && DemoOf(run, path, search.Seed.Derive("call", index, i)) is { } demo)
                demos.Add(path, demo);
        }

        return demos.ToImmutable();
    }

    // A wave of each harvest, round by round for the examples that were not accepted yet.
    private async Task AttemptAsync(Harvest[] harvests, CancellationToken cancellationToken)
    {
        (Harvest Harvest, int Index)[] tried = [.. harvests.SelectMany(harvest => harvest.NextWave().Select(index => (harvest, index)))];
        var accepted = new RunRecord?[tried.Length];
        for (var round = 0; round < options.MaxRounds; round++)
        {
            int[] open = [.. Enumerable.Range(0, tried.Length).Where(i => accepted[i] is null)];
            RunRequest<TIn, TOut>[] requests = [.. open.Select(i => Request(tried[i].Harvest.Source, tried[i].Index, round))];
            var runs = await search.RunUncountedAsync("bootstrapping", requests, cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < open.Length; i++)
            {
                CountError(requests[i], runs[i]);
                if (IsAccepted(runs[i]))
                    accepted[open[i]] = runs[i];
            }
        }

        for (var i = 0; i < tried.Length; i++)
        {
            if (accepted[i] is { } run)
                tried[i].Harvest.Accepted.Add((tried[i].Index, run));
        }
    }

    private RunRequest<TIn, TOut> Request((Program<TIn, TOut> Program, string Slot) source, int index, int round)
    {
        var program = source.Program.With(Without(source.Program, index));
        return new(program, CandidateKeys.Of(program, source.Slot), search.Train, index)
        {
            Sample = round,
            Options = round == 0 ? null : new() { Temperature = 1 },
            Metric = acceptance is null ? null : ("acceptance", acceptance),
        };
    }

    // A teacher that has demos keeps them; another one is shown labelled examples. Its draw does not depend on the harvest, so that runs can be shared.
    private (Program<TIn, TOut> Program, string Slot) Teacher(int maxLabeled)
    {
        var program = teacher ?? search.Student.With(LabeledDemos.Clear(search.Student.State, options));
        if (maxLabeled > 0 && program.State.Predictors.All(predictor => predictor.Value.Demos.IsEmpty || options.IsFrozen(predictor.Key)))
            program = program.With(LabeledDemos.Fill(program, options, examples, maxLabeled, search.Seed.Derive("teacher")));
        return (program, teacher is null ? "student" : "teacher");
    }

    // Leave one out: a demo that shows the example's own inputs would give the answer away.
    private ProgramState Without(Program<TIn, TOut> program, int index)
    {
        var state = program.State;
        foreach (var (path, signature) in program.Predictors)
        {
            var own = ExampleFields.For(signature, inputs[index]);
            var whole = own.Count > 0 ? FieldMap.Empty : ExampleFields.For(signature, examples[index]);
            if (own.Count + whole.Count > 0 && state[path].Demos.Any(Shows))
                state = state.With(path, state[path] with { Demos = [.. state[path].Demos.Where(demo => !Shows(demo))] });

            // A predictor that has none of the inputs knows the example by what else it holds, e.g. the answer alone.
            bool Shows(Demo demo) => own.Count > 0
                ? own.All(field => demo.Fields.TryGetValue(field.Key, out var value) && FieldMap.ValuesEqual(value, field.Value))
                : demo.Fields.Equals(whole);
        }

        return state;
    }

    // An attempt that several sets share fails once.
    private void CountError(RunRequest<TIn, TOut> request, RunRecord run)
    {
        if (run.Fault == RunFault.None || !failed.Add(request.UnitKey) || failed.Count < options.MostHarvestErrors)
            return;
        throw new HoneException(
            $"{failed.Count} runs failed while demos were harvested, as many as {nameof(BootstrapOptions.MaxErrors)} allows. The last error: {run.Error}");
    }

    private bool IsAccepted(RunRecord run) => run.Fault == RunFault.None
        && (options.MetricThreshold is { } threshold ? run.Score.Value >= threshold : run.Score.Value != 0);

    // One demo an example and predictor: the last call half of the time, else one of the earlier ones.
    private static Demo? DemoOf(RunRecord run, string path, SeedStream draw)
    {
        StepRecord[] steps = [.. run.Steps.Where(step => step.Path == path && step.Outputs is not null)];
        if (steps.Length == 0)
            return null;
        var step = steps[^1];
        if (steps.Length > 1)
        {
            var random = draw.CreateRandom();
            if (random.Next(2) == 0)
                step = steps[random.Next(steps.Length - 1)];
        }

        return new(FieldMap.Create(step.Inputs.Concat(step.Outputs!)), IsAugmented: true);
    }

    private sealed class Harvest(BootstrapPlan plan, (Program<TIn, TOut> Program, string Slot) source)
    {
        private int next;

        public BootstrapPlan Plan => plan;

        public (Program<TIn, TOut> Program, string Slot) Source => source;

        public List<(int Index, RunRecord Run)> Accepted { get; } = [];

        public bool IsOpen => next < plan.Order.Count && Accepted.Count < plan.Amounts.MaxBootstrapped;

        public int[] NextWave()
        {
            int[] wave = [.. plan.Order.Skip(next).Take(plan.Amounts.MaxBootstrapped - Accepted.Count)];
            next += wave.Length;
            return wave;
        }
    }
}
