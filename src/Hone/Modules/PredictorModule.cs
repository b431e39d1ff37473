namespace Hone;

/// <summary>A module that is one predictor: what <see cref="Predict"/> and <see cref="ChainOfThought"/> have in common.</summary>
/// <typeparam name="TIn">What goes in.</typeparam>
/// <typeparam name="TOut">What comes out.</typeparam>
public abstract class PredictorModule<TIn, TOut> : Module<TIn, TOut>, IPredictorModule
{
    private readonly Predictor predictor;

    private protected PredictorModule(Signature signature) =>
        predictor = new(signature, typeof(TOut) == typeof(FieldMap) ? null : outputs => Read(outputs));

    /// <summary>The declared signature.</summary>
    public Signature Signature => predictor.Signature;

    Predictor IPredictorModule.Predictor => predictor;

    private protected Predictor Predictor => predictor;

    /// <summary>Asks the model in scope, with options of this call alone.</summary>
    /// <param name="input">The inputs.</param>
    /// <param name="options">Options over the predictor's, the run's and the model's.</param>
    /// <param name="cancellationToken">Stops the request.</param>
    /// <exception cref="AdapterParseException">The answer could not be read, and recovering did not help.</exception>
    public Task<TOut> CallAsync(TIn input, CallOptions? options, CancellationToken cancellationToken = default) => Observation.IsOn(HoneScope.Current)
        ? ObservedAsync(input, options, cancellationToken)
        : AskAsync(input, options, cancellationToken);

    /// <summary>As <see cref="CallAsync(TIn, CallOptions?, CancellationToken)"/>, with the requests that this call alone took: usage, raw answers, recoveries.</summary>
    /// <param name="input">The inputs.</param>
    /// <param name="options">Options over the predictor's, the run's and the model's.</param>
    /// <param name="cancellationToken">Stops the request.</param>
    public Task<Prediction<TOut>> PredictAsync(TIn input, CallOptions? options = null, CancellationToken cancellationToken = default) =>
        Observation.IsOn(HoneScope.Current)
            ? ObservedWithTraceAsync(input, options, cancellationToken)
            : AskWithTraceAsync(input, options, cancellationToken);

    /// <summary>
    /// Several answers to the same request, side by side, in a fixed order. Each is a value or its own failure: one unreadable answer does not
    /// cost the others.
    /// </summary>
    /// <param name="input">The inputs.</param>
    /// <param name="count">How many; at least 1.</param>
    /// <param name="options">Options of these calls. Without any temperature, several samples are drawn at 0.7.</param>
    /// <param name="cancellationToken">Stops the requests.</param>
    public async Task<IReadOnlyList<ItemResult<TOut>>> SampleAsync(
        TIn input, int count, CallOptions? options = null, CancellationToken cancellationToken = default)
    {
        return await predictor.SampleAsync<TOut>(Write(input), count, options, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected sealed override Task<TOut> ForwardAsync(TIn input, CancellationToken cancellationToken) => AskAsync(input, null, cancellationToken);

    private protected abstract FieldMap Write(TIn input);

    private protected abstract TOut Read(FieldMap outputs);

    private async Task<Prediction<TOut>> AskWithTraceAsync(TIn input, CallOptions? options, CancellationToken cancellationToken) =>
        await predictor.PredictAsync<TOut>(Write(input), options, cancellationToken).ConfigureAwait(false);

    // Where inputs and outputs are field maps already, there is nothing to make of them.
    private protected virtual async Task<TOut> AskAsync(TIn input, CallOptions? options, CancellationToken cancellationToken) =>
        await predictor.AskAsync<TOut>(Write(input), options, cancellationToken).ConfigureAwait(false);

    private Task<TOut> ObservedAsync(TIn input, CallOptions? options, CancellationToken cancellationToken) =>
        ObserveAsync(input, () => AskAsync(input, options, cancellationToken));

    private Task<Prediction<TOut>> ObservedWithTraceAsync(TIn input, CallOptions? options, CancellationToken cancellationToken) =>
        ObserveAsync(input, () => AskWithTraceAsync(input, options, cancellationToken));
}
