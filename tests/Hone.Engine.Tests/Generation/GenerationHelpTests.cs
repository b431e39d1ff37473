using Hone.Engine.Tests.Models;

namespace Hone.Engine.Tests.Generation;

/// <summary>Models so large that workers without a request help the others.</summary>
[Collection(MemoryTests.Name)]
public sealed class GenerationHelpTests : IDisposable
{
    private static readonly ModelConfig Config = SmallModel.Config with { HiddenSize = 256, LayerCount = 4, HeadWidth = 64, FeedForwardSize = 1100 };

    private readonly ParameterSet _weights = ParameterSet.CreateRandom(Config, 1);
    private readonly InferenceModel _model;

    public GenerationHelpTests() => _model = InferenceModel.Create(_weights);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _model.Dispose();
        _weights.Dispose();
    }

    [Fact]
    public async Task Generate_OneRequest_IsHelpedAndGivesTheSameTokens()
    {
        Assert.True(_model.IsWorthHelping);
        using var alone = Scheduler(1);
        using var helped = Scheduler(3);
        for (var seed = 0; seed < 200; seed++)
        {
            // On a busy machine the others may come to nothing for a while.
            if (seed > 2 && helped.PartsHelped > 0) break;
            GenerationRequest Request() => new(SmallModel.Prompts(4)[3], new SamplingOptions(Seed: (ulong)seed), 100, []);
            GenerationResult expected = await alone.GenerateAsync(Request(), Token), actual = await helped.GenerateAsync(Request(), Token);
            Assert.Equal(expected.Tokens, actual.Tokens);
            Assert.Equal(expected.LogProbs, actual.LogProbs);
        }

        Assert.Equal(0, alone.PartsHelped);
        Assert.True(helped.PartsHelped > 0);
    }

    [Theory]
    [InlineData(2, 5)]
    [InlineData(3, 30)]
    public async Task Generate_RequestsComingAndGoing_GiveTheTokensOfOneAtATime(int workers, int wave)
    {
        var prompts = SmallModel.Prompts(wave);
        using var alone = Scheduler(1);
        using var helped = Scheduler(workers);
        for (var round = 0; round < 3; round++)
        {
            // Of many lengths, so that workers become idle, help, and are called back.
            GenerationRequest Request(int i) => GenerationSchedulerTests.Request(prompts[i], (100 * round) + i, maxNewTokens: 3 + (i * 7 % 31));
            var running = prompts.Select((_, i) => Task.Run(() => helped.GenerateAsync(Request(i), Token), Token)).ToArray();
            for (var i = 0; i < prompts.Length; i++) Assert.Equal((await alone.GenerateAsync(Request(i), Token)).Tokens, (await running[i]).Tokens);
        }
    }

    [Fact]
    public async Task Generate_AGroup_ComputesItsPromptOnceForAllWorkers()
    {
        using var large = new LargeModel();
        Assert.Equal((1, 8), (_model.SequencesTogether, large.Model.SequencesTogether));
        using var scheduler = new GenerationScheduler(large.Model, 0, 3, SmallModel.Limits);
        var prompt = SmallModel.Prompts(4)[3];
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => scheduler.GenerateAsync(GenerationSchedulerTests.Request(prompt, i, maxNewTokens: 1), Token)));
        Assert.Equal(prompt.Length + 7, scheduler.RowsComputed);
    }

    [Fact]
    public async Task Generate_OneAfterTheOther_FindsWhatWasComputed()
    {
        using var large = new LargeModel();
        using var scheduler = new GenerationScheduler(large.Model, 0, 3, SmallModel.Limits);
        var prompt = SmallModel.Prompts(4)[3];
        for (var i = 0; i < 6; i++) await scheduler.GenerateAsync(GenerationSchedulerTests.Request(prompt, i, maxNewTokens: 1), Token);
        Assert.Equal(prompt.Length + 5, scheduler.RowsComputed);
    }

    [Fact]
    public async Task Generate_MoreThanOneWorkerTakes_AreDivided()
    {
        // One request a worker: the second one must not wait for the first one's end.
        using var scheduler = Scheduler(2, SmallModel.Limits with { Sequences = 1 });
        using var endless = new CancellationTokenSource();
        var first = scheduler.GenerateAsync(new GenerationRequest(SmallModel.Prompts(1)[0], new SamplingOptions(), 400, []), endless.Token);
        Assert.NotEmpty((await scheduler.GenerateAsync(GenerationSchedulerTests.Request(SmallModel.Prompts(1)[0], 1), Token)).Tokens);
        await endless.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
    }

    [Fact]
    public async Task SwapAndDispose_WhileHelped_EndInOrder()
    {
        using var otherWeights = ParameterSet.CreateRandom(Config, 2);
        using var other = InferenceModel.Create(otherWeights);
        var prompt = SmallModel.Prompts(4)[3];
        GenerationRequest Request(int length) => GenerationSchedulerTests.Request(prompt, 5, maxNewTokens: length);
        var scheduler = Scheduler(3);
        var running = scheduler.GenerateAsync(Request(60), Token);
        await scheduler.SwapModelAsync(other, 1, Token);
        using (var alone = new GenerationScheduler(other, 1, 1, SmallModel.Limits))
            Assert.Equal((await alone.GenerateAsync(Request(20), Token)).Tokens, (await scheduler.GenerateAsync(Request(20), Token)).Tokens);
        var result = await running;
        using (var alone = result.ModelVersion == 0 ? Scheduler(1) : new GenerationScheduler(other, 1, 1, SmallModel.Limits))
            Assert.Equal((await alone.GenerateAsync(Request(60), Token)).Tokens, result.Tokens);
        var cut = scheduler.GenerateAsync(new GenerationRequest(prompt, new SamplingOptions(), 350, []), Token);
        while (scheduler.BlocksInUse == 0) await Task.Yield();
        scheduler.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => cut);
    }

    private GenerationScheduler Scheduler(int workers, GenerationLimits? limits = null) => new(_model, 0, workers, limits ?? SmallModel.Limits);

    /// <summary>Too large for caches: it is read once for all sequences of a step, and the first worker takes them.</summary>
    private sealed class LargeModel : IDisposable
    {
        private readonly ParameterSet _weights = ParameterSet.CreateRandom(Config with { FeedForwardSize = 4000 }, 1);

        public LargeModel() => Model = InferenceModel.Create(_weights);

        public InferenceModel Model { get; }

        public void Dispose()
        {
            Model.Dispose();
            _weights.Dispose();
        }
    }
}
