using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>A module that is one predictor.</summary>
internal interface IPredictorModule
{
    Predictor Predictor { get; }
}

/// <summary>The runtime of every predictor: field map in, one model call, field map out. Its identity is its path in the program.</summary>
internal sealed class Predictor(Signature signature)
{
    /// <summary>The signature as declared, before any state is laid over it.</summary>
    public Signature Signature { get; } = signature;

    public async Task<FieldMap> CallAsync(FieldMap inputs, CancellationToken cancellationToken)
    {
        var scope = HoneScope.Current ?? throw NoScope();
        var path = PathIn(scope);
        var state = scope.State[path];
        var signature = state.Apply(Signature);
        var model = ModelFor(path, state, scope);
        var request = new AdapterRequest(signature, CompleteInputs(path, signature, inputs), state.Demos);
        var (place, ordinal) = scope.Recorder?.Begin(path) ?? (0, 0);
        var call = new PredictorCall
        {
            Path = path,
            Ordinal = ordinal,
            Signature = signature,
            Inputs = request.Inputs,
            Messages = scope.Adapter.Render(request),
            Model = model.Name,
        };

        var started = scope.Time.GetTimestamp();
        var options = model.Options.Overlay(scope.Options).Overlay(state.Options);
        var seed = scope.Seed is { } runSeed ? new SeedStream(runSeed).Derive(path, ordinal).Seed : (long?)null;
        var chatOptions = options.ToChatOptions(seed);
        (chatOptions.Path, chatOptions.Ordinal) = (path, ordinal);
        var response = await model.Pipeline.GetResponseAsync(call.Messages, chatOptions, cancellationToken).ConfigureAwait(false);
        call = Describe(call, response) with { Duration = scope.Time.GetElapsedTime(started) };

        // A failed parse is recorded here, at the call site: no exception handler of the program can hide it from a learner.
        try
        {
            call = call with { Outputs = scope.Adapter.Parse(signature, call.Text) };
            return call.Outputs;
        }
        catch (AdapterParseException failure)
        {
            call = call with { Failure = failure };
            throw;
        }
        finally
        {
            scope.Recorder?.Record(place, call);
        }
    }

    private static PredictorCall Describe(PredictorCall call, ChatResponse response) => call with
    {
        Text = response.Messages.LastOrDefault(message => message.Role == ChatRole.Assistant)?.Text ?? string.Empty,
        FinishReason = response.FinishReason,
        Usage = new(ResponseCache.IsHit(response) ? 0 : 1, response.Usage?.InputTokenCount ?? 0, response.Usage?.OutputTokenCount ?? 0),
        Tokens = response.AdditionalProperties?.GetValueOrDefault(SampledTokens.Key) as SampledTokens,
    };

    private string PathIn(HoneScope scope) => scope.Paths is null ? ModuleTree.Self
        : scope.Paths.TryGetValue(this, out var path) ? path
        : throw new HoneException(
            $"A predictor with signature '{Signature.Shape}' was called that the running program does not contain. "
            + "Keep predictors in fields of the module (or in lists and dictionaries there) and create them in its constructor.");

    private LM ModelFor(string path, PredictorState state, HoneScope scope)
    {
        if (state.Model is not { } name)
            return scope.Model ?? throw NoScope();
        return scope.Models?.GetValueOrDefault(name)
            ?? throw new HoneException($"Predictor '{path}' asks for the model '{name}', which the program does not have. Add it with Program.WithNamedModel.");
    }

    private static FieldMap CompleteInputs(string path, Signature signature, FieldMap inputs)
    {
        foreach (var name in inputs.Keys)
        {
            if (!signature.Inputs.Any(input => input.Name == name))
                throw new HoneException($"Predictor '{path}' got a value for '{name}', which is no input. Its signature is: {signature.Shape}.");
        }

        var complete = ImmutableArray.CreateBuilder<KeyValuePair<string, object?>>(signature.Inputs.Length);
        foreach (var input in signature.Inputs)
        {
            if (inputs.TryGetValue(input.Name, out var value))
                complete.Add(new(input.Name, ClrValues.ToCanonical(value)));
            else if (input.HasDefault)
                complete.Add(new(input.Name, input.Default));
            else if (!input.Type.AdmitsNull)
                throw new HoneException(
                    $"Predictor '{path}' got no value for input '{input.Name}'. Its signature is: {signature.Shape}. Pass it, or give the field a default.");
        }

        return FieldMap.Create(complete);
    }

    private HoneException NoScope() => new(
        $"A predictor ({Signature.Shape}) was called without a language model. Run it through a program (module.WithModel(lm).CallAsync(…)) "
        + "or open a scope first: using var _ = HoneScope.Use(chatClient);");
}
