using System.Collections.Immutable;
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
    private readonly AdapterRequest declared;
    private readonly string path;
    private readonly int ordinal;
    private int nextPlace;
    private int attempt;
    private AdapterParseException? firstFailure;
    private PredictorCall? firstCall;
    private List<PredictorCall>? laterCalls;
    private readonly Func<FieldMap, object?>? build;
    private (FieldMap? Of, object? Value) built;
    private bool isFollowing;
    private bool isNextFollowUp;

    private PredictorCallRunner(
        HoneScope scope, LM model, CallOptions options, AdapterRequest declared, string? hint, string path, Func<FieldMap, object?>? build)
    {
        this.build = build;
        (this.scope, this.model, this.options, this.declared, this.path) = (scope, model, options, declared, path);
        request = hint is null ? declared : PredictorHint.Added(declared, hint);
        (nextPlace, ordinal) = scope.Recorder?.Begin(path) ?? (0, 0);
        seed = scope.Seed is { } runSeed ? SeedFor(runSeed) : null;
    }

    /// <summary>The requests made so far.</summary>
    public ImmutableArray<PredictorCall> Calls => firstCall is null ? [] : [firstCall, .. laterCalls ?? []];

    /// <summary>Takes the call's place in the trace. Calls opened one after another have ordinals and seeds in that order.</summary>
    public static PredictorCallRunner Open(
        Predictor predictor, HoneScope scope, FieldMap inputs, CallOptions? own, bool isSampling, ToolUse? toolUse = null)
    {
        var binding = predictor.BindingIn(scope);
        var model = predictor.ModelIn(scope, binding);
        var options = model.Options.Overlay(scope.Options).Overlay(binding.State.Options).Overlay(own);

        // Several samples at a temperature that nobody chose would all be alike; a chosen one is respected, 0 included. A model that thinks samples at 1.
        if (isSampling && options.Temperature is null && model.Capabilities.Temperature
            && !NativeFeatures.MakesThink(scope.Adapter, binding.Signature, model.Capabilities, options))
            options = options with { Temperature = SamplingTemperature };

        // An attempt's samples run on from the id that was chosen, wherever it was.
        if (scope.Samples is { } samples)
            options = options with { SampleId = samples.Of(options.SampleId) };
        var complete = PredictorInputs.Complete(binding.Path, binding.Signature, inputs, scope.Logger);
        var request = new AdapterRequest(binding.Signature, complete, binding.State.Demos) { ToolUse = toolUse };
        return new(scope, model, options, request, PredictorHint.Of(scope, predictor, toolUse), binding.Path, predictor.Build);
    }

    /// <summary>The .NET value of the outputs, which was made of them as they were read.</summary>
    /// <exception cref="ValueCoercionException">The type refuses the outputs that a second call completed.</exception>
    public object? ValueOf(FieldMap outputs) => build is null ? outputs : ReferenceEquals(built.Of, outputs) ? built.Value : build(outputs);

    public async Task<FieldMap> RunAsync(CancellationToken cancellationToken)
    {
        // The first request is awaited here and not by AttemptAsync: most calls need no more, and each asynchronous layer shows. What comes after it
        // is a method of its own, so that the wait holds nothing of it.
        var plan = PlanFor(scope.Adapter, request, model);
        var sent = Send(plan, plan.Messages, model, cancellationToken);
        var answer = Receive(plan, sent, await sent.Response.ConfigureAwait(false));
        return answer.IsSettled && sent.Stream is null
            ? answer.Outputs!
            : await FinishAsync(plan, answer, sent.Stream, cancellationToken).ConfigureAwait(false);
    }

    private async Task<FieldMap> FinishAsync(AdapterPlan plan, Answer answer, StreamedCall? stream, CancellationToken cancellationToken)
    {
        if (stream is not null)
            await TellAsync(stream, answer.Call, cancellationToken).ConfigureAwait(false);
        if (answer.IsSettled)
            return answer.Outputs!;

        var (outputs, failure) = await SettleAsync(plan, answer, model, cancellationToken).ConfigureAwait(false);
        if (failure is null)
            return outputs!;
        if (failure.IsRetryable && scope.Recovery.NextAdapter is { } next && next.Name != scope.Adapter.Name)
        {
            RecoveryLog.NextAdapter(scope, path, next.Name, failure);
            (outputs, failure) = await AskAsync(next, request, model, cancellationToken).ConfigureAwait(false);
        }

        return failure is null ? outputs! : throw Final(failure);
    }

    private AdapterPlan PlanFor(Adapter adapter, AdapterRequest asked, LM asker) => scope.Observers.IsEmpty
        ? AdapterPlan.Create(adapter, asked, asker.Capabilities, options)
        : ObservedPlan(adapter, asked, asker);

    private AdapterPlan ObservedPlan(Adapter adapter, AdapterRequest asked, LM asker) => Observation.Run(
        CallKind.Render, adapter.Name, asked.Inputs, () => AdapterPlan.Create(adapter, asked, asker.Capabilities, options));

    // One format: the request, then re-asks that state the error.
    private async Task<(FieldMap? Outputs, AdapterParseException? Failure)> AskAsync(
        Adapter adapter, AdapterRequest asked, LM asker, CancellationToken cancellationToken)
    {
        var plan = PlanFor(adapter, asked, asker);
        var answer = await AttemptAsync(plan, plan.Messages, asker, cancellationToken).ConfigureAwait(false);
        return await SettleAsync(plan, answer, asker, cancellationToken).ConfigureAwait(false);
    }

    private async Task<(FieldMap? Outputs, AdapterParseException? Failure)> SettleAsync(
        AdapterPlan plan, Answer answer, LM asker, CancellationToken cancellationToken)
    {
        for (var reAsks = 0; ; reAsks++)
        {
            if (answer.FollowUp is { } followUp)
                return await FollowAsync(plan, answer.Response, followUp, asker, cancellationToken).ConfigureAwait(false);
            if (answer.Failure is not { IsRetryable: true } failure || reAsks >= scope.Recovery.ReAsks)
                return (answer.Outputs, answer.Failure);
            RecoveryLog.ReAsk(scope, path, plan.Adapter.Name, failure);
            var messages = plan.Correct(answer.Call.Messages, answer.Call.Text, failure);
            answer = await AttemptAsync(plan, messages, asker, cancellationToken).ConfigureAwait(false);
        }
    }

    // The second call reads the text; what the provider filled in the first answer is kept.
    private async Task<(FieldMap? Outputs, AdapterParseException? Failure)> FollowAsync(
        AdapterPlan plan, ChatResponse response, AdapterFollowUp followUp, LM asker, CancellationToken cancellationToken)
    {
        // What the second call reads may be only a part of the outputs.
        (isFollowing, isNextFollowUp) = (true, true);
        var (outputs, failure) = await AskAsync(followUp.Adapter, followUp.Request, followUp.Model ?? asker, cancellationToken).ConfigureAwait(false);
        isFollowing = false;
        if (failure is not null && !plan.IsComplete(response))
            return (null, failure);
        return (plan.Complete(response, outputs ?? failure!.Parsed), null);
    }

    private async Task<Answer> AttemptAsync(AdapterPlan plan, IReadOnlyList<ChatMessage> messages, LM asker, CancellationToken cancellationToken)
    {
        var sent = Send(plan, messages, asker, cancellationToken);
        var answer = Receive(plan, sent, await sent.Response.ConfigureAwait(false));
        if (sent.Stream is not null)
            await TellAsync(sent.Stream, answer.Call, cancellationToken).ConfigureAwait(false);
        return answer;
    }

    private Sent Send(AdapterPlan plan, IReadOnlyList<ChatMessage> messages, LM asker, CancellationToken cancellationToken)
    {
        var place = attempt == 0 ? nextPlace : scope.Recorder?.BeginAttempt() ?? 0;
        var number = attempt++;
        var chatOptions = options.ToChatOptions(seed);
        (chatOptions.Path, chatOptions.Ordinal, chatOptions.Role) = (path, ordinal, asker.Role);
        plan.Configure(chatOptions);
        var stream = scope.Events is { } events ? new StreamedCall(events, path, ordinal, plan.Adapter.ReadStream(plan.Rendered)) : null;
        var started = scope.Time.GetTimestamp();
        var response = ModelCall.SendAsync(scope, asker, messages, chatOptions, stream, cancellationToken);
        var isFollowUp = isNextFollowUp;
        isNextFollowUp = false;
        return new(response, messages, asker, stream, started, place, number, isFollowUp);
    }

    private Answer Receive(AdapterPlan plan, in Sent sent, ChatResponse response)
    {
        var duration = scope.Time.GetElapsedTime(sent.Started);
        var text = ModelCall.AssistantText(response);
        var followUp = plan.Adapter.FollowUpFor(plan.Rendered, text);
        // What a cut answer does not say any more would be made up by whoever reads it.
        if (followUp is not null && AdapterPlan.EndedEarly(response))
            followUp = null;
        var (answer, failure) = followUp is null ? Read(plan, response, text) : default;
        firstFailure ??= failure;
        var answering = ResponseFacts.Answering(response, sent.Asker);

        // A failed parse is recorded here, at the call site: no exception handler of the program can hide it from a learner.
        var call = new PredictorCall
        {
            Path = path,
            Ordinal = ordinal,
            Attempt = sent.Number,
            IsFollowUp = sent.IsFollowUp,
            Signature = declared.Signature,
            Inputs = declared.Inputs,
            Messages = sent.Messages,
            Model = answering.Name,
            Role = sent.Asker.Role,
            Adapter = plan.Adapter.Name,
            Text = text,
            Outputs = answer.Outputs,
            Failure = failure,
            IsRepaired = answer.IsRepaired,
            FinishReason = response.FinishReason,
            IsCacheHit = ResponseFacts.IsCacheHit(response),
            Usage = ResponseFacts.UsageOf(response, answering),
            Duration = duration,
            Tokens = ModelCall.TokensOf(response),
            RawResponse = options.LogProbs == true ? response.RawRepresentation : null,
        };
        if (firstCall is null)
            firstCall = call;
        else
            (laterCalls ??= []).Add(call);
        scope.Recorder?.Record(sent.Place, call);
        return new(call, response, followUp);
    }

    private (ParsedAnswer Answer, AdapterParseException? Failure) Read(AdapterPlan plan, ChatResponse response, string text)
    {
        try
        {
            var answer = scope.Observers.IsEmpty ? plan.Read(response, text) : ObservedRead(plan, response, text);
            if (build is not null && !isFollowing)
                built = (answer.Outputs, BuildOrRefuse(plan, answer.Outputs!, text));
            return (answer, null);
        }
        catch (AdapterParseException failure)
        {
            HoneDiagnostics.CountParseFailure(plan.Adapter.Name, failure.Kind.ToString());
            return (default, failure);
        }
    }

    // A record may refuse values that fit their fields' types: such an answer cannot be read, and is asked for again.
    private object? BuildOrRefuse(AdapterPlan plan, FieldMap outputs, string text)
    {
        try
        {
            return build!(outputs);
        }
        catch (ValueCoercionException refusal)
        {
            throw new AdapterParseException(
                plan.Adapter.Name,
                declared.Signature,
                text,
                ParseFailureKind.Constraint,
                outputs,
                $"at {refusal.Path}: {refusal.Reason.TrimEnd('.')}.",
                refusal)
            {
                Field = FieldOf(refusal.Path),
            };
        }
    }

    private static ParsedAnswer ObservedRead(AdapterPlan plan, ChatResponse response, string text) =>
        Observation.Run(CallKind.Parse, plan.Adapter.Name, text, () => plan.Read(response, text));

    private async ValueTask TellAsync(StreamedCall stream, PredictorCall call, CancellationToken cancellationToken)
    {
        if (call.Failure is not null)
            await stream.TakeBackAsync(cancellationToken).ConfigureAwait(false);
        else if (call.Outputs is not null)
            await stream.SettleAsync(call.Signature, call.Outputs, cancellationToken).ConfigureAwait(false);
        await scope.Events!.WriteAsync(new CallCompleted(call), cancellationToken).ConfigureAwait(false);
    }

    // `$.people[2].age` lies in the output `people`; `$` alone is the record as a whole.
    private static string? FieldOf(string path)
    {
        if (!path.StartsWith("$.", StringComparison.Ordinal))
            return null;
        var end = path.AsSpan(2).IndexOfAny('.', '[');
        return end < 0 ? path[2..] : path[2..(2 + end)];
    }

    private AdapterParseException Final(AdapterParseException last)
    {
        var usage = default(Usage);
        foreach (var call in Calls)
            usage += call.Usage;
        return (ReferenceEquals(last, firstFailure) ? last : AfterRecovery(last)).After(attempt, usage);
    }

    private AdapterParseException AfterRecovery(AdapterParseException last) => new(
        last.Adapter,
        last.Signature,
        last.Completion,
        last.Kind,
        last.Parsed,
        $"{last.Reason} ({attempt} requests were made; the first answer failed with: {firstFailure!.Message})",
        firstFailure)
    {
        FoundFields = last.FoundFields,
        Field = last.Field,
    };

    private long SeedFor(long runSeed)
    {
        var sample = options.SampleId is { } id ? new SeedStream(runSeed).Derive("sample", id) : new SeedStream(runSeed);
        return sample.Derive(path, ordinal).Seed;
    }

    /// <summary>A request on its way.</summary>
    private readonly record struct Sent(
        Task<ChatResponse> Response, IReadOnlyList<ChatMessage> Messages, LM Asker, StreamedCall? Stream, long Started, int Place, int Number, bool IsFollowUp);

    private readonly record struct Answer(PredictorCall Call, ChatResponse Response, AdapterFollowUp? FollowUp)
    {
        public FieldMap? Outputs => Call.Outputs;

        public AdapterParseException? Failure => Call.Failure;

        /// <summary>True when nothing is left to do: the outputs are whole.</summary>
        public bool IsSettled => FollowUp is null && Failure is null;
    }
}
