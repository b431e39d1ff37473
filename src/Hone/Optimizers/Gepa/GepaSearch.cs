using System.Collections.Immutable;
using System.Globalization;

namespace Hone.Optimizers;

/// <summary>The search: iterations that reflect on a minibatch or merge two candidates, until the budget is spent or nothing is left to gain.</summary>
internal sealed class GepaSearch<TIn, TOut>
{
    private readonly SearchRun<TIn, TOut> search;
    private readonly GepaOptions options;
    private readonly GepaSpending spending;
    private readonly GepaProposer<TIn, TOut> proposer;
    private readonly ReflectionDataset<TIn, TOut> dataset;
    private readonly GepaPool pool;
    private readonly MinibatchSampler minibatches;
    private readonly MergePlanner merges;
    private readonly SearchSet<TIn, TOut> selection;
    private readonly HashSet<string> dropped = new(StringComparer.Ordinal);
    private int mergesDue;
    private int mergesDone;
    private bool hasFound;
    private int improvedAt;

    public GepaSearch(SearchRun<TIn, TOut> search, GepaOptions options, GepaAuthors authors, GepaSpending spending)
    {
        (this.search, this.options, this.spending) = (search, options, spending);
        proposer = new(search, options, authors, spending);
        dataset = new(search, options);
        pool = new(TextComponents.Of(search.Student, options, options.ToolDescriptions), options.Front);
        minibatches = new(search.Train.Count, options.MinibatchSize, search.Seed.Derive("minibatch"));
        merges = new(options.MergeExamples);
        selection = search.Selection!;
    }

    /// <exception cref="SearchEndedException">A stop condition is met.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Enter(0);
        while (true)
        {
            ThrowIfStopped();
            spending.Iterations++;
            search.Tell(new GepaIterationStarted(spending.Iterations, spending.Used, spending.Remaining));
            var isDone = await MergeAsync(cancellationToken).ConfigureAwait(false) ?? await ReflectAsync(cancellationToken).ConfigureAwait(false);
            search.Tell(new GepaIterationFinished(spending.Iterations, pool.Candidates.Count, pool.Best));
            if (isDone)
                break;
        }

        if (spending.Proposals == 0 && pool.Candidates.Count == 1 && spending.Iterations == 1)
            search.Warn($"The budget of {spending.Limit} evaluations does not pay for one iteration: two minibatches and one pass over the {selection.Count} validation examples, after the first.");
    }

    // False when a merge was tried; null when there is nothing to merge, or the budget does not pay for it.
    private async Task<bool?> MergeAsync(CancellationToken cancellationToken)
    {
        var isTurn = options.UseMerge && mergesDue > 0 && hasFound && (options.MaxMerges is not { } most || mergesDone < most);
        hasFound = false;
        var iteration = spending.Iterations;
        var random = search.RandomFor("merge", iteration);
        if (!isTurn || merges.Plan(pool, random) is not { } plan)
            return null;
        var sample = merges.Sample(pool, plan, random);
        if (spending.Remaining < sample.Length + selection.Count)
            return null;
        search.Tell(new GepaMergeAttempted(iteration, plan.First, plan.Second, plan.Ancestor));
        var merged = Candidate(
            search.Ledger[plan.Ancestor].State,
            pool.Components.Zip(plan.Texts),
            $"merge of {plan.First} and {plan.Second}",
            [plan.First, plan.Second],
            [("ancestor", plan.Ancestor.ToString(CultureInfo.InvariantCulture))]);
        spending.Reserve(sample.Length);
        spending.Proposals++;
        var scored = await search.SampleAsync("merging", [merged], selection, sample, cancellationToken).ConfigureAwait(false);
        var before = Math.Max(Sum(plan.First), Sum(plan.Second));
        var isAccepted = scored[0].Sum >= before;
        search.Tell(new ProposalJudged(
            merged.Origin, isAccepted, before / sample.Length, scored[0].Mean, isAccepted ? "no worse than the better parent" : "worse than the better parent"));
        if (!isAccepted)
            return false;
        mergesDue--;
        mergesDone++;
        await ScoreAsync([merged], cancellationToken).ConfigureAwait(false);
        return false;

        double Sum(int candidate) => sample.Sum(i => pool.Candidates[candidate].Scores[i]);
    }

    // True when the budget does not pay for the iteration.
    private async Task<bool> ReflectAsync(CancellationToken cancellationToken)
    {
        var tasks = Tasks();
        var pairs = tasks.Select(task => task.PairKey).Distinct(StringComparer.Ordinal).Count();
        if (spending.Remaining < ((pairs + tasks.Length) * (long)options.MinibatchSize) + (2L * tasks.Length * Confirmations) + selection.Count)
            return true;
        foreach (var task in tasks)
            search.Tell(new GepaMinibatchSampled(spending.Iterations, task.Parent, [.. task.Examples]));
        spending.Reserve((long)pairs * options.MinibatchSize);
        var runs = await search.RunAsync(
            "reflecting", [.. tasks.SelectMany(task => task.Examples.Select(index => search.Ledger[task.Parent].On(search.Train, index)))], cancellationToken)
            .ConfigureAwait(false);
        var open = new List<GepaTask>();
        foreach (var task in tasks)
        {
            task.Before = runs[(task.Number * options.MinibatchSize)..((task.Number + 1) * options.MinibatchSize)];
            if (Skipped(task) is { } reason)
                search.Tell(new GepaTaskSkipped(spending.Iterations, task.Parent, reason));
            else
                open.Add(task);
        }

        if (open.Count > 0)
            await TryChangesAsync(open, cancellationToken).ConfigureAwait(false);
        return false;
    }

    private GepaTask[] Tasks()
    {
        var tasks = new List<GepaTask>();
        for (var i = 0; i < options.Sampling.Parents; i++)
        {
            var parent = options.ParentSelector.Select(pool, search.RandomFor("parent", spending.Iterations, i));
            if (parent < 0 || parent >= pool.Candidates.Count)
                throw new HoneException($"The parent selector '{options.ParentSelector.Name}' chose candidate {parent}; there are {pool.Candidates.Count}.");
            for (var j = 0; j < options.Sampling.Minibatches; j++)
                tasks.Add(new(tasks.Count, parent, minibatches.Next()));
        }

        return [.. tasks];
    }

    // Sets the records; or says why there is nothing to reflect on.
    private string? Skipped(GepaTask task)
    {
        if (options.SkipPerfectMinibatches && options.PerfectScore is { } perfect && Array.TrueForAll(task.Before, run => run.Score.Value >= perfect))
            return "all scores of the minibatch are perfect";
        var iteration = spending.Iterations;
        var components = options.ComponentSelector.Select(
            new(pool, task.Parent, [.. task.Before.Select(run => run.Score.Value)]), search.RandomFor("component", iteration, task.Number));
        if (components.IsDefaultOrEmpty || components.FirstOrDefault(component => !pool.Components.Contains(component)) is not null)
            throw new HoneException($"The component selector '{options.ComponentSelector.Name}' must choose from {string.Join(", ", pool.Components)}.");
        (int, RunRecord)[] runs = [.. task.Before.Select((run, i) => (task.Examples[i], run))];
        task.Data =
        [
            .. components.Distinct(StringComparer.Ordinal)
                .Select((component, i) => dataset.Of(search.Ledger[task.Parent].Program, component, runs, search.Seed.Derive("record", iteration, task.Number, i)))
                .Where(data => data.Records.Length > 0),
        ];
        foreach (var data in task.Data)
            search.Tell(new GepaRecordsBuilt(iteration, task.Parent, data));
        return task.Data.IsEmpty ? "no run has anything to show" : null;
    }

    private async Task TryChangesAsync(List<GepaTask> tasks, CancellationToken cancellationToken)
    {
        await proposer.ProposeAsync(spending.Iterations, pool, tasks, cancellationToken).ConfigureAwait(false);
        GepaChild<TIn, TOut>[] children = [.. tasks.Where(task => task.Proposed is not null).Select(Child)];
        spending.Proposals += children.Length;
        GepaChild<TIn, TOut>[] tried = [.. children.Where(child => child.Rejection is null)];
        if (tried.Length > 0)
        {
            spending.Reserve((long)tried.Length * options.MinibatchSize);
            var runs = await search.RunAsync(
                "trying changes", [.. tried.SelectMany(child => child.Task.Examples.Select(index => child.Candidate.On(search.Train, index)))], cancellationToken)
                .ConfigureAwait(false);
            for (var i = 0; i < tried.Length; i++)
                Judge(tried[i], runs[(i * options.MinibatchSize)..((i + 1) * options.MinibatchSize)]);
        }

        if (Confirmations > 0)
            await ConfirmAsync([.. tried.Where(child => child.Rejection is null)], cancellationToken).ConfigureAwait(false);
        var chosen = Choose(children);
        foreach (var child in children)
            search.Tell(new ProposalJudged(child.Candidate.Origin, child.Rejection is null, Mean(child.Scores?.Before), Mean(child.Scores?.After), child.Rejection ?? "accepted"));
        if (await ScoreAsync([.. chosen.Select(child => child.Candidate)], cancellationToken).ConfigureAwait(false) == 0)
            return;
        hasFound = true;
        mergesDue++;

        static double Mean(ImmutableArray<double>? scores) => scores is { Length: > 0 } known ? known.Average() : double.NaN;
    }

    private GepaChild<TIn, TOut> Child(GepaTask task)
    {
        ImmutableArray<string> texts = [.. pool.Components.Select((component, i) => task.Proposed!.GetValueOrDefault(component) ?? pool.Texts(task.Parent)[i])];
        var changed = string.Join(", ", task.Proposed!.Keys.Order(StringComparer.Ordinal));
        var candidate = Candidate(
            search.Ledger[task.Parent].State, pool.Components.Zip(texts), $"reflection on {changed} of {task.Parent}", [task.Parent], [("components", changed)]);
        return new(task, candidate, texts) { Rejection = pool.Contains(texts) ? "a duplicate of a candidate" : dropped.Contains(candidate.Key) ? "was dropped before" : null };
    }

    private void Judge(GepaChild<TIn, TOut> child, RunRecord[] runs)
    {
        child.Scores = new(
            child.Task.Parent, [.. child.Task.Before.Select(run => run.Score.Value)], [.. runs.Select(run => run.Score.Value)]);
        search.Tell(new CandidateSampled(child.Candidate.Origin, child.Scores.After.Average(), runs.Length));
        child.Rejection = options.Acceptance.Reject(child.Scores);
    }

    // As many as there are beside a minibatch.
    private int Confirmations => Math.Min(options.ConfirmationExamples, Math.Max(0, search.Train.Count - options.MinibatchSize));

    // Runs changes and their parents on further examples, and judges by all of them.
    private async Task ConfirmAsync(GepaChild<TIn, TOut>[] accepted, CancellationToken cancellationToken)
    {
        if (accepted.Length == 0)
            return;
        int[][] further = [.. accepted.Select(child => Further(child.Task))];
        spending.Reserve(2L * further.Sum(examples => examples.Length));
        var runs = await search.RunAsync(
            "confirming",
            [
                .. accepted.Zip(further).SelectMany(pair => pair.Second.Select(index => search.Ledger[pair.First.Task.Parent].On(search.Train, index))
                    .Concat(pair.Second.Select(index => pair.First.Candidate.On(search.Train, index)))),
            ],
            cancellationToken).ConfigureAwait(false);
        var next = 0;
        for (var i = 0; i < accepted.Length; i++)
        {
            var scores = accepted[i].Scores!;
            var count = further[i].Length;
            accepted[i].Scores = scores with
            {
                Before = [.. scores.Before, .. runs[next..(next + count)].Select(run => run.Score.Value)],
                After = [.. scores.After, .. runs[(next + count)..(next + (2 * count))].Select(run => run.Score.Value)],
            };
            next += 2 * count;
            accepted[i].Rejection = options.Acceptance.Reject(accepted[i].Scores!) is { } reason ? $"{reason} with {count} further examples" : null;
        }
    }

    private int[] Further(GepaTask task)
    {
        int[] others = [.. search.Train.All.Except(task.Examples)];
        search.RandomFor("confirmation", spending.Iterations, task.Number).Shuffle(others);
        return others[..Math.Min(Confirmations, others.Length)];
    }

    // Accepted changes without duplicates; the best of them, when not all are wanted.
    private GepaChild<TIn, TOut>[] Choose(GepaChild<TIn, TOut>[] children)
    {
        var chosen = new List<GepaChild<TIn, TOut>>();
        foreach (var child in children.Where(child => child.Rejection is null))
        {
            if (chosen.Exists(other => other.Texts.AsSpan().SequenceEqual(child.Texts.AsSpan())))
                child.Rejection = "a duplicate of another proposal";
            else
                chosen.Add(child);
        }

        foreach (var child in chosen.OrderByDescending(child => child.Scores!.Gain).Skip(options.Selection.Most ?? chosen.Count).ToArray())
        {
            child.Rejection = "others have gained more";
            chosen.Remove(child);
        }

        return [.. chosen];
    }

    // Scores those that the budget pays for on the validation set; how many these are.
    private async Task<int> ScoreAsync(SearchCandidate<TIn, TOut>[] found, CancellationToken cancellationToken)
    {
        var count = (int)Math.Min(found.Length, spending.Remaining / selection.Count);
        if (count == 0)
            return 0;
        if (options.ValidationSlice is not null)
            return await ScoreInSlicesAsync(found[..count], cancellationToken).ConfigureAwait(false);
        var first = pool.Candidates.Count;
        for (var i = 0; i < count; i++)
        {
            found[i] = found[i] with { Notes = found[i].Notes.Add("evaluations before", spending.Used.ToString(CultureInfo.InvariantCulture)) };
            spending.DiscoveredAt.Add(spending.Used);
            spending.Reserve(selection.Count);
        }

        await search.ScoreAsync("scoring", found[..count], cancellationToken).ConfigureAwait(false);
        for (var i = first; i < first + count; i++)
            Enter(i);
        return count;
    }

    // One after the other: each is compared with the best so far, and dropped as soon as it is surely worse.
    private async Task<int> ScoreInSlicesAsync(SearchCandidate<TIn, TOut>[] found, CancellationToken cancellationToken)
    {
        var first = pool.Candidates.Count;
        int[] order = [.. selection.All];
        search.RandomFor("slices").Shuffle(order);
        foreach (var candidate in found)
        {
            var discovered = spending.Used;
            if (await IsWorseAsync(candidate, order, cancellationToken).ConfigureAwait(false))
            {
                dropped.Add(candidate.Key);
                continue;
            }

            spending.DiscoveredAt.Add(discovered);
            var noted = candidate with { Notes = candidate.Notes.Add("evaluations before", discovered.ToString(CultureInfo.InvariantCulture)) };
            await search.ScoreAsync("scoring", noted, cancellationToken).ConfigureAwait(false);
            Enter(pool.Candidates.Count);
        }

        return pool.Candidates.Count - first;
    }

    private async Task<bool> IsWorseAsync(SearchCandidate<TIn, TOut> candidate, int[] order, CancellationToken cancellationToken)
    {
        var best = pool.Candidates[pool.Best];
        var (own, others) = (new List<double>(), new List<double>());
        foreach (var slice in order.Chunk(options.ValidationSlice!.Value))
        {
            spending.Reserve(slice.Length);
            var scored = await search.SampleAsync("validating", [candidate], selection, slice, cancellationToken).ConfigureAwait(false);
            own.AddRange(scored[0].Scores);
            others.AddRange(slice.Select(index => best.Scores[index]));
            if (own.Count == order.Length || !IsSurelyLess(own, others))
                continue;
            search.Tell(new GepaCandidateDropped(spending.Iterations, candidate.Origin, own.Count, own.Average(), others.Average()));
            return true;
        }

        return false;
    }

    // The upper end of the 95 % interval of the mean difference, example by example, is below zero.
    private static bool IsSurelyLess(List<double> own, List<double> others)
    {
        double[] differences = [.. own.Zip(others, (left, right) => left - right)];
        var mean = differences.Average();
        var variance = differences.Sum(difference => (difference - mean) * (difference - mean)) / (differences.Length - 1);
        return mean + (1.96 * Math.Sqrt(variance / differences.Length)) < 0;
    }

    private void Enter(int index)
    {
        var best = index == 0 ? double.NegativeInfinity : pool.Mean(pool.Best);
        var before = pool.Fronts.SelectMany(front => front).Distinct().ToArray();
        var candidate = search.Ledger.Entries[index];
        var program = search.Ledger[index].Program;
        if (pool.Add(
            candidate,
            [.. pool.Components.Select(component => TextComponents.Get(program, component))],
            [.. search.Ledger.ScoreOf(index)!.Runs.Select(run => run.Score)]))
            search.Tell(new ParetoFrontChanged(pool.FrontsByKey) { Displaced = [.. before.Except(pool.Fronts.SelectMany(front => front)).Order()] });
        if (pool.Mean(index) > best)
            improvedAt = spending.Iterations;
    }

    private SearchCandidate<TIn, TOut> Candidate(
        ProgramState state, IEnumerable<(string Component, string Text)> texts, string origin, ImmutableArray<int> parents, (string Key, string Value)[] notes)
    {
        foreach (var (component, text) in texts)
            state = TextComponents.Get(search.Student.With(state), component) == text ? state : TextComponents.Set(state, component, text);
        return search.Candidate(state, origin) with
        {
            Parents = parents,
            Notes = notes.Append(("iteration", spending.Iterations.ToString(CultureInfo.InvariantCulture)))
                .ToImmutableSortedDictionary(note => note.Item1, note => note.Item2, StringComparer.Ordinal),
        };
    }

    private void ThrowIfStopped()
    {
        var progress = new GepaProgress(
            pool, spending.Iterations, spending.Used, spending.Proposals, spending.Reflection, spending.Iterations - improvedAt);
        if (options.StopWhen?.Check(progress) is { } reason)
            throw new SearchEndedException(reason, "A stop condition is met.");
    }
}
