using Microsoft.Extensions.AI;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hone.Tests.Clients.Caching;

public sealed class DistributedResponseStoreTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Answers_LieInTheDistributedCache()
    {
        var shared = new MemoryDistributedCache(Options.Create(new MemoryDistributedCacheOptions()));
        var client = StubChatClient.Saying("x");
        for (var process = 0; process < 3; process++)
        {
            using var cache = new ResponseCache(new DistributedResponseStore(shared));
            var response = await (new LM(client) with { Cache = cache }).AsChatClient().GetResponseAsync("hi", cancellationToken: Token);
            Assert.Equal(process > 0, ResponseCache.IsHit(response));
            Assert.Null(cache.GetStatistics().Store);
        }

        using var other = new ResponseCache(new DistributedResponseStore(shared, "other:"));
        Assert.False(ResponseCache.IsHit(await (new LM(client) with { Cache = other }).AsChatClient().GetResponseAsync("hi", cancellationToken: Token)));
        await Assert.ThrowsAsync<NotSupportedException>(() => other.ClearAsync(Token));
        var store = new DistributedResponseStore(shared);
        await store.SetAsync(default, "x"u8.ToArray(), Token);
        await store.RemoveAsync(default, Token);
        Assert.Null(await store.GetAsync(default, Token));
    }

    [Fact]
    public async Task StoreThatFails_IsLogged_AndDoneWithout()
    {
        var logger = new ListLogger();
        using var cache = new ResponseCache(new DistributedResponseStore(new BrokenCache()));
        var model = (new LM(StubChatClient.Saying("x")) with { Cache = cache, Logger = logger }).AsChatClient();
        Assert.Equal("x", (await model.GetResponseAsync("hi", cancellationToken: Token)).Text);
        Assert.Equal(2, logger.Lines.Count(line => line.Level == LogLevel.Warning));
        Assert.True(ResponseCache.IsHit(await model.GetResponseAsync("hi", cancellationToken: Token)));
        await Assert.ThrowsAsync<CacheMissException>(
            () => (new LM(StubChatClient.Saying("x")) with { Cache = cache.WithMode(CacheMode.Replay) }).AsChatClient().GetResponseAsync("new", cancellationToken: Token));
    }

    private sealed class BrokenCache : IDistributedCache
    {
        public byte[]? Get(string key) => throw new IOException("down");

        public Task<byte[]?> GetAsync(string key, CancellationToken token = default) => throw new IOException("down");

        public void Refresh(string key) => throw new IOException("down");

        public Task RefreshAsync(string key, CancellationToken token = default) => throw new IOException("down");

        public void Remove(string key) => throw new IOException("down");

        public Task RemoveAsync(string key, CancellationToken token = default) => throw new IOException("down");

        public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => throw new IOException("down");

        public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default) => throw new IOException("down");
    }
}
