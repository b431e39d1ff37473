using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Caching.Distributed;

namespace Hone.Benchmarks;

/// <summary>What surrounds a call costs: nothing set, a hit in memory, a hit on disk, beside the caching client of Microsoft.Extensions.AI.</summary>
internal static class CacheBench
{
    private const int Prompts = 2000;

    private static readonly HoneChatOptions Options = new() { Temperature = 0, MaxOutputTokens = 100, Path = "self", StopSequences = ["END"] };

    public static async Task RunAsync(Figures figures)
    {
        using var raw = new FixedClient();
        var prompt = Prompt("What is the capital of France?");
        figures.Add("cache_no_parts_ns", 1000 * await MicrosecondsAsync(100_000, new LM(raw).AsChatClient(), prompt));
        using var memory = new ResponseCache();
        var inMemory = (new LM(raw) with { Cache = memory }).AsChatClient();
        var hit = await MicrosecondsAsync(50_000, inMemory, prompt);
        figures.Add("cache_memory_hit_us", hit);
        using var other = new ChatClientBuilder(raw).UseDistributedCache(new DictionaryCache()).Build();
        var others = await MicrosecondsAsync(5_000, other, prompt);
        figures.Add("cache_other_hit_us", others, $"{others / hit:0.0} times ours");

        var folder = Directory.CreateTempSubdirectory("hone-bench-");
        using (var disk = new ResponseCache(new SqliteResponseStore(Path.Combine(folder.FullName, "cache.db")), new() { MemoryBytes = 0 }))
        {
            var onDisk = (new LM(raw) with { Cache = disk }).AsChatClient();
            var prompts = Enumerable.Range(0, Prompts).Select(i => Prompt($"What is {i} and {i}?")).ToArray();
            var started = Stopwatch.GetTimestamp();
            foreach (var each in prompts)
                await onDisk.GetResponseAsync(each, Options);
            figures.Add("cache_disk_write_us", Stopwatch.GetElapsedTime(started).TotalMicroseconds / Prompts);
            figures.Add("cache_disk_hit_us", await MicrosecondsAsync(Prompts, onDisk, prompts));
        }

        folder.Delete(recursive: true);
    }

    private static ChatMessage[] Prompt(string question) =>
    [
        new(ChatRole.System, string.Concat(Enumerable.Repeat("You answer questions briefly and exactly. ", 12))),
        new(ChatRole.User, $"[[ ## question ## ]]\n{question}\n\nRespond with the corresponding output fields."),
    ];

    private static async Task<double> MicrosecondsAsync(int calls, IChatClient client, params ChatMessage[][] prompts)
    {
        var best = double.MaxValue;
        for (var repetition = 0; repetition < 6; repetition++)
        {
            var started = Stopwatch.GetTimestamp();
            for (var i = 0; i < calls; i++)
                await client.GetResponseAsync(prompts[i % prompts.Length], Options);
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalMicroseconds / calls);
        }

        return best;
    }

    private sealed class FixedClient : IChatClient
    {
        private readonly Task<ChatResponse> response = Task.FromResult(
            new ChatResponse(new ChatMessage(ChatRole.Assistant, "[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]"))
            {
                FinishReason = ChatFinishReason.Stop,
                Usage = new() { InputTokenCount = 100, OutputTokenCount = 10, TotalTokenCount = 110 },
            });

        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => response;

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) =>
            serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("openai", new("https://api.openai.com/v1"), "gpt-4o") : null;

        public void Dispose()
        {
        }
    }

    private sealed class DictionaryCache : IDistributedCache
    {
        private readonly ConcurrentDictionary<string, byte[]> entries = [];

        public byte[]? Get(string key) => entries.GetValueOrDefault(key);

        public Task<byte[]?> GetAsync(string key, CancellationToken token = default) => Task.FromResult(Get(key));

        public void Refresh(string key)
        {
        }

        public Task RefreshAsync(string key, CancellationToken token = default) => Task.CompletedTask;

        public void Remove(string key) => entries.TryRemove(key, out _);

        public Task RemoveAsync(string key, CancellationToken token = default)
        {
            Remove(key);
            return Task.CompletedTask;
        }

        public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => entries[key] = value;

        public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
        {
            Set(key, value, options);
            return Task.CompletedTask;
        }
    }
}
