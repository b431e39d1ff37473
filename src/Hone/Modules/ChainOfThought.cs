using System.Diagnostics.CodeAnalysis;

namespace Hone;

/// <summary>A <see cref="Predict"/> that asks for a <c>reasoning</c> field before the declared outputs.</summary>
public sealed class ChainOfThought : PredictorModule<FieldMap, FieldMap>
{
    /// <summary>Name of the field that comes first.</summary>
    public const string ReasoningField = "reasoning";

    /// <summary>Creates a predictor.</summary>
    public ChainOfThought(Signature signature) : base(WithReasoning(signature ?? throw new ArgumentNullException(nameof(signature))))
    {
    }

    /// <summary>A predictor from a string signature.</summary>
    /// <param name="signature">Inputs, an arrow, outputs.</param>
    /// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
    /// <param name="registeredTypes">Records, classes and enums that the text may use by name.</param>
    /// <exception cref="HoneException">The text is not a signature; the message points at the place.</exception>
    public static ChainOfThought Parse(string signature, string? instructions = null, params Type[] registeredTypes) =>
        new(Signature.Parse(signature, instructions, registeredTypes));

    private protected override FieldMap Write(FieldMap input) => input;

    private protected override FieldMap Read(FieldMap outputs) => outputs;

    /// <summary>The signature with a first output <c>reasoning</c>: the declared one, wherever it stands, since what comes after an answer has not led to it.</summary>
    internal static Signature WithReasoning(Signature signature)
    {
        var declared = signature.Find(ReasoningField);
        if (declared is { Direction: FieldDirection.Input } || (declared is not null && signature.Outputs[0] == declared))
            return signature;
        var reasoning = declared ?? new SignatureField(ReasoningField, FieldType.String, FieldDirection.Output);
        return new([.. signature.Inputs, reasoning, .. signature.Outputs.Where(output => output != declared)], signature.Instructions, signature.Name);
    }
}

/// <summary>A typed <see cref="Predict{TIn,TOut}"/> that reasons first. Declare a <c>Reasoning</c> property on the output, anywhere, to see it.</summary>
/// <typeparam name="TIn">A record whose properties are the inputs.</typeparam>
/// <typeparam name="TOut">A record whose properties are the outputs.</typeparam>
public sealed class ChainOfThought<[DynamicallyAccessedMembers(ClrReflection.Members)] TIn, [DynamicallyAccessedMembers(ClrReflection.Members)] TOut>
    : PredictorModule<TIn, TOut>
{
    /// <summary>Creates a predictor.</summary>
    /// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
    /// <exception cref="HoneException">A property's type cannot be a field.</exception>
    public ChainOfThought(string? instructions = null) : base(ChainOfThought.WithReasoning(TypedSignature.Of<TIn, TOut>(instructions)))
    {
    }

    private protected override FieldMap Write(TIn input) => TypedSignature.InputsOf(input);

    private protected override TOut Read(FieldMap outputs) => SignatureReflector.FromFieldMap<TOut>(outputs, FieldDirection.Output);
}
