using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Clients.Caching;

/// <summary>Replaying leaves the file alone.</summary>
public sealed class ReadOnlyStoreTests : IDisposable
{
    private const UnixFileMode ReadAlone = UnixFileMode.UserRead;
    private const UnixFileMode Enter = UnixFileMode.UserRead | UnixFileMode.UserExecute;

    private readonly string folder = Directory.CreateTempSubdirectory("hone-replay-").FullName;
    private readonly FakeTimeProvider time = new(new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string FilePath => Path.Combine(folder, "100% of #1?", "responses.db");

    public void Dispose()
    {
        if (!OperatingSystem.IsWindows() && Directory.Exists(Path.GetDirectoryName(FilePath)))
            File.SetUnixFileMode(Path.GetDirectoryName(FilePath)!, Enter | UnixFileMode.UserWrite);
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Replay_WritesNothing(bool isFileLocked, bool isFolderLocked)
    {
        await RecordAsync();
        Lock(isFileLocked, isFolderLocked);
        var (bytes, mode, files) = (await File.ReadAllBytesAsync(FilePath, Token), Mode(), Files());

        time.Advance(TimeSpan.FromDays(3)); // a use after such a time is written down otherwise
        using (var cache = Open(CacheMode.Replay))
        {
            Assert.Equal("kept", await AskAsync(cache, "hi"));
            await Assert.ThrowsAsync<CacheMissException>(() => AskAsync(cache, "new"));
            Assert.Equal(1, cache.GetStatistics().Store!.Entries);
        }

        Assert.Equal(bytes, await File.ReadAllBytesAsync(FilePath, Token));
        Assert.Equal(mode, Mode());
        Assert.Equal(files, Files());
    }

    [Fact]
    public async Task Default_WritesTheUseDown()
    {
        await RecordAsync();
        var bytes = await File.ReadAllBytesAsync(FilePath, Token);
        time.Advance(TimeSpan.FromDays(3));
        using (var cache = Open(CacheMode.Default))
            Assert.Equal("kept", await AskAsync(cache, "hi"));
        Assert.NotEqual(bytes, await File.ReadAllBytesAsync(FilePath, Token));
    }

    [Fact]
    public async Task ReadOnlyFile_UnderDefault_AnswersAndWarnsThatNothingIsKept()
    {
        await RecordAsync();
        Lock(isFileLocked: true, isFolderLocked: false);
        var bytes = await File.ReadAllBytesAsync(FilePath, Token);
        var logger = new ListLogger();
        using (var cache = Open(CacheMode.Default))
        {
            time.Advance(TimeSpan.FromDays(3));
            Assert.Equal("kept", await AskAsync(cache, "hi", logger));
            Assert.Empty(logger.Lines);
            Assert.Equal("fresh", await AskAsync(cache, "new", logger));
            Assert.Contains("is read-only", Assert.Single(logger.Lines).Text, StringComparison.Ordinal);
            await Assert.ThrowsAsync<LMConfigurationException>(() => cache.ClearAsync(Token));
        }

        Assert.Equal(bytes, await File.ReadAllBytesAsync(FilePath, Token));
    }

    [Fact]
    public async Task ReadOnlyFile_ThatIsNoCache_IsRefusedAndLeftAlone()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!);
        await File.WriteAllTextAsync(FilePath, "this is no database, however long one looks at it", Token);
        Lock(isFileLocked: true, isFolderLocked: false);
        var error = Assert.Throws<LMConfigurationException>(() => new SqliteResponseStore(FilePath));
        Assert.Contains("is read-only", error.Message, StringComparison.Ordinal);
        Assert.Equal(["responses.db"], Files());
    }

    private async Task RecordAsync()
    {
        using var cache = Open(CacheMode.Default);
        await (new LM(StubChatClient.Saying("kept")) with { Cache = cache }).AsChatClient().GetResponseAsync("hi", cancellationToken: Token);
    }

    private ResponseCache Open(CacheMode mode) => new(new SqliteResponseStore(FilePath, new() { Time = time }), new() { Mode = mode, Time = time });

    private static async Task<string> AskAsync(ResponseCache cache, string question, ListLogger? logger = null)
    {
        var model = new LM(StubChatClient.Saying("fresh")) with { Cache = cache, Logger = logger };
        return (await model.AsChatClient().GetResponseAsync(question, cancellationToken: Token)).Text;
    }

    private void Lock(bool isFileLocked, bool isFolderLocked)
    {
        if (isFileLocked && OperatingSystem.IsWindows())
            File.SetAttributes(FilePath, FileAttributes.ReadOnly);
        else if (isFileLocked)
            File.SetUnixFileMode(FilePath, ReadAlone);
        if (isFolderLocked && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(Path.GetDirectoryName(FilePath)!, Enter);
    }

    private UnixFileMode Mode() => OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(FilePath);

    private string[] Files() => [.. Directory.GetFiles(Path.GetDirectoryName(FilePath)!).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
}
