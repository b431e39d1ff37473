namespace Hone.Optimizers;

/// <summary>One call of a predictor to imitate: what it is given and what it should write.</summary>
/// <param name="Predictor">The predictor's dotted path; <c>self</c> when the program is a single predictor.</param>
/// <param name="Inputs">Values by input name.</param>
/// <param name="Completion">The whole answer as text, in the program's prompt format.</param>
public sealed record Demonstration(string Predictor, FieldMap Inputs, string Completion)
{
    /// <summary>The demonstration of a call whose outputs are known as values: they are written as the program's adapter writes them.</summary>
    /// <exception cref="HoneException">There is no such predictor.</exception>
    public static Demonstration Of<TIn, TOut>(Program<TIn, TOut> program, string predictor, FieldMap inputs, FieldMap outputs)
    {
        ArgumentNullException.ThrowIfNull(program);
        return new(predictor, inputs, program.Adapter.RenderOutputs(SignatureOf(program, predictor), outputs).TrimEnd());
    }

    internal static Signature SignatureOf<TIn, TOut>(Program<TIn, TOut> program, string predictor) =>
        program.Predictors.FirstOrDefault(entry => entry.Key == predictor).Value
        ?? throw new HoneException(
            $"Module {program.Module.GetType().Name} has no predictor '{predictor}'. It has: {string.Join(", ", program.Predictors.Select(entry => entry.Key))}.");
}
