using System.Diagnostics.CodeAnalysis;

namespace Hone;

/// <summary>One model call over field maps: the dynamic lane. Optimizers, adapters and saved state see every predictor this way.</summary>
public sealed class Predict : Module<FieldMap, FieldMap>, IPredictorModule
{
    private readonly Predictor predictor;

    /// <summary>Creates a predictor.</summary>
    public Predict(Signature signature)
    {
        ArgumentNullException.ThrowIfNull(signature);
        predictor = new(signature);
    }

    /// <summary>The declared signature.</summary>
    public Signature Signature => predictor.Signature;

    Predictor IPredictorModule.Predictor => predictor;

    /// <summary>A predictor from a string signature, e.g. <c>"question, context: list[str] -> answer, confidence: float"</c>.</summary>
    /// <exception cref="HoneException">The text is not a signature; the message points at the place.</exception>
    public static Predict Parse(string signature, string? instructions = null) => new(Signature.Parse(signature, instructions));

    /// <inheritdoc/>
    protected override Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken) => predictor.CallAsync(input, cancellationToken);
}

/// <summary>One model call from a record to a record.</summary>
/// <typeparam name="TIn">A record whose properties are the inputs; a bare type is one input called <c>input</c>.</typeparam>
/// <typeparam name="TOut">A record whose properties are the outputs; a bare type is one output called <c>answer</c>.</typeparam>
public sealed class Predict<[DynamicallyAccessedMembers(ClrReflection.Members)] TIn, [DynamicallyAccessedMembers(ClrReflection.Members)] TOut>
    : Module<TIn, TOut>, IPredictorModule
{
    private readonly Predictor predictor;

    /// <summary>Creates a predictor.</summary>
    /// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
    /// <exception cref="HoneException">A property's type cannot be a field.</exception>
    public Predict(string? instructions = null) => predictor = new(TypedSignature.Of<TIn, TOut>(instructions));

    /// <summary>The declared signature.</summary>
    public Signature Signature => predictor.Signature;

    Predictor IPredictorModule.Predictor => predictor;

    /// <inheritdoc/>
    protected override async Task<TOut> ForwardAsync(TIn input, CancellationToken cancellationToken)
    {
        var outputs = await predictor.CallAsync(TypedSignature.InputsOf(input), cancellationToken).ConfigureAwait(false);
        return SignatureReflector.FromFieldMap<TOut>(outputs, FieldDirection.Output);
    }
}
