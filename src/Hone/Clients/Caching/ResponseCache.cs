using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>When answers are looked up and kept.</summary>
public enum CacheMode
{
    /// <summary>Answers are looked up and kept.</summary>
    Default,

    /// <summary>Answers are looked up; new ones are not kept. A file is not written, not even the times of last use.</summary>
    ReadOnly,

    /// <summary>The model is always asked; its answers are kept in place of older ones.</summary>
    WriteOnly,

    /// <summary>As if there were no cache.</summary>
    Bypass,

    /// <summary>Answers are only looked up: one that is missing is an error. For tests without a model. The file may be read-only.</summary>
    Replay,
}

/// <summary>Settings of a response cache.</summary>
public sealed record ResponseCacheOptions
{
    /// <summary>Most bytes of answers in memory; 0 keeps none there.</summary>
    public long MemoryBytes
    {
        get;
        init => field = OptionRange.AtLeast(value, 0);
    } = 64L * 1024 * 1024;

    /// <summary>How long an answer counts; null means for ever.</summary>
    public TimeSpan? TimeToLive
    {
        get;
        init => field = OptionRange.Positive(value);
    }

    /// <summary>When answers are looked up and kept.</summary>
    public CacheMode Mode { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>What a cache has done and holds.</summary>
public sealed record CacheStatistics
{
    /// <summary>Requests answered from memory or the store.</summary>
    public long Hits { get; init; }

    /// <summary>Requests answered by an equal one that was under way.</summary>
    public long Shared { get; init; }

    /// <summary>Requests that had to be made.</summary>
    public long Misses { get; init; }

    /// <summary>Requests that cannot be cached.</summary>
    public long NotCacheable { get; init; }

    /// <summary>Answers in memory.</summary>
    public long MemoryEntries { get; init; }

    /// <summary>Bytes of answers in memory, about.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Answers that left memory to make room.</summary>
    public long Evictions { get; init; }

    /// <summary>What the store holds; null without a store, or when it cannot tell.</summary>
    public StoreStatistics? Store { get; init; }
}

/// <summary>A request has no answer in a cache that only replays.</summary>
public sealed class CacheMissException : HoneException
{
    internal CacheMissException(string model, string path, string key, string reason)
        : base(
            $"The cache holds no answer of '{model}' for {(path.Length == 0 ? "this call" : $"this call of predictor '{path}'")} ({reason}; key {key}), and its mode is "
            + $"{nameof(CacheMode.Replay)}. Record it first with {nameof(CacheMode)}.{nameof(CacheMode.Default)}, or check what has changed in the request.") =>
        (Model, Path, Key) = (model, path, key);

    /// <summary>Name of the model.</summary>
    public string Model { get; }

    /// <summary>Path of the predictor; empty outside a program.</summary>
    public string Path { get; }

    /// <summary>The key that was looked up; empty when the request has none.</summary>
    public string Key { get; }
}

/// <summary>
/// Keeps answers, in memory and optionally in a store, so that an equal request costs nothing. Equal requests at the same time are made once. A hit
/// is a response of its own, says so under <see cref="HitKey"/>, and has no usage; what it cost once stands under <see cref="CachedUsageKey"/>.
/// </summary>
/// <remarks>
/// Not kept are answers with an error, cut by a content filter, or cut at an output limit that a budget set; answers of another model than the one asked
/// (see <see cref="LM.Failover"/>); requests for log-probabilities; and answers with sampled tokens: those come from a local policy, whose weights change
/// under one name. What an answer holds beside messages, usage and properties with a JSON form, such as the provider's own objects, is not kept with it.
/// </remarks>
public sealed class ResponseCache : IDisposable
{
    /// <summary>Key in <c>ChatResponse.AdditionalProperties</c> whose value is true when the cache answered.</summary>
    public const string HitKey = ResponseKeys.CacheHit;

    /// <summary>Key in <c>ChatResponse.AdditionalProperties</c> of the usage that a cached answer once had.</summary>
    public const string CachedUsageKey = ResponseKeys.CachedUsage;

    /// <summary>Creates a cache.</summary>
    /// <param name="store">Keeps answers beyond memory; it is disposed with the cache.</param>
    /// <param name="options">Settings.</param>
    /// <exception cref="LMConfigurationException">The cache is to replay a file that cannot be opened.</exception>
    public ResponseCache(IResponseStore? store = null, ResponseCacheOptions? options = null)
    {
        options ??= new();
        Check(store, options.Mode);
        Mode = options.Mode;
        Core = new(store, options);
    }

    private ResponseCache(ResponseCache from, CacheMode mode) => (Core, Mode) = (from.Core, mode);

    /// <summary>When answers are looked up and kept.</summary>
    public CacheMode Mode { get; }

    internal CacheCore Core { get; }

    /// <summary>True when a response came from a cache.</summary>
    public static bool IsHit(ChatResponse? response) => response?.AdditionalProperties?.TryGetValue(HitKey, out var value) == true && value is true;

    /// <summary>The same answers under another mode.</summary>
    /// <exception cref="LMConfigurationException">The cache is to replay a file that cannot be opened.</exception>
    public ResponseCache WithMode(CacheMode mode)
    {
        Check(Core.Store, mode);
        return mode == Mode ? this : new(this, mode);
    }

    /// <summary>What the cache has done and holds.</summary>
    public CacheStatistics GetStatistics() => Core.GetStatistics();

    /// <summary>Forgets every answer, in memory and in the store.</summary>
    public async Task ClearAsync(CancellationToken cancellationToken = default)
    {
        Core.Memory.Clear();
        if (Core.Store is not null)
            await Core.Store.ClearAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes every answer as a line of JSON: its key and the stored form. The store's answers if there is one, else those in memory.</summary>
    /// <returns>The number of answers.</returns>
    public async Task<long> ExportAsync(Stream stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var count = 0L;
        if (Core.Store is not null)
        {
            await foreach (var (key, json) in Core.Store.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                await WriteLineAsync(stream, key, json, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            foreach (var (key, response) in Core.Memory.Snapshot())
                await WriteLineAsync(stream, key, CachedResponseJson.Write(response), cancellationToken).ConfigureAwait(false);
        }

        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        return count;

        async Task WriteLineAsync(Stream target, ResponseKey key, byte[] json, CancellationToken token)
        {
            await target.WriteAsync(Encoding.UTF8.GetBytes($"{{\"key\":\"{key}\",\"response\":"), token).ConfigureAwait(false);
            await target.WriteAsync(json, token).ConfigureAwait(false);
            await target.WriteAsync("}\n"u8.ToArray(), token).ConfigureAwait(false);
            count++;
        }
    }

    /// <summary>Takes over the answers that <see cref="ExportAsync"/> wrote, into memory and the store; they replace those that are there.</summary>
    /// <returns>The number of answers.</returns>
    /// <exception cref="HoneException">A line is no answer that this Hone can read; the lines before it are taken over.</exception>
    public async Task<long> ImportAsync(Stream stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var reader = new StreamReader(stream, Encoding.UTF8, leaveOpen: true);
        var count = 0L;
        for (var number = 1L; await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line; number++)
        {
            if (string.IsNullOrWhiteSpace(line))
                continue;
            var (key, json, response) = ReadLine(line, number);
            Core.Memory.Set(key, response);
            if (Core.Store is not null)
                await Core.Store.SetAsync(key, json, cancellationToken).ConfigureAwait(false);
            count++;
        }

        return count;
    }

    /// <summary>Closes the store.</summary>
    public void Dispose() => (Core.Store as IDisposable)?.Dispose();

    private static (ResponseKey Key, byte[] Json, CachedResponse Response) ReadLine(string line, long number)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var json = JsonMarshal.GetRawUtf8Value(document.RootElement.GetProperty("response")).ToArray();
            if (CachedResponseJson.Read(json) is { } response)
                return (ResponseKey.Parse(document.RootElement.GetProperty("key").GetString() ?? string.Empty), json, response);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException)
        {
            throw new HoneException($"Line {number} is no answer of a cache: {error.Message}", error);
        }

        throw new HoneException($"Line {number} holds an answer in a form that this Hone cannot read. Export it again with this version.");
    }

    // Without its file a cache has nothing to replay.
    private static void Check(IResponseStore? store, CacheMode mode)
    {
        if (mode == CacheMode.Replay && store is SqliteResponseStore { Failure: { } failure })
            throw new LMConfigurationException(failure.Message, failure);
    }
}
