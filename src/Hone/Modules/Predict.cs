using System.Diagnostics.CodeAnalysis;

namespace Hone;

/// <summary>One model call over field maps: the dynamic lane. Optimizers, adapters and saved state see every predictor this way.</summary>
public sealed class Predict : PredictorModule<FieldMap, FieldMap>
{
    /// <summary>Creates a predictor.</summary>
    public Predict(Signature signature) : base(signature ?? throw new ArgumentNullException(nameof(signature)))
    {
    }

    /// <summary>A predictor from a string signature, e.g. <c>"question, context: list[str] -> answer, confidence: float"</c>.</summary>
    /// <param name="signature">Inputs, an arrow, outputs.</param>
    /// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
    /// <param name="registeredTypes">Records, classes and enums that the text may use by name.</param>
    /// <exception cref="HoneException">The text is not a signature; the message points at the place.</exception>
    public static Predict Parse(string signature, string? instructions = null, params Type[] registeredTypes) =>
        new(Signature.Parse(signature, instructions, registeredTypes));

    /// <summary>A turn of an agent: the outputs and the requests that it took.</summary>
    internal Task<(FieldMap Outputs, Trace Trace)> AskAsync(FieldMap input, ToolUse toolUse, CancellationToken cancellationToken) =>
        Observation.IsOn(HoneScope.Current)
            ? ObservedAsync(input, toolUse, cancellationToken)
            : Predictor.PredictAsync(input, null, toolUse, cancellationToken);

    private protected override Task<FieldMap> AskAsync(FieldMap input, CallOptions? options, CancellationToken cancellationToken) =>
        Predictor.CallAsync(input, options, cancellationToken);

    private Task<(FieldMap Outputs, Trace Trace)> ObservedAsync(FieldMap input, ToolUse toolUse, CancellationToken cancellationToken) =>
        ObserveAsync(input, () => Predictor.PredictAsync(input, null, toolUse, cancellationToken));

    private protected override FieldMap Write(FieldMap input) => input;

    private protected override FieldMap Read(FieldMap outputs) => outputs;
}

/// <summary>One model call from a record to a record.</summary>
/// <typeparam name="TIn">A record whose properties are the inputs; a bare type is one input called <c>input</c>.</typeparam>
/// <typeparam name="TOut">A record whose properties are the outputs; a bare type is one output called <c>answer</c>.</typeparam>
public sealed class Predict<[DynamicallyAccessedMembers(ClrReflection.Members)] TIn, [DynamicallyAccessedMembers(ClrReflection.Members)] TOut>
    : PredictorModule<TIn, TOut>
{
    /// <summary>Creates a predictor.</summary>
    /// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
    /// <exception cref="HoneException">A property's type cannot be a field.</exception>
    public Predict(string? instructions = null) : base(TypedSignature.Of<TIn, TOut>(instructions))
    {
    }

    private protected override FieldMap Write(TIn input) => TypedSignature.InputsOf(input);

    private protected override TOut Read(FieldMap outputs) => SignatureReflector.FromFieldMap<TOut>(outputs, FieldDirection.Output);
}
