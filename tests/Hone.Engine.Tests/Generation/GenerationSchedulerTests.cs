namespace Hone.Engine.Tests.Generation;

[Collection(MemoryTests.Name)]
public sealed class GenerationSchedulerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, 8, 4 << 20)]
    [InlineData(1, 32, 4 << 20)]
    [InlineData(2, 32, 4 << 20)]
    [InlineData(3, 32, 0)]
    public async Task Generate_AnyBatching_GivesTheTokensOfOneAtATime(int workers, int concurrency, int cacheBytes)
    {
        using var model = SmallModel.Create();
        var prompts = SmallModel.Prompts(32);
        var alone = new List<GenerationResult>();
        using (var scheduler = Scheduler(model, 1, SmallModel.Limits with { CacheBytes = 0 }))
            for (var i = 0; i < prompts.Length; i++) alone.Add(await scheduler.GenerateAsync(Request(prompts[i], i), Token));

        using var batching = Scheduler(model, workers, SmallModel.Limits with { CacheBytes = cacheBytes });
        foreach (var wave in Enumerable.Range(0, prompts.Length).Chunk(concurrency))
        {
            var results = await Task.WhenAll(wave.Select(i => batching.GenerateAsync(Request(prompts[i], i))));
            foreach (var (i, result) in wave.Zip(results))
            {
                Assert.Equal(alone[i].Tokens, result.Tokens);
                Assert.Equal(alone[i].LogProbs, result.LogProbs);
            }
        }
    }

    [Fact]
    public async Task Generate_LogProbs_EqualAFullForward()
    {
        using var model = SmallModel.Create();
        using var scheduler = Scheduler(model, 2, SmallModel.Limits);
        foreach (var temperature in (float[])[1, 0.7f, 0])
        {
            var requests = SmallModel.Prompts(10).Select((prompt, i) => Request(prompt, i, temperature)).ToArray();
            var results = await Task.WhenAll(requests.Select(request => scheduler.GenerateAsync(request)));
            for (var i = 0; i < requests.Length; i++)
            {
                var rescored = Rescore(model.Weights, requests[i].Prompt, results[i].Tokens, temperature == 0 ? 1 : temperature);
                for (var t = 0; t < rescored.Length; t++) Assert.Equal(rescored[t], results[i].LogProbs[t], 1e-4);
            }
        }
    }

    [Fact]
    public async Task Generate_SamePrefix_IsComputedOnce()
    {
        using var model = SmallModel.Create();
        using var scheduler = Scheduler(model, 1, SmallModel.Limits);
        var prompt = SmallModel.Prompts(1)[0];
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => scheduler.GenerateAsync(Request(prompt, i, maxNewTokens: 1))));
        // One whole prompt, and the last token of the seven others.
        Assert.Equal(prompt.Length + 7, scheduler.RowsComputed);
    }

    [Fact]
    public async Task Generate_Cancelled_EndsAtOnceAndFreesItsRow()
    {
        using var model = SmallModel.Create();
        using var scheduler = Scheduler(model, 1, SmallModel.Limits with { Sequences = 1, CacheBytes = 0 });
        using var cancellation = new CancellationTokenSource();
        var prompt = SmallModel.Prompts(1)[0];
        var endless = scheduler.GenerateAsync(new GenerationRequest(prompt, new SamplingOptions(), 400, []), cancellation.Token);
        var next = scheduler.GenerateAsync(Request(prompt, 1), Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => endless);
        Assert.NotEmpty((await next).Tokens);
    }

    [Fact]
    public async Task Generate_FirstOfAPrefixCancelled_DoesNotHarmTheOthers()
    {
        using var model = SmallModel.Create();
        var prompts = SmallModel.Prompts(20);
        using var alone = Scheduler(model, 1, SmallModel.Limits with { CacheBytes = 0 });
        using var scheduler = Scheduler(model, 1, SmallModel.Limits with { PrefillRows = 7 });
        for (var round = 0; round < 20; round++)
        {
            using var cancellation = new CancellationTokenSource();
            var tasks = prompts
                .Select((prompt, i) => scheduler.GenerateAsync(Request(prompt, i), i % 3 == 0 ? cancellation.Token : default)).ToArray();
            if (round % 2 == 0) await Task.WhenAny(tasks);
            await cancellation.CancelAsync();
            for (var i = 0; i < tasks.Length; i++)
            {
                if (i % 3 == 0)
                {
                    await Task.WhenAny(tasks[i]);
                    continue;
                }
                Assert.Equal((await alone.GenerateAsync(Request(prompts[i], i), Token)).Tokens, (await tasks[i]).Tokens);
            }
        }
    }

    [Fact]
    public async Task Generate_ThousandRequests_KeepMemoryFlat()
    {
        using var model = SmallModel.Create();
        var limits = SmallModel.Limits with { CacheBytes = 64 << 10 };
        using var scheduler = Scheduler(model, 2, limits);
        var random = new Random(1);
        async Task Wave(int count) => await Task.WhenAll(Enumerable.Range(0, count).Select(i => scheduler.GenerateAsync(
            Request([.. Enumerable.Range(0, 20 + i % 30).Select(_ => random.Next(500))], i, maxNewTokens: 8))));
        await Wave(200);
        var (blocks, bytes) = (scheduler.BlocksInUse, GC.GetTotalMemory(forceFullCollection: true));
        for (var wave = 0; wave < 4; wave++) await Wave(200);
        Assert.True(scheduler.BlocksInUse <= blocks + 4, $"{blocks} blocks became {scheduler.BlocksInUse}");
        var grown = GC.GetTotalMemory(forceFullCollection: true) - bytes;
        Assert.True(grown < 512 << 10, $"{grown} bytes more");
    }

    [Fact]
    public async Task SwapModel_RequestsInFlight_FinishOnTheOldWeights()
    {
        using var model = SmallModel.Create(1);
        using var other = SmallModel.Create(2);
        using var scheduler = Scheduler(model, 2, SmallModel.Limits);
        var prompts = SmallModel.Prompts(12);
        var before = await Task.WhenAll(prompts.Select((prompt, i) => scheduler.GenerateAsync(Request(prompt, i))));
        var running = prompts.Select((prompt, i) => scheduler.GenerateAsync(Request(prompt, i))).ToArray();
        var swap = scheduler.SwapModelAsync(other.Inference, 7, Token);
        var queued = prompts.Select((prompt, i) => scheduler.GenerateAsync(Request(prompt, i))).ToArray();
        await swap;
        Assert.Equal(7, scheduler.ModelVersion);
        using var fresh = Scheduler(other, 1, SmallModel.Limits);
        for (var i = 0; i < prompts.Length; i++)
        {
            var expected = await fresh.GenerateAsync(Request(prompts[i], i), Token);
            foreach (var result in (GenerationResult[])[await running[i], await queued[i]])
                Assert.Equal(result.ModelVersion == 7 ? expected.Tokens : before[i].Tokens, result.Tokens);
            Assert.Equal(expected.Tokens, (await scheduler.GenerateAsync(Request(prompts[i], i), Token)).Tokens);
        }
    }

    [Fact]
    public async Task Dispose_RequestsWaiting_FailThem()
    {
        using var model = SmallModel.Create();
        var scheduler = Scheduler(model, 1, SmallModel.Limits with { Sequences = 1 });

        // The first request is held at its first token, so that none is done before the end.
        using var held = new HeldStream();
        var tasks = SmallModel.Prompts(5)
            .Select(prompt => scheduler.GenerateAsync(new GenerationRequest(prompt, new SamplingOptions(), 300, []) { Stream = held })).ToArray();
        held.Reached.Wait(Token);
        var disposing = Task.Run(scheduler.Dispose, Token);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => tasks[^1]);
        held.Released.Set();
        await disposing;
        foreach (var task in tasks) await Assert.ThrowsAsync<ObjectDisposedException>(() => task);
    }

    private sealed class HeldStream : System.Threading.Channels.ChannelWriter<int>, IDisposable
    {
        public ManualResetEventSlim Reached { get; } = new();

        public ManualResetEventSlim Released { get; } = new();

        public override bool TryWrite(int item)
        {
            Reached.Set();
            Released.Wait();
            return true;
        }

        public override ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default) => new(true);

        public override bool TryComplete(Exception? error = null) => true;

        public void Dispose()
        {
            Reached.Dispose();
            Released.Dispose();
        }
    }

    [Fact]
    public void Step_SteadyState_AllocatesNothing()
    {
        using var model = SmallModel.Create();
        // Without a cache, so that the second round takes the blocks that the first one gave back.
        using var worker = new GenerationWorker(model.Inference, 0, SmallModel.Limits with { CacheBytes = 0 });
        foreach (var sampling in (SamplingOptions[])[new(1), new(0), new(0.7f, 0.9f, 40)])
        {
            foreach (var measured in (bool[])[false, true])
            {
                foreach (var prompt in SmallModel.Prompts(16))
                    worker.Admit(new GenerationRequest(prompt, sampling, 100, [])
                    {
                        Stop = new StopMatcher(["\0\0\0"]),
                        Tokenizer = model.Tokenizer,
                    });
                for (var step = 0; step < 20; step++) worker.Step();
                var before = GC.GetAllocatedBytesForCurrentThread();
                for (var step = 0; step < 70; step++) worker.Step();
                var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                Assert.Equal(16, worker.RunningCount);
                while (worker.RunningCount > 0) worker.Step();
                if (measured) Assert.Equal(0, allocated);
            }
        }
    }

    internal static GenerationRequest Request(int[] prompt, int seed, float temperature = 1, int maxNewTokens = 24) =>
        new(prompt, new SamplingOptions(temperature, Seed: (ulong)seed), maxNewTokens, [499]);

    private static GenerationScheduler Scheduler(EngineModel model, int workers, GenerationLimits limits) => new(model.Inference, 0, workers, limits);

    private static float[] Rescore(ParameterSet weights, int[] prompt, int[] completion, float temperature)
    {
        using var training = new TrainingModel(weights, laneCount: 1);
        var batch = Assert.Single(PackedBatch.Plan([new TrainingSequence([.. prompt, .. completion], prompt.Length)], 4096));
        float[] logProbs = new float[batch.Targets.Count], entropies = new float[batch.Targets.Count], ordered = new float[completion.Length];
        training.ForwardScore(training.Lanes[0], batch, temperature, logProbs, entropies);
        for (var i = 0; i < batch.Targets.Count; i++) ordered[batch.Targets[i].CompletionIndex] = logProbs[i];
        return ordered;
    }
}
