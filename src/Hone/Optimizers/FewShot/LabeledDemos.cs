using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>Training examples as demos: each predictor is shown the fields that it has.</summary>
internal static class LabeledDemos
{
    /// <summary>The state with so many labelled demos on every predictor that is not frozen, in place of those it had.</summary>
    /// <param name="program">The program whose predictors are filled.</param>
    /// <param name="options">Says which predictors are frozen.</param>
    /// <param name="examples">The examples as field maps.</param>
    /// <param name="count">Most demos a predictor.</param>
    /// <param name="seed">Each predictor draws its own; null takes the first ones.</param>
    public static ProgramState Fill<TIn, TOut>(Program<TIn, TOut> program, OptimizerOptions options, IReadOnlyList<FieldMap> examples, int count, SeedStream? seed)
    {
        var state = program.State;
        for (var i = 0; i < program.Predictors.Length; i++)
        {
            var (path, signature) = program.Predictors[i];
            if (options.IsFrozen(path))
                continue;
            state = state.With(path, state[path] with { Demos = Draw(signature, examples, count, seed?.Derive("labeled", i)) });
        }

        return state;
    }

    /// <summary>Demos for one predictor.</summary>
    public static ImmutableArray<Demo> Draw(Signature signature, IReadOnlyList<FieldMap> examples, int count, SeedStream? seed)
    {
        var chosen = seed is { } stream ? Sample(examples, count, stream.CreateRandom()) : examples.Take(count);
        return [.. chosen.Select(example => new Demo(ExampleFields.For(signature, example)))];
    }

    /// <summary>The state without demos; everything else stays, and so do frozen predictors.</summary>
    public static ProgramState Clear(ProgramState state, OptimizerOptions options)
    {
        foreach (var (path, predictor) in state.Predictors)
        {
            if (!predictor.Demos.IsEmpty && !options.IsFrozen(path))
                state = state.With(path, predictor with { Demos = [] });
        }

        return state;
    }

    /// <summary>So many items without replacement, in random order.</summary>
    public static IReadOnlyList<T> Sample<T>(IReadOnlyList<T> items, int count, Random random)
    {
        var shuffled = items.ToArray();
        random.Shuffle(shuffled);
        return shuffled[..Math.Min(count, shuffled.Length)];
    }
}
