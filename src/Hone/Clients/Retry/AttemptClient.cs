using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>
/// The innermost part of a pipeline: checks the options against the model's rules, waits for the rate limiter, calls the client, puts its errors
/// into Hone's terms and tries again. One part, so that a call without retry or limiter passes a single layer.
/// </summary>
internal sealed class AttemptClient(IChatClient inner, AttemptSettings settings) : DelegatingChatClient(inner)
{
    private long calls;

    /// <inheritdoc/>
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        settings.Capabilities?.Check(options, settings.Identity.Name);
        var observation = CallObservation.Start(settings, options);
        var prompt = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        settings.Media.Warn(settings, prompt, options);
        options = settings.Checks.Prepare(settings, options, InnerClient);
        var call = settings.Retry is null ? 0 : Interlocked.Increment(ref calls);
        for (var attempt = 1; ; attempt++)
        {
            TimeSpan delay;
            try
            {
                var response = await CallAsync(prompt, options, cancellationToken).ConfigureAwait(false);
                if (attempt > 1)
                    (response.AdditionalProperties ??= [])[ResponseKeys.Retries] = attempt - 1;
                observation.Retries = attempt - 1;
                observation.Succeeded(response.FinishReason, response.Usage, response.ModelId, response.ResponseId);
                return response;
            }
            catch (OperationCanceledException error) when (cancellationToken.IsCancellationRequested)
            {
                observation.Failed(error);
                throw;
            }
            catch (Exception error)
            {
                observation.Retries = attempt - 1;
                delay = DelayOrThrow(error, attempt, call, options, observation);
            }

            await PauseAsync(delay, observation, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        settings.Capabilities?.Check(options, settings.Identity.Name);
        var observation = CallObservation.Start(settings, options);
        var prompt = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        settings.Media.Warn(settings, prompt, options);
        options = settings.Checks.Prepare(settings, options, InnerClient);
        var call = settings.Retry is null ? 0 : Interlocked.Increment(ref calls);
        OpenStream? stream = null;
        for (var attempt = 1; stream is null; attempt++)
        {
            var delay = TimeSpan.Zero;
            try
            {
                stream = await OpenAsync(prompt, options, cancellationToken).ConfigureAwait(false);
                observation.Retries = attempt - 1;
            }
            catch (OperationCanceledException error) when (cancellationToken.IsCancellationRequested)
            {
                observation.Failed(error);
                throw;
            }
            catch (Exception error)
            {
                observation.Retries = attempt - 1;
                delay = DelayOrThrow(error, attempt, call, options, observation);
            }

            if (stream is null)
                await PauseAsync(delay, observation, cancellationToken).ConfigureAwait(false);
        }

        await using (stream.ConfigureAwait(false))
        {
            try
            {
                while (stream.Current is { } update)
                {
                    stream.Note(update);
                    yield return update;
                    await MoveAsync(stream, observation, cancellationToken).ConfigureAwait(false);
                }

                stream.HasEnded = true;
                observation.Succeeded(stream.FinishReason, stream.Usage, stream.ModelId, stream.ResponseId);
            }
            finally
            {
                if (!stream.HasEnded)
                    observation.Failed(new OperationCanceledException()); // the consumer stopped reading
            }

            if (observation.Retries > 0)
                yield return new() { ResponseId = stream.ResponseId, AdditionalProperties = new() { [ResponseKeys.Retries] = observation.Retries } };
        }
    }

    private Task<ChatResponse> CallAsync(IReadOnlyList<ChatMessage> prompt, ChatOptions? options, CancellationToken cancellationToken) =>
        settings.RateLimiter is null
            ? InnerClient.GetResponseAsync(prompt, options, cancellationToken)
            : CallLimitedAsync(settings.RateLimiter, prompt, options, cancellationToken);

    private async Task<ChatResponse> CallLimitedAsync(
        RateLimiter limiter, IReadOnlyList<ChatMessage> prompt, ChatOptions? options, CancellationToken cancellationToken)
    {
        using var lease = await AcquireAsync(limiter, prompt, options, cancellationToken).ConfigureAwait(false);
        var response = await InnerClient.GetResponseAsync(prompt, options, cancellationToken).ConfigureAwait(false);
        Settle(lease, response.Usage);
        return response;
    }

    private async ValueTask<RateLease> AcquireAsync(
        RateLimiter limiter, IReadOnlyList<ChatMessage> prompt, ChatOptions? options, CancellationToken cancellationToken)
    {
        var started = settings.Time.GetTimestamp();
        var lease = await limiter.AcquireAsync(settings.EstimateTokens(prompt, options), cancellationToken).ConfigureAwait(false);
        if (HoneDiagnostics.RateLimitWait.Enabled)
            HoneDiagnostics.RateLimitWait.Record(settings.Time.GetElapsedTime(started).TotalSeconds);
        return lease;
    }

    private async Task<OpenStream> OpenAsync(IReadOnlyList<ChatMessage> prompt, ChatOptions? options, CancellationToken cancellationToken)
    {
        var lease = settings.RateLimiter is { } limiter ? await AcquireAsync(limiter, prompt, options, cancellationToken).ConfigureAwait(false) : null;
        var stream = new OpenStream(Updates(prompt, options, cancellationToken).GetAsyncEnumerator(cancellationToken), lease);
        try
        {
            await stream.MoveAsync().ConfigureAwait(false);
            return stream.Current is null && settings.Capabilities is not { Streaming: false } ? throw NothingStreamed() : stream;
        }
        catch (Exception)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    // An answer in events has one at least, which says why it ends. Plain JSON has none, and OpenAI's client passes over it without a word.
    private LMServerException NothingStreamed() => new(
        "The stream ended before anything came. Either the connection was cut, or the server answers a request for a stream with something else, e.g. one plain JSON object: "
        + "then ask it for whole answers (lm with { Capabilities = lm.Capabilities with { Streaming = false } }), or have the server stream.")
    {
        Model = settings.Identity.Name,
        Provider = settings.Identity.Provider,
    };

    private IAsyncEnumerable<ChatResponseUpdate> Updates(IReadOnlyList<ChatMessage> prompt, ChatOptions? options, CancellationToken cancellationToken) =>
        settings.Capabilities is { Streaming: false }
            ? WholeAsync(prompt, options, cancellationToken)
            : InnerClient.GetStreamingResponseAsync(prompt, options, cancellationToken);

    // A model that cannot stream is asked for the whole answer, which is told at once.
    private async IAsyncEnumerable<ChatResponseUpdate> WholeAsync(
        IReadOnlyList<ChatMessage> prompt, ChatOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var response = await InnerClient.GetResponseAsync(prompt, options, cancellationToken).ConfigureAwait(false);
        foreach (var update in response.ToChatResponseUpdates())
            yield return update;
    }

    private async ValueTask MoveAsync(OpenStream stream, CallObservation observation, CancellationToken cancellationToken)
    {
        try
        {
            await stream.MoveAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException error) when (cancellationToken.IsCancellationRequested)
        {
            stream.HasEnded = true;
            observation.Failed(error);
            throw;
        }
        catch (Exception error)
        {
            var mapped = Map(error);
            stream.HasEnded = true;
            observation.Failed(mapped);
            if (ReferenceEquals(mapped, error))
                throw;
            throw mapped;
        }
    }

    private HoneException Map(Exception error) => ErrorMapper.Map(error, settings.Identity.Name, settings.Identity.Provider, settings.Time);

    // How long to wait for the next attempt, or the error in Hone's terms when there is to be none.
    private TimeSpan DelayOrThrow(Exception error, int attempt, long call, ChatOptions? options, CallObservation observation)
    {
        var mapped = Map(error);
        if (mapped is LMRateLimitException { RetryAfter: { } pause } && settings.RateLimiter?.TryPause(pause) == true)
            HoneLog.Pausing(settings.Logger, settings.Identity.Name, pause);

        if (settings.Retry?.DelayAfter(mapped, attempt, call) is not { } delay)
        {
            observation.Failed(mapped);
            if (ReferenceEquals(mapped, error))
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error);
            throw mapped;
        }

        try
        {
            (options as HoneChatOptions)?.Reservation?.AddCall(mapped);
        }
        catch (BudgetExceededException exceeded)
        {
            observation.Failed(exceeded);
            throw;
        }

        var code = (mapped as LMException)?.Code ?? mapped.GetType().Name;
        HoneDiagnostics.Retries.Add(1, new KeyValuePair<string, object?>(HoneDiagnostics.ErrorType, code));
        HoneLog.Retrying(
            settings.Logger, attempt, settings.Retry.MaxAttempts, settings.Identity.Name, ClientIdentity.PathOf(options), code, delay, mapped.Message);
        return delay;
    }

    private async Task PauseAsync(TimeSpan delay, CallObservation observation, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(delay, settings.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException error)
        {
            observation.Failed(error);
            throw;
        }
    }

    private static void Settle(RateLease? lease, UsageDetails? usage)
    {
        if (usage is not null)
            lease?.Settle(usage.TotalTokenCount ?? ((usage.InputTokenCount ?? 0) + (usage.OutputTokenCount ?? 0)));
    }

    /// <summary>A stream that has been opened, at its next update.</summary>
    private sealed class OpenStream(IAsyncEnumerator<ChatResponseUpdate> updates, RateLease? lease) : IAsyncDisposable
    {
        public ChatResponseUpdate? Current { get; private set; }

        public bool HasEnded { get; set; }

        public UsageDetails? Usage { get; private set; }

        public ChatFinishReason? FinishReason { get; private set; }

        public string? ModelId { get; private set; }

        public string? ResponseId { get; private set; }

        public async ValueTask MoveAsync() => Current = await updates.MoveNextAsync().ConfigureAwait(false) ? updates.Current : null;

        public void Note(ChatResponseUpdate update)
        {
            FinishReason = update.FinishReason ?? FinishReason;
            ModelId = update.ModelId ?? ModelId;
            ResponseId = update.ResponseId ?? ResponseId;
            foreach (var content in update.Contents)
            {
                if (content is UsageContent usage)
                    (Usage ??= new()).Add(usage.Details);
            }
        }

        public async ValueTask DisposeAsync()
        {
            Settle(lease, Usage);
            try
            {
                await updates.DisposeAsync().ConfigureAwait(false);
            }
            finally
            {
                lease?.Dispose();
            }
        }
    }
}
