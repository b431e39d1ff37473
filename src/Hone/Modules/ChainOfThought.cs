using System.Diagnostics.CodeAnalysis;

namespace Hone;

/// <summary>A <see cref="Predict"/> that asks for a <c>reasoning</c> field before the declared outputs.</summary>
public sealed class ChainOfThought : Module<FieldMap, FieldMap>, IPredictorModule
{
    /// <summary>Name of the field that comes first.</summary>
    public const string ReasoningField = "reasoning";

    private readonly Predictor predictor;

    /// <summary>Creates a predictor.</summary>
    public ChainOfThought(Signature signature)
    {
        ArgumentNullException.ThrowIfNull(signature);
        predictor = new(WithReasoning(signature));
    }

    /// <summary>The signature with its reasoning field.</summary>
    public Signature Signature => predictor.Signature;

    Predictor IPredictorModule.Predictor => predictor;

    /// <summary>A predictor from a string signature.</summary>
    /// <exception cref="HoneException">The text is not a signature; the message points at the place.</exception>
    public static ChainOfThought Parse(string signature, string? instructions = null) => new(Signature.Parse(signature, instructions));

    /// <inheritdoc/>
    protected override Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken) => predictor.CallAsync(input, cancellationToken);

    /// <summary>The signature with a first output <c>reasoning</c>, unless it declares one.</summary>
    internal static Signature WithReasoning(Signature signature)
    {
        if (signature.Find(ReasoningField) is not null)
            return signature;
        var reasoning = new SignatureField(ReasoningField, FieldType.String, FieldDirection.Output);
        return new([.. signature.Inputs, reasoning, .. signature.Outputs], signature.Instructions, signature.Name);
    }
}

/// <summary>A typed <see cref="Predict{TIn,TOut}"/> that reasons first. Declare a <c>Reasoning</c> property on the output to see it.</summary>
/// <typeparam name="TIn">A record whose properties are the inputs.</typeparam>
/// <typeparam name="TOut">A record whose properties are the outputs.</typeparam>
public sealed class ChainOfThought<[DynamicallyAccessedMembers(ClrReflection.Members)] TIn, [DynamicallyAccessedMembers(ClrReflection.Members)] TOut>
    : Module<TIn, TOut>, IPredictorModule
{
    private readonly Predictor predictor;

    /// <summary>Creates a predictor.</summary>
    /// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
    /// <exception cref="HoneException">A property's type cannot be a field.</exception>
    public ChainOfThought(string? instructions = null) => predictor = new(ChainOfThought.WithReasoning(TypedSignature.Of<TIn, TOut>(instructions)));

    /// <summary>The signature with its reasoning field.</summary>
    public Signature Signature => predictor.Signature;

    Predictor IPredictorModule.Predictor => predictor;

    /// <inheritdoc/>
    protected override async Task<TOut> ForwardAsync(TIn input, CancellationToken cancellationToken)
    {
        var outputs = await predictor.CallAsync(TypedSignature.InputsOf(input), cancellationToken).ConfigureAwait(false);
        return SignatureReflector.FromFieldMap<TOut>(outputs, FieldDirection.Output);
    }
}
