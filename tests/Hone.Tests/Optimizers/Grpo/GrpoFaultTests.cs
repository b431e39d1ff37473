using System.Collections.Immutable;
using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Optimizers;

/// <summary>What single rollouts do wrong must not end a run, nor be learned from.</summary>
public sealed class GrpoFaultTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A judge asked over plain HTTP ends its time-out as a cancelled task. That is its own, not the run's.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CompileAsync_MetricThatIsCancelledByItself_CostsTheRolloutItsScore(bool hasTimeLimit)
    {
        Metric<ToyQuestion, ToyAnswer> metric = (example, prediction, cancellationToken) => example.Input.Question == "q3"
            ? throw new TaskCanceledException("The request was canceled due to the configured HttpClient.Timeout.")
            : ToyTask.Metric(example, prediction, cancellationToken);
        var options = ToyTask.Options with { Steps = 4, RunTimeout = hasTimeLimit ? TimeSpan.FromHours(1) : null };
        var result = await Grpo.Create(metric, options).CompileAsync(ToyTask.Program(ToyTask.ReadablePolicy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal((StopReason.Completed, 4), (result.StopReason, result.Steps.Count));
        Assert.Equal(8, result.Steps.Sum(step => step.Unscorable)); // one example of eight, once in an epoch of four steps
        Assert.Equal(4 * 16, result.RolloutsGenerated);
        Assert.Equal((4 * 16) - 8, result.RolloutsUsed);
    }

    /// <summary>A refused key is an outage of the other model: the policy has done nothing that could be punished.</summary>
    [Fact]
    public async Task CompileAsync_OtherModelThatRefusesTheKey_DropsTheRollout()
    {
        var program = new Asking().WithModel(new LM(ToyTask.ReadablePolicy(), "toy"));
        var result = await Grpo.Create(ToyTask.Metric, ToyTask.Options with { Steps = 4 }).CompileAsync(program, ToyTask.Train, null, Token);
        Assert.Equal((8, 0), (result.Steps.Sum(step => step.Unscorable), result.Steps.Sum(step => step.Crashes)));
        Assert.Equal((4 * 16) - 8, result.RolloutsUsed);
    }

    /// <summary>The documented way to credit by parts, on a policy whose second answer cannot always be read: such a rollout has no parts.</summary>
    [Fact]
    public async Task CompileAsync_CreditByParts_GoesOnWhereARolloutHasNone()
    {
        var metric = Hone.Metric.From<ToyQuestion, ToyAnswer>((_, output) => new Score(output.Answer.EndsWith("right", StringComparison.Ordinal) ? 1 : 0)
        {
            Parts = ImmutableSortedDictionary<string, double>.Empty.Add("plan", output.Answer.StartsWith("good", StringComparison.Ordinal) ? 1 : 0),
        });
        var options = ToyTask.Options with { Credit = (rollout, call) => call.Path == "plan" ? rollout.Parts["plan"] : rollout.Reward };
        var result = await Grpo.Create(metric, options with { Return = ReturnPolicy.Last }).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, null, Token);
        var learned = (ToyPolicy)result.Program.Model!.Client;
        Assert.Contains(result.Steps, step => step.FormatFailures > 0);
        Assert.True(learned.Probability(0, 1) > 0.8 && learned.Probability(1, 1) > 0.8, $"{learned.Probability(0, 1):0.00}, {learned.Probability(1, 1):0.00}");
    }

    /// <summary>A policy whose client drops the tokens, as a wrapper may: every step says that nothing was learned.</summary>
    [Fact]
    public async Task CompileAsync_AnswersWithoutTokens_AreToldInEveryStep()
    {
        var warnings = new List<string>();
        var options = ToyTask.Options with
        {
            Steps = 2,
            Preflight = PreflightMode.Off,
            Progress = new GrpoTests.Recorder(happened => warnings.AddRange(happened is GrpoWarning warning ? [warning.Message] : [])),
        };
        var program = new ToyProgram().WithModel(new LM(new Tokenless(ToyTask.ReadablePolicy()), "toy"));
        var result = await Grpo.Create(ToyTask.Metric, options).CompileAsync(program, ToyTask.Train, null, Token);
        Assert.Equal(2, warnings.Count(warning => warning.Contains("carry no sampled tokens", StringComparison.Ordinal)));
        Assert.All(result.Steps, step => Assert.Equal((0, 0L), (step.RolloutsTeaching, step.TokensTrained)));
        var report = await Grpo.Create(ToyTask.Metric, options).CheckAsync(program, ToyTask.Train, null, Token);
        Assert.Contains(report.Findings, finding => finding is { Check: "tokens", Severity: PreflightSeverity.Problem });
    }

    /// <summary>Trains as the policy behind it does, and samples without telling the tokens.</summary>
    private sealed class Tokenless(ToyPolicy policy) : DelegatingChatClient(policy), ITrainableModel
    {
        public async Task<ITrainingSession> StartTrainingAsync(TrainingOptions options, CancellationToken cancellationToken = default) =>
            new Session(await policy.StartTrainingAsync(options, cancellationToken));

        private sealed class Client(IChatClient inner) : DelegatingChatClient(inner)
        {
            public override async Task<ChatResponse> GetResponseAsync(
                IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
            {
                var response = await base.GetResponseAsync(messages, options, cancellationToken);
                response.AdditionalProperties = null;
                return response;
            }
        }

        private sealed class Session(ITrainingSession inner) : ForwardingSession(inner)
        {
            public override IChatClient Policy { get; } = new Client(inner.Policy);
        }
    }

    /// <summary>Asks another model about one of the questions.</summary>
    private sealed class Asking : Module<ToyQuestion, ToyAnswer>
    {
        private readonly Predict<ToyQuestion, ToyPlan> plan = new("Plan.");
        private readonly Predict<ToyAnswerInput, ToyAnswer> answer = new("Answer.");

        protected override async Task<ToyAnswer> ForwardAsync(ToyQuestion input, CancellationToken cancellationToken)
        {
            var planned = await plan.CallAsync(input, cancellationToken);
            if (input.Question == "q3")
                throw new LMAuthException("The key is not known.");
            return new($"{planned.Plan}/{(await answer.CallAsync(new(input.Question, planned.Plan), cancellationToken)).Answer}");
        }
    }
}
