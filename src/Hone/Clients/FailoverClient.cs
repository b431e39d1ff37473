using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>
/// Calls the next model when one cannot answer. A request that a provider refuses as malformed goes no further, since the next would refuse it too;
/// one that is too long for a model's context does. When all fail, the first model's error is thrown.
/// </summary>
internal sealed class FailoverClient(IChatClient first, ClientIdentity identity, ImmutableArray<LM> next, ILogger logger) : DelegatingChatClient(first)
{
    /// <inheritdoc/>
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var prompt = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        LMException failure;
        try
        {
            return await InnerClient.GetResponseAsync(prompt, options, cancellationToken).ConfigureAwait(false);
        }
        catch (LMException error) when (IsForAnother(error))
        {
            failure = error;
        }

        var (name, last) = (identity.Name, failure);
        foreach (var model in next)
        {
            Announce(name, last, model, options);
            try
            {
                var response = await model.Pipeline.GetResponseAsync(prompt, OptionsFor(options, model), cancellationToken).ConfigureAwait(false);
                (response.AdditionalProperties ??= [])[ResponseKeys.Failover] = model.Name;
                return response;
            }
            catch (LMException error)
            {
                (name, last) = (model.Name, error);
            }
        }

        throw failure;
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var prompt = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        LMException? failure = null;
        var (name, last) = (identity.Name, failure);
        for (var index = -1; index < next.Length; index++)
        {
            if (index >= 0)
                Announce(name, last!, next[index], options);
            var client = index < 0 ? InnerClient : next[index].Pipeline;
            var updates = client.GetStreamingResponseAsync(prompt, index < 0 ? options : OptionsFor(options, next[index]), cancellationToken)
                .GetAsyncEnumerator(cancellationToken);
            await using (updates.ConfigureAwait(false))
            {
                var (error, any) = await TryMoveAsync(updates).ConfigureAwait(false);
                if (error is null)
                {
                    while (any)
                    {
                        yield return updates.Current;
                        any = await updates.MoveNextAsync().ConfigureAwait(false);
                    }

                    if (index >= 0)
                        yield return new() { AdditionalProperties = new() { [ResponseKeys.Failover] = next[index].Name } };
                    yield break;
                }

                failure ??= error;
                (name, last) = (index < 0 ? identity.Name : next[index].Name, error);
                if (index < 0 && !IsForAnother(error))
                    break;
            }
        }

        throw failure!;
    }

    private static async ValueTask<(LMException? Error, bool Any)> TryMoveAsync(IAsyncEnumerator<ChatResponseUpdate> updates)
    {
        try
        {
            return (null, await updates.MoveNextAsync().ConfigureAwait(false));
        }
        catch (LMException error)
        {
            return (error, false);
        }
    }

    private static bool IsForAnother(LMException error) =>
        error.IsRetryable || error is ContextWindowExceededException || error is LMProviderException and not LMInvalidRequestException;

    // The model id and the provider's own options are the first model's.
    private static HoneChatOptions OptionsFor(ChatOptions? options, LM model)
    {
        var copy = HoneChatOptions.CopyOf(options);
        copy.ModelId = null;
        copy.RawRepresentationFactory = model.Options.RawOptions;
        copy.Reservation = null;
        return copy;
    }

    private void Announce(string failed, LMException error, LM following, ChatOptions? options)
    {
        HoneDiagnostics.Failovers.Add(1, new KeyValuePair<string, object?>(HoneDiagnostics.ErrorType, error.Code));
        HoneLog.FailingOver(logger, failed, ClientIdentity.PathOf(options), error.Code, following.Name, error.Message);
    }
}
