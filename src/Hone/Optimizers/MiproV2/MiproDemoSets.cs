using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>Demo sets to choose from: none, labelled ones, harvested ones in the set's order and in random orders of random sizes.</summary>
internal static class MiproDemoSets
{
    // What is harvested for proposals alone, when the program itself is to have no demos.
    private const int ShownWithoutDemos = 3;

    /// <summary>A state for each set; only their demos count.</summary>
    public static async Task<ProgramState[]> BuildAsync<TIn, TOut>(
        SearchRun<TIn, TOut> search, Bootstrapper<TIn, TOut> bootstrapper, MiproV2Options options, int count, CancellationToken cancellationToken)
    {
        var (harvested, labeled) = options.IsZeroShot ? (ShownWithoutDemos, 0) : (options.MaxBootstrappedDemos, options.MaxLabeledDemos);
        var states = new ProgramState?[count];
        var plans = new List<(int Set, BootstrapPlan Plan)>();
        for (var set = 0; set < count; set++)
        {
            var draw = search.Seed.Derive("demos", set);
            if (set == 0)
                states[set] = LabeledDemos.Clear(search.Student.State, options);
            else if (set == 1 && labeled > 0)
                states[set] = LabeledDemos.Fill(search.Student, options, bootstrapper.Examples, labeled, draw);
            else
                plans.Add((set, Plan(search, set, harvested, labeled, draw)));
        }

        var built = await bootstrapper.BuildAsync([.. plans.Select(entry => entry.Plan)], cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < built.Length; i++)
            states[plans[i].Set] = built[i];
        return [.. states.Select(state => state!)];
    }

    /// <summary>The different demo sets of a predictor; the first one is empty.</summary>
    public static ImmutableArray<ImmutableArray<Demo>> Distinct(ProgramState[] states, string path)
    {
        var sets = new List<ImmutableArray<Demo>>();
        foreach (var state in states)
        {
            if (!sets.Exists(set => set.SequenceEqual(state[path].Demos)))
                sets.Add(state[path].Demos);
        }

        return [.. sets];
    }

    private static BootstrapPlan Plan<TIn, TOut>(SearchRun<TIn, TOut> search, int set, int harvested, int labeled, SeedStream draw)
    {
        int[] order = [.. search.Train.All];
        if (set == 2)
            return new(order, new(harvested, labeled), draw);
        var random = draw.CreateRandom();
        random.Shuffle(order);
        return new(order, new(harvested == 0 ? 0 : random.Next(1, harvested + 1), labeled), draw);
    }
}
