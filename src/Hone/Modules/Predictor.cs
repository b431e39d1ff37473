namespace Hone;

/// <summary>A module that is one predictor.</summary>
internal interface IPredictorModule
{
    Predictor Predictor { get; }
}

/// <summary>The runtime of every predictor: field map in, field map out. Its identity is its path in the program.</summary>
/// <param name="signature">The signature as declared.</param>
/// <param name="build">Makes the .NET value of the outputs; null where they are the value.</param>
internal sealed class Predictor(Signature signature, Func<FieldMap, object?>? build = null)
{
    private readonly PredictorBinding standalone = new(ModuleTree.Self, PredictorState.Default, signature);

    /// <summary>The signature as declared, before any state is laid over it.</summary>
    public Signature Signature { get; } = signature;

    /// <summary>Makes the .NET value of the outputs. What it refuses counts as an answer that cannot be read. Null where the outputs are the value.</summary>
    public Func<FieldMap, object?>? Build { get; } = build;

    /// <summary>Asks the model in scope; an unreadable answer is recovered from as the scope's policy says.</summary>
    /// <param name="inputs">Values by input name.</param>
    /// <param name="options">Options of this call alone, over all others.</param>
    /// <param name="cancellationToken">Stops the request.</param>
    public Task<FieldMap> CallAsync(FieldMap inputs, CallOptions? options, CancellationToken cancellationToken)
    {
        try
        {
            return PredictorCallRunner.Open(this, HoneScope.Current ?? throw NoModel(), inputs, options, isSampling: false).RunAsync(cancellationToken);
        }
        catch (Exception error)
        {
            // A call that cannot start fails like one that did: whoever starts several and waits for all is not left with stray ones.
            return Task.FromException<FieldMap>(error);
        }
    }

    /// <summary>As <see cref="CallAsync"/>, to the .NET value.</summary>
    public async Task<TOut> AskAsync<TOut>(FieldMap inputs, CallOptions? options, CancellationToken cancellationToken)
    {
        var runner = PredictorCallRunner.Open(this, HoneScope.Current ?? throw NoModel(), inputs, options, isSampling: false);
        var outputs = await runner.RunAsync(cancellationToken).ConfigureAwait(false);
        return (TOut)runner.ValueOf(outputs)!;
    }

    /// <summary>As <see cref="AskAsync"/>, with the requests that it took.</summary>
    public async Task<Prediction<TOut>> PredictAsync<TOut>(FieldMap inputs, CallOptions? options, CancellationToken cancellationToken)
    {
        var runner = PredictorCallRunner.Open(this, HoneScope.Current ?? throw NoModel(), inputs, options, isSampling: false);
        var outputs = await runner.RunAsync(cancellationToken).ConfigureAwait(false);
        return new((TOut)runner.ValueOf(outputs)!, new(runner.Calls));
    }

    /// <summary>As <see cref="CallAsync"/>, with the requests that it took and tools offered as an agent wants them.</summary>
    public async Task<(FieldMap Outputs, Trace Trace)> PredictAsync(
        FieldMap inputs, CallOptions? options, ToolUse? toolUse, CancellationToken cancellationToken)
    {
        var runner = PredictorCallRunner.Open(this, HoneScope.Current ?? throw NoModel(), inputs, options, isSampling: false, toolUse);
        var outputs = await runner.RunAsync(cancellationToken).ConfigureAwait(false);
        return (outputs, new(runner.Calls));
    }

    /// <summary>Several answers to the same request, side by side; each is a value or its own failure.</summary>
    public Task<ItemResult<TOut>[]> SampleAsync<TOut>(FieldMap inputs, int count, CallOptions? options, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var scope = HoneScope.Current ?? throw NoModel();

        // Under a chosen id, ids of their own: else those of neighbouring ids would share some.
        var first = options?.SampleId ?? (ChosenSampleIn(scope) ?? 0) * count;
        var runners = new PredictorCallRunner[count];

        // Opened in order, so that ordinals and seeds do not depend on timing. Each sample has an id of its own: a cache keeps them apart.
        for (var i = 0; i < count; i++)
            runners[i] = PredictorCallRunner.Open(this, scope, inputs, (options ?? new()) with { SampleId = first + i }, isSampling: count > 1);
        return ParallelRunner.RunAsync(
            runners,
            async (runner, _, token) => (TOut)runner.ValueOf(await runner.RunAsync(token).ConfigureAwait(false))!,
            new() { MaxParallelism = count, MaxErrors = count, Time = scope.Time },
            cancellationToken);
    }

    /// <summary>What the running program knows of this predictor; outside of a program it is as declared.</summary>
    /// <exception cref="HoneException">The program does not contain it.</exception>
    public PredictorBinding BindingIn(HoneScope scope) => scope.Bindings is null ? standalone
        : scope.Bindings.TryGetValue(this, out var binding) ? binding
        : throw new HoneException(
            $"A predictor with signature '{Signature.Shape}' was called that the running program does not contain. "
            + "Keep predictors in fields of the module (or in lists and dictionaries there) and create them in its constructor.");

    // As a call without options of its own would have it.
    private long? ChosenSampleIn(HoneScope scope)
    {
        var binding = BindingIn(scope);
        return binding.State.Options?.SampleId ?? scope.Options?.SampleId ?? ModelIn(scope, binding).Options.SampleId;
    }

    public LM ModelIn(HoneScope scope, PredictorBinding binding)
    {
        if (binding.State.Model is not { } name)
            return scope.Model ?? throw NoModel();
        return scope.Models?.GetValueOrDefault(name) ?? throw new HoneException(
            $"Predictor '{binding.Path}' asks for the model '{name}', which the program does not have. Add it with Program.WithNamedModel.");
    }

    private LMNotConfiguredException NoModel() => new(
        $"A predictor ({Signature.Shape}) was called without a language model. Run it through a program (module.WithModel(lm).CallAsync(…)) "
        + "or open a scope first: using var _ = HoneScope.Use(chatClient);");
}
