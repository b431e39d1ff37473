using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>The texts of a program that a search may rewrite, by name: the instructions of a predictor go by its path.</summary>
internal static class TextComponents
{
    /// <summary>Names in declaration order.</summary>
    public static ImmutableArray<string> Of<TIn, TOut>(Program<TIn, TOut> program) => [.. program.Predictors.Select(entry => entry.Key)];

    /// <summary>Path of the predictor whose calls show what a text does.</summary>
    public static string PredictorOf(string component) => component;

    /// <summary>The text in effect.</summary>
    public static string Get<TIn, TOut>(Program<TIn, TOut> program, string component) =>
        program.Predictors.First(entry => entry.Key == component).Value.Instructions;

    /// <summary>The state with another text.</summary>
    public static ProgramState Set(ProgramState state, string component, string text) =>
        state.With(component, state[component] with { Instructions = text });
}
