using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hone;

/// <summary>Settings of a store in a file.</summary>
public sealed record SqliteStoreOptions
{
    /// <summary>Most bytes of answers; the least recently used go first.</summary>
    public long MaxBytes
    {
        get;
        init => field = OptionRange.AtLeast(value, 0);
    } = 2L * 1024 * 1024 * 1024;

    /// <summary>How long to wait for another process that writes.</summary>
    public TimeSpan BusyTimeout
    {
        get;
        init => field = OptionRange.NotNegative(value);
    } = TimeSpan.FromSeconds(10);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where a damaged file that was set aside is reported; null reports nothing.</summary>
    public ILogger? Logger { get; init; }
}

/// <summary>
/// Keeps answers in a SQLite file that only its owner can read. Several processes may use one file at once. A file that cannot be read is renamed to
/// <c>NAME.corrupt-TIME</c>, and an empty one begins; one that can be neither opened nor created is done without, with a warning: a cache is never a
/// reason to fail. Only a cache that replays refuses such a store. A file that must not be written, or lies in a folder that must not, is only read.
/// </summary>
public sealed class SqliteResponseStore : IResponseStore, IDisposable
{
    private const int EntryOverhead = 128;
    private const int TouchBatch = 256;
    private const int TouchResolution = 60_000; // milliseconds
    private const int RecountEvery = 512;
    private const int PageOfReading = 256;

    private readonly Lock gate = new();
    private readonly Dictionary<ResponseKey, long> touched = [];
    private readonly SqliteStoreOptions options;
    private SqliteFile? file; // null when there is none to be had
    private int isReported;
    private long bytes;
    private int writes;
    private bool isDisposed;

    /// <summary>Opens or creates a file.</summary>
    /// <param name="path">The file; its folder is created when it is missing.</param>
    /// <param name="options">Settings.</param>
    /// <exception cref="LMConfigurationException">The file is another program's database, or is read-only and cannot be read.</exception>
    public SqliteResponseStore(string path, SqliteStoreOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        this.options = options ?? new();
        Path = System.IO.Path.GetFullPath(path);
        try
        {
            file = SqliteFile.OpenOrReplace(Path, this.options.BusyTimeout, Log, this.options.Time);
        }
        catch (StoreUnavailableException error)
        {
            Failure = error;
            Report(Log);
        }

        bytes = Guarded(0, static (file, _) => file.CountBytes());
    }

    /// <summary>Full path of the file.</summary>
    public string Path { get; }

    /// <summary>Why there is no file; null when there is one.</summary>
    internal StoreUnavailableException? Failure { get; }

    private ILogger Log => options.Logger ?? NullLogger.Instance;

    /// <inheritdoc/>
    public ValueTask<byte[]?> GetAsync(ResponseKey key, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
            return ValueTask.FromResult(Guarded((this, key), static (file, look) => look.Item1.Get(file, look.key)));
    }

    /// <summary>As <see cref="GetAsync"/>, but the use is not noted: nothing is written.</summary>
    internal ValueTask<byte[]?> PeekAsync(ResponseKey key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
            return ValueTask.FromResult(Guarded(key, static (file, key) => file.Get(key).Json));
    }

    /// <inheritdoc/>
    public ValueTask SetAsync(ResponseKey key, ReadOnlyMemory<byte> json, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (json.Length + EntryOverhead > options.MaxBytes)
            return ValueTask.CompletedTask;
        lock (gate)
            Guarded((this, key, json), static (file, item) => item.Item1.Set(file, item.key, item.json));
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask RemoveAsync(ResponseKey key, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
        {
            CheckWritable();
            touched.Remove(key);
            Guarded(key, static (file, key) => file.Remove(key));
            bytes = Guarded(0, static (file, _) => file.CountBytes());
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public Task ClearAsync(CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            CheckWritable();
            touched.Clear();
            Guarded(0, static (file, _) => file.Clear());
            bytes = 0;
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<KeyValuePair<ResponseKey, byte[]>> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        var last = 0L;
        while (true)
        {
            ImmutableArray<SqliteRow> page;
            lock (gate)
                page = Guarded(last, static (file, last) => file.ReadPage(last, PageOfReading));
            if (page.IsDefaultOrEmpty)
                yield break;
            foreach (var row in page)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return new(row.Key, row.Json);
            }

            last = page[^1].Id;
        }
    }

    /// <inheritdoc/>
    public StoreStatistics GetStatistics()
    {
        lock (gate)
            return new(Guarded(0, static (file, _) => file.CountEntries()), Guarded(0, static (file, _) => file.CountBytes()));
    }

    /// <summary>Writes what is pending and closes the file.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (isDisposed || file is null)
                return;
            isDisposed = true;
            try
            {
                file.Touch(touched);
            }
            catch (SqliteException error)
            {
                HoneLog.StoreFailed(Log, "close", error.Message, error);
            }

            file.Dispose();
        }
    }

    /// <summary>Says once, to the first who listens, that there is no file.</summary>
    internal void Report(ILogger logger)
    {
        if (Failure is not null && logger.IsEnabled(LogLevel.Warning) && Interlocked.Exchange(ref isReported, 1) == 0)
            HoneLog.StoreUnavailable(logger, Failure.Message, Failure);
    }

    private byte[]? Get(SqliteFile file, ResponseKey key)
    {
        var (json, accessed) = file.Get(key);
        var now = Now();
        if (json is null || file.IsReadOnly || now - accessed < TouchResolution)
            return json;
        // Writing down each use at once would make every look-up a write.
        touched[key] = now;
        if (touched.Count >= TouchBatch)
            WriteTouched(file);
        return json;
    }

    private bool Set(SqliteFile file, ResponseKey key, ReadOnlyMemory<byte> json)
    {
        CheckWritable();
        WriteTouched(file);
        file.Set(key, json, json.Length + EntryOverhead, Now());
        bytes += json.Length + EntryOverhead;
        // Other processes write as well, and an entry may have replaced another: the sum drifts until it is counted anew.
        if (++writes % RecountEvery == 0 || bytes > options.MaxBytes)
            bytes = file.CountBytes();
        if (bytes > options.MaxBytes)
            bytes = file.Evict(bytes - (options.MaxBytes * 9 / 10));
        return true;
    }

    private void CheckWritable()
    {
        if (file is { IsReadOnly: true })
            throw new LMConfigurationException($"The response cache {Path} is read-only. Use it with {nameof(CacheMode)}.{nameof(CacheMode.Replay)}, or make it writable.");
    }

    private void WriteTouched(SqliteFile file)
    {
        if (touched.Count == 0)
            return;
        file.Touch(touched);
        touched.Clear();
    }

    private long Now() => options.Time.GetUtcNow().ToUnixTimeMilliseconds();

    // Under the lock. A file that turns out to be damaged is replaced, and the work done on the empty one. Without a file nothing is found or kept.
    private TResult? Guarded<TState, TResult>(TState state, Func<SqliteFile, TState, TResult?> work)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        if (file is null)
            return default;
        try
        {
            return work(file, state);
        }
        catch (SqliteException error) when (!file.IsReadOnly && SqliteFile.IsDamage(error, Path))
        {
            file.Dispose();
            touched.Clear();
            file = SqliteFile.Replace(Path, error.Message, options.BusyTimeout, Log, options.Time);
            bytes = file.CountBytes();
            return work(file, state);
        }
    }
}
