using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Optimizers;

/// <summary>Learning from examples that are done while others are under way: the same learning, earlier.</summary>
public sealed class OverlapLearningTests
{
    private static readonly GrpoOptions Options = ToyTask.Options with { OverlapLearning = true, Preflight = PreflightMode.Off };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task CompileAsync_AnyParallelism_GivesTheSameSeries(int parallelism)
    {
        var expected = await RunAsync(new Overlapping(ToyTask.Policy()), Options);
        var actual = await RunAsync(new Overlapping(ToyTask.Policy()), Options with { MaxParallelism = parallelism });
        GrpoTests.AssertSameSeries(expected, actual);
        Assert.True(expected.BestScore > expected.BaselineScore + 0.3);
    }

    /// <summary>But for the order in which gradients are summed, and so for rounding, it is what the same run learns without.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(3, 1)]
    [InlineData(0, 2)]
    public async Task CompileAsync_Always_LearnsWhatItWouldWithout(int resamples, int updates)
    {
        var options = Options with { MaxResamples = resamples, UpdatesPerBatch = updates, Steps = 12, LearningRate = 0.3 };
        var metric = Hone.Metric.From<ToyQuestion, ToyAnswer>((example, output) =>
            example.Input.Question is "q3" or "q5" ? 0 : output.Answer.EndsWith("right", StringComparison.Ordinal) ? 1 : 0);
        var overlapped = await RunAsync(new Overlapping(ToyTask.ReadablePolicy()), options, metric);
        var plain = await RunAsync(new Overlapping(ToyTask.ReadablePolicy()), options with { OverlapLearning = false }, metric);
        Assert.Equal(
            plain.Steps.Select(step => (step.RewardMean, step.TokensTrained, step.ResampledExamples, step.RolloutsTeaching, step.ZeroVarianceFraction, Groups(step))),
            overlapped.Steps.Select(step => (step.RewardMean, step.TokensTrained, step.ResampledExamples, step.RolloutsTeaching, step.ZeroVarianceFraction, Groups(step))));
        Assert.All(plain.Steps.Zip(overlapped.Steps), pair => Assert.Equal(pair.First.GradientNorm, pair.Second.GradientNorm, 1e-9));
        Assert.Equal(resamples > 0, plain.Steps.Any(step => step.ResampledExamples > 0));

        static string Groups(GrpoStepReport step) => string.Join(", ", step.Groups.OrderBy(group => group.Key).Select(group => $"{group.Key} {group.Value}"));
    }

    /// <summary>The second example's metric waits until the first example is learned from. Without overlap that would never come.</summary>
    [Fact]
    public async Task CompileAsync_ExampleThatIsDone_IsLearnedFromWhileAnotherIsScored()
    {
        var model = new Overlapping(ToyTask.ReadablePolicy());
        var learned = new TaskCompletionSource();
        model.Added = _ => learned.TrySetResult();
        var first = new TaskCompletionSource<string>();
        Metric<ToyQuestion, ToyAnswer> metric = async (example, prediction, cancellationToken) =>
        {
            first.TrySetResult(example.Input.Question);
            if (example.Input.Question != await first.Task)
                await learned.Task.WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);
            return await ToyTask.Metric(example, prediction, cancellationToken);
        };
        var result = await RunAsync(model, Options with { Steps = 1, MaxParallelism = 1 }, metric);
        Assert.Equal((StopReason.Completed, 16), (result.StopReason, result.RolloutsGenerated));
        Assert.Equal(0, Assert.Single(result.Steps).Unscorable);
    }

    /// <summary>The first example of the step is the last one done: the others wait for it, and are learned from in their order.</summary>
    [Fact]
    public async Task CompileAsync_ExamplesDoneInAnotherOrder_AreLearnedFromInTheirs()
    {
        var expected = await AddedAsync(null);
        var actual = await AddedAsync(expected[0]);
        Assert.Equal(1 + 4, expected.Distinct().Count());
        Assert.Equal(expected, actual);

        async Task<List<string>> AddedAsync(string? late)
        {
            var (added, others) = (new List<string>(), new CountdownEvent(3 * 8));
            var model = new Overlapping(ToyTask.ReadablePolicy()) { Added = data => added.Add(string.Join(' ', data.Select(datum => $"{datum.Advantage:0.000}"))) };
            Metric<ToyQuestion, ToyAnswer> metric = async (example, prediction, cancellationToken) =>
            {
                var score = await ToyTask.Metric(example, prediction, cancellationToken);
                if (example.Input.Question == late)
                    await Task.Run(() => others.Wait(cancellationToken), cancellationToken);
                else if (late is not null)
                    others.Signal();
                return score;
            };
            var first = string.Empty;
            var progress = new GrpoTests.Recorder(happened =>
            {
                if (happened is GrpoStepCompleted step)
                    first = ToyTask.Train[step.Rollouts[0].ExampleIndex].Input.Question;
            });
            await RunAsync(model, Options with { Steps = 1, ExamplesPerStep = 4, MaxParallelism = 32, Progress = progress }, metric);
            return late is null ? [first, .. added] : [late, .. added];
        }
    }

    [Fact]
    public async Task CompileAsync_CreditThatFails_EndsTheRunWithItsErrorAndDropsTheRest()
    {
        var rolled = 0;
        var model = new Overlapping(ToyTask.ReadablePolicy());
        Metric<ToyQuestion, ToyAnswer> metric = (example, prediction, cancellationToken) =>
        {
            Interlocked.Increment(ref rolled);
            return ToyTask.Metric(example, prediction, cancellationToken);
        };
        var options = Options with { ExamplesPerStep = 8, MaxParallelism = 1, Credit = (_, _) => double.NaN };
        var error = await Assert.ThrowsAsync<HoneException>(() => RunAsync(model, options, metric, validation: null));
        Assert.Contains("Credit gave", error.Message, StringComparison.Ordinal);
        Assert.Equal(8, rolled);
        Assert.Equal(1, model.Disposed);
    }

    [Fact]
    public async Task CompileAsync_StopDuringRollouts_DropsWhatWasLearnedOfTheStep()
    {
        using var stop = new CancellationTokenSource();
        var model = new Overlapping(ToyTask.ReadablePolicy()) { Added = _ => stop.Cancel() };
        var result = await RunAsync(model, Options with { ExamplesPerStep = 8, MaxParallelism = 1, Stop = stop.Token });
        Assert.Equal((StopReason.Requested, 0), (result.StopReason, result.Steps.Count));
        Assert.Equal(1, model.Disposed);
        Assert.Equal(-1, result.BestStep);
    }

    /// <summary>Several sets of weights, each with a pass of its own.</summary>
    [Fact]
    public async Task CompileAsync_SeparateWeights_LearnEachInItsOwnPass()
    {
        var options = Options with { Multitask = false, Steps = 10 };
        var model = new Overlapping(ToyTask.ReadablePolicy());
        var overlapped = await RunAsync(model, options);
        var plain = await RunAsync(new Overlapping(ToyTask.ReadablePolicy()), options with { OverlapLearning = false });
        Assert.All(plain.Steps.Zip(overlapped.Steps), pair => Assert.Equal(pair.First.GradientNorm, pair.Second.GradientNorm, 1e-9));
        Assert.Equal(plain.Steps.Select(step => step.RewardMean), overlapped.Steps.Select(step => step.RewardMean));
        Assert.InRange(model.Disposed, 11, 20);
    }

    [Fact]
    public async Task CompileAsync_SessionThatCannot_SaysSoAndLearnsAsEver()
    {
        var warnings = new List<string>();
        var progress = new GrpoTests.Recorder(happened => warnings.AddRange(happened is GrpoWarning warning ? [warning.Message] : []));
        var told = await Grpo.Create(ToyTask.Metric, Options with { Progress = progress }).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Single(warnings, warning => warning.Contains("OverlapLearning", StringComparison.Ordinal));
        var plain = await Grpo.Create(ToyTask.Metric, Options with { OverlapLearning = false }).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        GrpoTests.AssertSameSeries(plain, told);
    }

    private static Task<GrpoResult<ToyQuestion, ToyAnswer>> RunAsync(Overlapping model, GrpoOptions options, Metric<ToyQuestion, ToyAnswer>? metric = null) =>
        RunAsync(model, options, metric ?? ToyTask.Metric, metric is null ? ToyTask.Validation : null);

    private static Task<GrpoResult<ToyQuestion, ToyAnswer>> RunAsync(
        Overlapping model, GrpoOptions options, Metric<ToyQuestion, ToyAnswer> metric, IReadOnlyList<Example<ToyQuestion, ToyAnswer>>? validation) =>
        Grpo.Create(metric, options).CompileAsync(new ToyProgram().WithModel(new LM(model, "toy")), ToyTask.Train, validation, Token);

    /// <summary>Trains as the policy behind it does, and says that it could do so while it samples; its passes gather what is added.</summary>
    private sealed class Overlapping(ToyPolicy policy) : DelegatingChatClient(policy), ITrainableModel
    {
        private int disposed;

        public Action<IReadOnlyList<TrainingDatum>>? Added { get; set; }

        public int Disposed => disposed;

        public async Task<ITrainingSession> StartTrainingAsync(TrainingOptions options, CancellationToken cancellationToken = default) =>
            new Session(await policy.StartTrainingAsync(options, cancellationToken), this);

        private sealed class Session(ITrainingSession inner, Overlapping model) : ForwardingSession(inner), ITrainingSession
        {
            public override TrainingCapabilities Capabilities => base.Capabilities with { LearnsWhileSampling = true };

            public ITrainingPass BeginPass(PolicyLossOptions loss) => new Pass(new GatheredPass(this, loss), model);
        }

        private sealed class Pass(ITrainingPass inner, Overlapping model) : ITrainingPass
        {
            public void Add(IReadOnlyList<TrainingDatum> data)
            {
                inner.Add(data);
                model.Added?.Invoke(data);
            }

            public Task<ForwardBackwardResult> CompleteAsync(CancellationToken cancellationToken = default) => inner.CompleteAsync(cancellationToken);

            public ValueTask DisposeAsync()
            {
                Interlocked.Increment(ref model.disposed);
                return inner.DisposeAsync();
            }
        }
    }
}
