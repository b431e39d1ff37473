namespace Hone;

/// <summary>
/// Makes a partial method of a module a predictor: its parameters are the inputs, its result the outputs, its name the path. The source
/// generator writes the body. See <see cref="PredictAttribute"/>, <see cref="ChainOfThoughtAttribute"/> and <see cref="ReActAttribute"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public abstract class PredictorAttribute : Attribute
{
    private protected PredictorAttribute(string? instructions) => Instructions = instructions;

    /// <summary>What to do; null gives a default sentence that names the fields. Line ends reach the model as a single line feed.</summary>
    public string? Instructions { get; }

    /// <summary>
    /// Name of the single output field; null takes the method's name without its first word (<c>GenerateQuery</c> gives <c>query</c>), or
    /// <c>answer</c>. With a name, a record result is one field; without, its properties are the fields. Not for tuples.
    /// </summary>
    public string? Output { get; set; }
}

/// <summary>A partial method that calls the model once, as <see cref="Predict{TIn,TOut}"/> does.</summary>
/// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
public sealed class PredictAttribute(string? instructions = null) : PredictorAttribute(instructions);

/// <summary>A partial method that calls the model once and lets it reason first, as <see cref="ChainOfThought{TIn,TOut}"/> does.</summary>
/// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
public sealed class ChainOfThoughtAttribute(string? instructions = null) : PredictorAttribute(instructions);

/// <summary>
/// A partial method behind which an agent works, as <see cref="ReAct{TIn,TOut}"/> does: it calls tools until it submits the method's result. The predictor's
/// path is the method's, a dot and <c>react</c>.
/// </summary>
/// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
public sealed class ReActAttribute(string? instructions = null) : PredictorAttribute(instructions)
{
    /// <summary>
    /// Name of the member of the class that gives the tools, by <c>nameof</c>: a field, a property, a method without parameters or a parameter of the class,
    /// of any <c>IEnumerable&lt;AIFunction&gt;</c>. It is read once, when the module is first used. Required.
    /// </summary>
    public string? Tools { get; set; }

    /// <summary>Name of the member that gives the <see cref="ReActOptions"/>, read as <see cref="Tools"/> is; the defaults when null.</summary>
    public string? Options { get; set; }
}
