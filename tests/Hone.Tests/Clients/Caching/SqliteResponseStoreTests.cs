using System.Diagnostics;
using System.Text;
using CsCheck;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Clients.Caching;

public sealed class SqliteResponseStoreTests : IDisposable
{
    private const string WriterVariable = "HONE_TEST_CACHE_FILE";

    private readonly string folder = Directory.CreateTempSubdirectory("hone-cache-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string FilePath => Path.Combine(folder, "cache", "responses.db");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Answers_OutliveTheProcess_AndMoveIntoMemory()
    {
        var client = StubChatClient.Saying("x");
        using (var cache = new ResponseCache(new SqliteResponseStore(FilePath)))
            await (new LM(client) with { Cache = cache }).AsChatClient().GetResponseAsync("hi", cancellationToken: Token);
        using (var cache = new ResponseCache(new SqliteResponseStore(FilePath)))
        {
            var model = (new LM(client) with { Cache = cache }).AsChatClient();
            Assert.True(ResponseCache.IsHit(await model.GetResponseAsync("hi", cancellationToken: Token)));
            Assert.True(ResponseCache.IsHit(await model.GetStreamingResponseAsync("hi", cancellationToken: Token).ToChatResponseAsync(Token)));
            Assert.Equal((1L, 1L), (cache.GetStatistics().MemoryEntries, cache.GetStatistics().Store!.Entries));
        }

        Assert.Equal(1, client.Calls);
    }

    [Fact]
    public async Task Values_AreReplacedRemovedListedAndCleared()
    {
        using var store = new SqliteResponseStore(FilePath);
        await store.SetAsync(Key(1), "one"u8.ToArray(), Token);
        await store.SetAsync(Key(1), "uno"u8.ToArray(), Token);
        await store.SetAsync(Key(2), "two"u8.ToArray(), Token);
        Assert.Equal("uno", Encoding.UTF8.GetString((await store.GetAsync(Key(1), Token))!));
        Assert.Null(await store.GetAsync(Key(3), Token));
        var all = await store.ReadAllAsync(Token).ToListAsync(Token);
        Assert.Equal([Key(1), Key(2)], all.Select(entry => entry.Key));
        await store.RemoveAsync(Key(1), Token);
        Assert.Null(await store.GetAsync(Key(1), Token));
        Assert.Equal(1, store.GetStatistics().Entries);
        await store.ClearAsync(Token);
        Assert.Equal((0L, 0L), (store.GetStatistics().Entries, store.GetStatistics().Bytes));
    }

    [Fact]
    public async Task File_AndItsJournals_AreTheOwnersOnly()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var store = new SqliteResponseStore(FilePath);
        await store.SetAsync(Key(1), "one"u8.ToArray(), Token);
        foreach (var suffix in new[] { "", "-wal", "-shm" })
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FilePath + suffix));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(FilePath)!));
    }

    [Fact]
    public async Task WideFile_IsNarrowedWhenItIsOpened()
    {
        if (OperatingSystem.IsWindows())
            return;
        new SqliteResponseStore(FilePath).Dispose();
        File.SetUnixFileMode(FilePath, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead | UnixFileMode.GroupRead);
        using var store = new SqliteResponseStore(FilePath);
        await store.SetAsync(Key(1), "one"u8.ToArray(), Token);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FilePath));
    }

    [Fact]
    public async Task CorruptFile_IsSetAside_WithAWarning_AndAnEmptyOneBegins()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!);
        await File.WriteAllTextAsync(FilePath, "this is no database, however long one looks at it", Token);
        var logger = new ListLogger();
        using var store = new SqliteResponseStore(FilePath, new() { Logger = logger, Time = new FakeTimeProvider(new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)) });
        await store.SetAsync(Key(1), "one"u8.ToArray(), Token);
        Assert.NotNull(await store.GetAsync(Key(1), Token));
        Assert.StartsWith("this is no database", await File.ReadAllTextAsync(FilePath + ".corrupt-20260102-030405", Token), StringComparison.Ordinal);
        Assert.Contains(".corrupt-20260102-030405", Assert.Single(logger.Lines).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FileThatIsDamagedInUse_IsSetAside_AndTheCallGoesOn()
    {
        using (var store = new SqliteResponseStore(FilePath))
        {
            for (var i = 0; i < 200; i++)
                await store.SetAsync(Key(i), new byte[2000], Token);
        }

        await using (var file = new FileStream(FilePath, FileMode.Open, FileAccess.ReadWrite))
        {
            file.Position = 4096; // the header stays
            await file.WriteAsync(Enumerable.Repeat((byte)0xAB, (int)file.Length - 4096).ToArray(), Token);
        }

        var logger = new ListLogger();
        using var cache = new ResponseCache(new SqliteResponseStore(FilePath, new() { Logger = logger }));
        var model = (new LM(StubChatClient.Saying("x")) with { Cache = cache, Logger = logger }).AsChatClient();
        Assert.Equal("x", (await model.GetResponseAsync("hi", cancellationToken: Token)).Text);
        Assert.Equal(1, cache.GetStatistics().Store!.Entries);
        Assert.Contains(logger.Lines, line => line.Text.Contains("set aside", StringComparison.Ordinal));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(FilePath)!, "*.corrupt-*"));
    }

    [Fact]
    public void AnyDamage_IsNeverAReasonToFail() => Gen.Select(Gen.Frequency((1, Gen.Int[0, 100]), (2, Gen.Int[0, 20_000])), Gen.Byte.Array[1, 400], Gen.Bool).Sample((position, noise, truncates) =>
    {
        var path = Path.Combine(folder, Guid.NewGuid().ToString("N"), "c.db");
        using (var store = new SqliteResponseStore(path))
        {
            for (var i = 0; i < 10; i++)
                store.SetAsync(Key(i), new byte[700]).GetAwaiter().GetResult();
        }

        using (var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite))
        {
            file.Position = position % file.Length;
            if (truncates)
                file.SetLength(file.Position);
            else
                file.Write(noise);
        }

        using var cache = new ResponseCache(new SqliteResponseStore(path));
        var model = (new LM(StubChatClient.Saying("x")) with { Cache = cache }).AsChatClient();
        Assert.Equal("x", model.GetResponseAsync("hi").GetAwaiter().GetResult().Text);
        Assert.True(ResponseCache.IsHit(model.GetResponseAsync("hi").GetAwaiter().GetResult()));
        Assert.InRange(cache.GetStatistics().Store!.Entries, 1, 11);
    }, iter: 30, threads: 1);

    [Fact]
    public void AnotherProgramsDatabase_IsRefusedAndLeftAlone()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!);
        using (var connection = new SqliteConnection($"Data Source={FilePath};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "CREATE TABLE accounts (id)";
            command.ExecuteNonQuery();
        }

        var before = File.ReadAllBytes(FilePath);
        var error = Assert.Throws<LMConfigurationException>(() => new SqliteResponseStore(FilePath));
        Assert.Contains("another program", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(FilePath));
    }

    [Fact]
    public async Task FileOfAnotherVersion_IsSetAside()
    {
        new SqliteResponseStore(FilePath).Dispose();
        await using (var connection = new SqliteConnection($"Data Source={FilePath};Pooling=False"))
        {
            await connection.OpenAsync(Token);
            await using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA user_version = 99";
            await command.ExecuteNonQueryAsync(Token);
        }

        using var store = new SqliteResponseStore(FilePath);
        await store.SetAsync(Key(1), "one"u8.ToArray(), Token);
        Assert.NotEmpty(Directory.GetFiles(Path.GetDirectoryName(FilePath)!, "*.corrupt-*"));
    }

    [Fact]
    public async Task FileThatCannotBe_IsDoneWithout_WithAWarning()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "file"), "", Token);
        var path = Path.Combine(folder, "file", "x.db");
        var logger = new ListLogger();
        var client = StubChatClient.Saying("x");
        using var cache = new ResponseCache(new SqliteResponseStore(path));
        var model = (new LM(client) { Cache = cache, Logger = logger }).AsChatClient();
        await model.GetResponseAsync("hi", cancellationToken: Token);
        Assert.True(ResponseCache.IsHit(await model.GetResponseAsync("hi", cancellationToken: Token)));
        await model.GetResponseAsync("ho", cancellationToken: Token);

        Assert.Equal(2, client.Calls);
        Assert.Equal((2L, 0L), (cache.GetStatistics().MemoryEntries, cache.GetStatistics().Store!.Entries));
        var (_, text) = Assert.Single(logger.Lines);
        Assert.Contains("Check the path and its permissions. Answers are kept in memory only.", text, StringComparison.Ordinal);
        await cache.ClearAsync(Token);
        var early = new ListLogger();
        new SqliteResponseStore(path, new() { Logger = early }).Dispose();
        Assert.Single(early.Lines);
    }

    /// <summary>A cache that only replays has nothing without its file: a test must not pass over that.</summary>
    [Fact]
    public void FileThatCannotBe_IsAnError_WhereItIsReplayed()
    {
        File.WriteAllText(Path.Combine(folder, "file"), "");
        using var store = new SqliteResponseStore(Path.Combine(folder, "file", "x.db"));

        Assert.Contains("permissions", Assert.Throws<LMConfigurationException>(() => new ResponseCache(store, new() { Mode = CacheMode.Replay })).Message, StringComparison.Ordinal);
        using var cache = new ResponseCache(store);
        Assert.Throws<LMConfigurationException>(() => cache.WithMode(CacheMode.Replay));
        Assert.Equal(CacheMode.ReadOnly, cache.WithMode(CacheMode.ReadOnly).Mode);
    }

    [Fact]
    public async Task Size_IsLimited_AndTheLeastRecentlyUsedGoFirst()
    {
        var time = new FakeTimeProvider();
        using var store = new SqliteResponseStore(FilePath, new() { MaxBytes = 100_000, Time = time });
        for (var i = 0; i < 300; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await store.SetAsync(Key(i), new byte[1000], Token);
            Assert.NotNull(await store.GetAsync(Key(0), Token));
        }

        var statistics = store.GetStatistics();
        Assert.InRange(statistics.Bytes, 50_000, 100_000);
        Assert.NotNull(await store.GetAsync(Key(299), Token));
        Assert.Null(await store.GetAsync(Key(1), Token));
        await store.SetAsync(Key(1000), new byte[200_000], Token); // larger than everything
        Assert.Null(await store.GetAsync(Key(1000), Token));
        Assert.Equal(statistics.Entries, store.GetStatistics().Entries);
    }

    [Fact]
    public async Task ManyThreads_ShareOneStore()
    {
        using var store = new SqliteResponseStore(FilePath);
        await Parallel.ForEachAsync(Enumerable.Range(0, 200), Token, async (i, token) =>
        {
            await store.SetAsync(Key(i), Encoding.UTF8.GetBytes($"{i}"), token);
            Assert.Equal($"{i}", Encoding.UTF8.GetString((await store.GetAsync(Key(i), token))!));
        });
        Assert.Equal(200, store.GetStatistics().Entries);
    }

    [Fact]
    public async Task TwoProcesses_ShareOneFile()
    {
        using var store = new SqliteResponseStore(FilePath);
        var others = new[] { StartWriter(1000), StartWriter(2000) };
        for (var i = 0; i < 100; i++)
            await store.SetAsync(Key(i), Encoding.UTF8.GetBytes($"{i}"), Token);
        foreach (var other in others)
        {
            var output = await other.StandardOutput.ReadToEndAsync(Token);
            await other.WaitForExitAsync(Token);
            Assert.True(other.ExitCode == 0, output);
            other.Dispose();
        }

        Assert.Equal(300, store.GetStatistics().Entries);
        foreach (var start in new[] { 0, 1000, 2000 })
        {
            for (var i = start; i < start + 100; i++)
                Assert.Equal($"{i}", Encoding.UTF8.GetString((await store.GetAsync(Key(i), Token))!));
        }

        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(FilePath)!, "*.corrupt-*"));
    }

    /// <summary>The other process of <see cref="TwoProcesses_ShareOneFile"/>: runs only when it is named.</summary>
    [Fact(Explicit = true)]
    public async Task Writer()
    {
        var parts = Environment.GetEnvironmentVariable(WriterVariable)!.Split('|');
        var start = int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
        using var store = new SqliteResponseStore(parts[0]);
        for (var i = start; i < start + 100; i++)
            await store.SetAsync(Key(i), Encoding.UTF8.GetBytes($"{i}"), Token);
    }

    private static ResponseKey Key(int number)
    {
        var bytes = new byte[ResponseKey.Length];
        BitConverter.TryWriteBytes(bytes, number);
        return new(bytes);
    }

    private Process StartWriter(int start)
    {
        var name = $"{typeof(SqliteResponseStoreTests).FullName}.{nameof(Writer)}";
        var assembly = typeof(SqliteResponseStoreTests).Assembly.Location;
        var information = new ProcessStartInfo("dotnet", [assembly, "-method", name, "-explicit", "only"]) { RedirectStandardOutput = true };
        information.Environment[WriterVariable] = $"{FilePath}|{start}";
        return Process.Start(information)!;
    }
}
