using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>Answers from the cache where it can; makes equal requests that come together once.</summary>
internal sealed class CacheClient(IChatClient inner, ResponseCache cache, ClientIdentity identity, IChatClient raw, ILogger logger) : DelegatingChatClient(inner)
{
    private readonly CacheCore core = cache.Core;
    private readonly RequestKey keys = new(identity, raw);
    private readonly bool reads = cache.Mode is not (CacheMode.WriteOnly or CacheMode.Bypass);
    private readonly bool writes = cache.Mode is CacheMode.Default or CacheMode.WriteOnly;

    /// <inheritdoc/>
    public override Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<ChatResponse>(cancellationToken);
        var prompt = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        try
        {
            if (cache.Mode == CacheMode.Bypass || !TryKey(prompt, options, out var key))
                return InnerClient.GetResponseAsync(prompt, options, cancellationToken);
            if (!reads)
                return RefreshAsync(key, prompt, options, cancellationToken);
            return core.FindInMemory(key) is { } found ? Task.FromResult(found.ToHit()) : AskAsync(key, prompt, options, cancellationToken);
        }
        catch (CacheMissException miss)
        {
            return Task.FromException<ChatResponse>(miss);
        }
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var prompt = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        if (cache.Mode == CacheMode.Bypass || !TryKey(prompt, options, out var key))
        {
            await foreach (var update in InnerClient.GetStreamingResponseAsync(prompt, options, cancellationToken).ConfigureAwait(false))
                yield return update;
            yield break;
        }

        var found = reads ? await FindAsync(key, options, cancellationToken).ConfigureAwait(false) : null;
        var (flight, isFirst) = found is null && reads ? core.Flights.Join(key) : (new Flight(), found is null);
        try
        {
            if (found is null && isFirst)
            {
                found = reads ? core.FindInMemory(key) : null;
                if (found is null)
                {
                    var channel = Channel.CreateUnbounded<ChatResponseUpdate>(new() { SingleReader = true, SingleWriter = true });
                    _ = PumpAsync(flight, key, prompt, options, channel.Writer);
                    await foreach (var update in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                        yield return update;
                    yield break;
                }

                flight.Land(null, found);
            }

            found ??= await JoinedAsync(flight, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            core.Flights.Leave(key, flight);
        }

        var updates = found is null
            ? InnerClient.GetStreamingResponseAsync(prompt, options, cancellationToken)
            : Replay(found);
        await foreach (var update in updates.ConfigureAwait(false))
            yield return update;
    }

    private static async IAsyncEnumerable<ChatResponseUpdate> Replay(CachedResponse found)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        foreach (var update in found.ToHit().ToChatResponseUpdates())
            yield return update;
    }

    // A look-up in both layers; a miss is an error when the cache only replays.
    private async ValueTask<CachedResponse?> FindAsync(ResponseKey key, ChatOptions? options, CancellationToken cancellationToken)
    {
        var found = core.FindInMemory(key) ?? await core.FindInStoreAsync(key, notesUse: writes, logger, cancellationToken).ConfigureAwait(false);
        if (found is null && cache.Mode == CacheMode.Replay)
        {
            core.CountMiss();
            throw new CacheMissException(identity.Name, ClientIdentity.PathOf(options), key.ToString(), "no such entry");
        }

        return found;
    }

    private async Task<ChatResponse> AskAsync(ResponseKey key, IReadOnlyList<ChatMessage> prompt, ChatOptions? options, CancellationToken cancellationToken)
    {
        if (await FindAsync(key, options, cancellationToken).ConfigureAwait(false) is { } found)
            return found.ToHit();
        var (flight, isFirst) = core.Flights.Join(key);
        try
        {
            if (isFirst)
            {
                // It may have landed between the look-up and here.
                if (core.FindInMemory(key) is { } landed)
                {
                    flight.Land(null, landed);
                    return landed.ToHit();
                }

                _ = FlyAsync(flight, key, prompt, options);
                await flight.Landed.WaitAsync(cancellationToken).ConfigureAwait(false);
                return flight.Original!;
            }

            if (await JoinedAsync(flight, cancellationToken).ConfigureAwait(false) is { } shared)
                return shared.ToHit();
        }
        finally
        {
            core.Flights.Leave(key, flight);
        }

        return await InnerClient.GetResponseAsync(prompt, options, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<CachedResponse?> JoinedAsync(Flight flight, CancellationToken cancellationToken)
    {
        var shared = await flight.Landed.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (shared is null)
            core.CountMiss();
        else
            core.CountShared();
        return shared;
    }

    private async Task FlyAsync(Flight flight, ResponseKey key, IReadOnlyList<ChatMessage> prompt, ChatOptions? options)
    {
        try
        {
            var (response, shared) = await MakeAsync(key, prompt, options, flight.Stop).ConfigureAwait(false);
            core.Flights.Close(key, flight);
            flight.Land(response, shared);
        }
        catch (Exception error)
        {
            core.Flights.Close(key, flight);
            flight.Crash(error);
        }
    }

    // Runs beside its reader, so that others who wait for the answer do not depend on how fast, or whether, the first one reads.
    private async Task PumpAsync(
        Flight flight, ResponseKey key, IReadOnlyList<ChatMessage> prompt, ChatOptions? options, ChannelWriter<ChatResponseUpdate> writer)
    {
        try
        {
            core.CountMiss();
            var received = new List<ChatResponseUpdate>();
            await foreach (var update in InnerClient.GetStreamingResponseAsync(prompt, options, flight.Stop).ConfigureAwait(false))
            {
                received.Add(update);
                writer.TryWrite(update);
            }

            var shared = core.Capture(received.ToChatResponse());
            if (shared is not null && writes)
                await core.KeepAsync(key, shared, logger).ConfigureAwait(false);
            core.Flights.Close(key, flight);
            flight.Land(null, shared);
            writer.TryComplete();
        }
        catch (Exception error)
        {
            core.Flights.Close(key, flight);
            flight.Crash(error);
            writer.TryComplete(error);
        }
    }

    private async Task<ChatResponse> RefreshAsync(ResponseKey key, IReadOnlyList<ChatMessage> prompt, ChatOptions? options, CancellationToken cancellationToken) =>
        (await MakeAsync(key, prompt, options, cancellationToken).ConfigureAwait(false)).Response;

    private async Task<(ChatResponse Response, CachedResponse? Shared)> MakeAsync(
        ResponseKey key, IReadOnlyList<ChatMessage> prompt, ChatOptions? options, CancellationToken cancellationToken)
    {
        core.CountMiss();
        var response = await InnerClient.GetResponseAsync(prompt, options, cancellationToken).ConfigureAwait(false);
        var shared = core.Capture(response);
        if (shared is not null && writes)
            await core.KeepAsync(key, shared, logger).ConfigureAwait(false);
        return (response, shared);
    }

    private bool TryKey(IReadOnlyList<ChatMessage> prompt, ChatOptions? options, out ResponseKey key)
    {
        if (keys.TryCompute(prompt, options, out key, out var reason))
            return true;
        if (cache.Mode == CacheMode.Replay)
            throw new CacheMissException(identity.Name, ClientIdentity.PathOf(options), string.Empty, reason);
        if (core.CountNotCacheable())
            HoneLog.NotCacheable(logger, ClientIdentity.PathOf(options), identity.Name, reason);
        return false;
    }
}
