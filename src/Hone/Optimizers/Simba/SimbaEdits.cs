using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>The two ways in which SIMBA changes a program: a demo of the best attempt, a rule from the contrast of two; and forgetting old demos.</summary>
internal static class SimbaEdits
{
    /// <summary>Removes some demos at random, the more the fuller the predictors are: room for new ones.</summary>
    public static ProgramState Forget(ProgramState state, SimbaOptions options, Random random)
    {
        var most = state.Predictors.Where(entry => !options.IsFrozen(entry.Key)).Select(entry => entry.Value.Demos.Length).DefaultIfEmpty(0).Max();
        var room = options.MaxDemos > 0 ? options.MaxDemos : 3;
        var count = Math.Min(most, Math.Max(SimbaMath.Poisson((double)most / room, random), most >= room ? 1 : 0));
        var dropped = Enumerable.Range(0, count).Select(_ => random.Next(most)).ToHashSet();
        foreach (var (path, predictor) in state.Predictors)
        {
            if (dropped.Count > 0 && !predictor.Demos.IsEmpty && !options.IsFrozen(path))
                state = state.With(path, predictor with { Demos = [.. predictor.Demos.Where((_, index) => !dropped.Contains(index))] });
        }

        return state;
    }

    /// <summary>Adds what each predictor did last in the best attempt; null when that attempt was poor.</summary>
    public static ProgramState? AddDemos(ProgramState state, SimbaBucket bucket, double low, SimbaOptions options)
    {
        if (bucket.Best.Score.Value <= low)
            return null;
        foreach (var step in bucket.Best.Steps.Where(step => step.Outputs is not null && !options.IsFrozen(step.Path)).GroupBy(step => step.Path).Select(steps => steps.Last()))
        {
            var fields = step.Inputs.Select(field => KeyValuePair.Create<string, object?>(field.Key, field.Value is string text ? ProgramText.Cut(text, options.MaxDemoInputLength) : field.Value));
            var demo = new Demo(FieldMap.Create(fields.Concat(step.Outputs!)), IsAugmented: true);
            state = state.With(step.Path, state[step.Path] with { Demos = state[step.Path].Demos.Add(demo) });
        }

        return state;
    }

    /// <summary>Appends advice to instructions; names of unknown modules are passed over.</summary>
    public static ProgramState AddRules<TIn, TOut>(
        Program<TIn, TOut> program, ProgramState state, IReadOnlyDictionary<string, string> advice, SimbaOptions options)
    {
        foreach (var (path, signature) in options.OpenIn(program))
        {
            if (advice.TryGetValue(path, out var rule) && !string.IsNullOrWhiteSpace(rule))
                state = TextComponents.Set(state, path, $"{state[path].Instructions ?? signature.Instructions}\n\n{rule.Trim()}");
        }

        return state;
    }

    /// <summary>The question for advice; null when there is nothing to learn from the attempts.</summary>
    public static AdviceRequest? Question<TIn, TOut>(
        Program<TIn, TOut> program, Example<TIn, TOut> example, SimbaBucket bucket, double low, double high, SimbaOptions options)
    {
        var (best, worst, maxLength) = (bucket.Best, bucket.Worst, options.MaxDemoInputLength);
        if (best.Score.Value <= low || worst.Score.Value >= high)
            return null;
        var (better, worse) = ((RunRecord?)best, (RunRecord?)worst);
        if (best.Score.Value <= worst.Score.Value && best.Score.Value > high)
            worse = null;
        else if (best.Score.Value <= worst.Score.Value)
            better = null;
        return new(
            ProgramText.Of(program),
            ProgramText.Lines(ExampleFields.InputsOf(example), maxLength),
            ProgramText.Cut(ValueText.Of(example.Expected), maxLength),
            worse is null ? "not available" : ProgramText.Of(worse, maxLength),
            worse is null ? "N/A" : ProgramText.Of(worse.Score),
            better is null ? "not available" : ProgramText.Of(better, maxLength),
            better is null ? "N/A" : ProgramText.Of(better.Score),
            string.Join(", ", options.OpenIn(program).Select(entry => entry.Key)));
    }
}
