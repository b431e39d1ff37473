using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>One call of one predictor: the first request and those that recover from an unreadable answer.</summary>
internal sealed class PredictorCallRunner
{
    // As the reference draws several completions when nobody chose a temperature.
    private const float SamplingTemperature = 0.7f;

    private readonly HoneScope scope;
    private readonly LM model;
    private readonly CallOptions options;
    private readonly long? seed;
    private readonly AdapterRequest request;
    private readonly string path;
    private readonly int ordinal;
    private int nextPlace;
    private int attempt;
    private AdapterParseException? firstFailure;

    private PredictorCallRunner(HoneScope scope, LM model, CallOptions options, AdapterRequest request, string path)
    {
        (this.scope, this.model, this.options, this.request, this.path) = (scope, model, options, request, path);
        (nextPlace, ordinal) = scope.Recorder?.Begin(path) ?? (0, 0);
        seed = scope.Seed is { } runSeed ? SeedFor(runSeed) : null;
    }

    /// <summary>The requests made so far.</summary>
    public List<PredictorCall> Calls { get; } = new(1);

    /// <summary>Takes the call's place in the trace. Calls opened one after another have ordinals and seeds in that order.</summary>
    public static PredictorCallRunner Open(Predictor predictor, HoneScope scope, FieldMap inputs, CallOptions? own, bool isSampling)
    {
        var binding = predictor.BindingIn(scope);
        var model = predictor.ModelIn(scope, binding);
        var options = model.Options.Overlay(scope.Options).Overlay(binding.State.Options).Overlay(own);

        // Several samples at a temperature that nobody chose would all be alike; a chosen one is respected, 0 included.
        if (isSampling && options.Temperature is null && model.Capabilities.Temperature)
            options = options with { Temperature = SamplingTemperature };
        var complete = PredictorInputs.Complete(binding.Path, binding.Signature, inputs, scope.Logger);
        return new(scope, model, options, new(binding.Signature, complete, binding.State.Demos), binding.Path);
    }

    public async Task<FieldMap> RunAsync(CancellationToken cancellationToken)
    {
        var adapter = scope.Adapter;
        var (outputs, failure) = await AskAsync(adapter, request, model, cancellationToken).ConfigureAwait(false);
        if (failure is null)
            return outputs!;
        if (failure.IsRetryable && scope.Recovery.NextAdapter is { } next && next.Name != adapter.Name)
        {
            RecoveryLog.NextAdapter(scope, path, next.Name, failure);
            (outputs, failure) = await AskAsync(next, request, model, cancellationToken).ConfigureAwait(false);
        }

        return failure is null ? outputs! : throw (attempt == 1 ? failure : AfterRecovery(failure));
    }

    // One format: the request, then re-asks that state the error.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<(FieldMap? Outputs, AdapterParseException? Failure)> AskAsync(
        Adapter adapter, AdapterRequest asked, LM asker, CancellationToken cancellationToken)
    {
        var plan = scope.Observers.IsEmpty
            ? AdapterPlan.Create(adapter, asked, asker.Capabilities, options)
            : Observation.Run(CallKind.Render, adapter.Name, asked.Inputs, () => AdapterPlan.Create(adapter, asked, asker.Capabilities, options));
        var messages = plan.Messages;
        for (var reAsks = 0; ; reAsks++)
        {
            var answer = await AttemptAsync(plan, messages, asker, cancellationToken).ConfigureAwait(false);
            if (answer.FollowUp is { } followUp)
                return await FollowAsync(plan, answer.Response, followUp, asker, cancellationToken).ConfigureAwait(false);
            if (answer.Failure is not { IsRetryable: true } failure || reAsks >= scope.Recovery.ReAsks)
                return (answer.Outputs, answer.Failure);
            RecoveryLog.ReAsk(scope, path, adapter.Name, failure);
            messages = plan.Correct(messages, answer.Text, failure);
        }
    }

    // The second call reads the text; what the provider filled in the first answer is kept.
    private async Task<(FieldMap? Outputs, AdapterParseException? Failure)> FollowAsync(
        AdapterPlan plan, ChatResponse response, AdapterFollowUp followUp, LM asker, CancellationToken cancellationToken)
    {
        var (outputs, failure) = await AskAsync(followUp.Adapter, followUp.Request, followUp.Model ?? asker, cancellationToken).ConfigureAwait(false);
        if (failure is not null && !plan.IsComplete(response))
            return (null, failure);
        return (plan.Complete(response, outputs ?? failure!.Parsed), null);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Answer> AttemptAsync(AdapterPlan plan, IReadOnlyList<ChatMessage> messages, LM asker, CancellationToken cancellationToken)
    {
        var place = attempt == 0 ? nextPlace : scope.Recorder?.BeginAttempt() ?? 0;
        var number = attempt++;
        var chatOptions = options.ToChatOptions(seed);
        (chatOptions.Path, chatOptions.Ordinal, chatOptions.Role) = (path, ordinal, asker.Role);
        plan.Configure(chatOptions);
        var stream = scope.Events is { } events ? new StreamedCall(events, path, ordinal, plan.Adapter.ReadStream(plan.Rendered)) : null;
        var started = scope.Time.GetTimestamp();
        var response = await ModelCall.SendAsync(scope, asker, messages, chatOptions, stream, cancellationToken).ConfigureAwait(false);
        var duration = scope.Time.GetElapsedTime(started);
        var text = ModelCall.AssistantText(response);
        var followUp = plan.Adapter.FollowUpFor(plan.Rendered, text);
        var (answer, failure) = followUp is null ? Read(plan, response, text) : default;
        firstFailure ??= failure;
        var answering = ModelCall.Answering(response, asker);

        // A failed parse is recorded here, at the call site: no exception handler of the program can hide it from a learner.
        var call = new PredictorCall
        {
            Path = path,
            Ordinal = ordinal,
            Attempt = number,
            Signature = request.Signature,
            Inputs = request.Inputs,
            Messages = messages,
            Model = answering.Name,
            Role = asker.Role,
            Adapter = plan.Adapter.Name,
            Text = text,
            Outputs = answer.Outputs,
            Failure = failure,
            IsRepaired = answer.IsRepaired,
            FinishReason = response.FinishReason,
            IsCacheHit = ModelCall.IsCacheHit(response),
            Usage = ModelCall.UsageOf(response, answering),
            Duration = duration,
            Tokens = ModelCall.TokensOf(response),
            RawResponse = options.LogProbs == true ? response.RawRepresentation : null,
        };
        Calls.Add(call);
        scope.Recorder?.Record(place, call);
        if (stream is not null)
            await TellAsync(stream, call, cancellationToken).ConfigureAwait(false);
        return new(text, response, call.Outputs, failure, followUp);
    }

    private (ParsedAnswer Answer, AdapterParseException? Failure) Read(AdapterPlan plan, ChatResponse response, string text)
    {
        try
        {
            var answer = scope.Observers.IsEmpty
                ? plan.Read(response, text)
                : Observation.Run(CallKind.Parse, plan.Adapter.Name, text, () => plan.Read(response, text));
            return (answer, null);
        }
        catch (AdapterParseException failure)
        {
            HoneDiagnostics.CountParseFailure(plan.Adapter.Name, failure.Kind.ToString());
            return (default, failure);
        }
    }

    private async ValueTask TellAsync(StreamedCall stream, PredictorCall call, CancellationToken cancellationToken)
    {
        if (call.Failure is not null)
            await stream.TakeBackAsync(cancellationToken).ConfigureAwait(false);
        else if (call.Outputs is not null)
            await stream.SettleAsync(call.Signature, call.Outputs, cancellationToken).ConfigureAwait(false);
        await scope.Events!.WriteAsync(new CallCompleted(call), cancellationToken).ConfigureAwait(false);
    }

    private AdapterParseException AfterRecovery(AdapterParseException last) => new(
        last.Adapter,
        last.Signature,
        last.Completion,
        last.Kind,
        last.Parsed,
        $"{last.Reason} ({attempt} requests were made; the first answer failed with: {firstFailure!.Message})",
        firstFailure);

    private long SeedFor(long runSeed)
    {
        var sample = options.SampleId is { } id ? new SeedStream(runSeed).Derive("sample", id) : new SeedStream(runSeed);
        return sample.Derive(path, ordinal).Seed;
    }

    private readonly record struct Answer(string Text, ChatResponse Response, FieldMap? Outputs, AdapterParseException? Failure, AdapterFollowUp? FollowUp);
}
