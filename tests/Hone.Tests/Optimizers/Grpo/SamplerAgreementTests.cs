using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Optimizers;

/// <summary>Sampler and trainer must be one policy: options that part them are refused, what parts them unseen is told.</summary>
public sealed class SamplerAgreementTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("state temperature", "'plan' samples with Temperature 0.7 where the loss assumes 1")]
    [InlineData("model top-p", "'plan' samples with TopP 0.9; 'answer' samples with TopP 0.9")]
    [InlineData("model top-k", "TopK 20")]
    [InlineData("state penalty", "'answer' samples with FrequencyPenalty 0.5")]
    [InlineData("model additional", "the additional option 'min_p'")]
    public async Task CompileAsync_OptionsThatTheLossDoesNotAssume_AreRefusedBeforeAnythingIsSampled(string kind, string expected)
    {
        var program = Program(kind);
        var error = await Assert.ThrowsAsync<HoneException>(() => Grpo.Create(ToyTask.Metric, ToyTask.Options).CompileAsync(program, ToyTask.Train, null, Token));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        var report = await Grpo.Create(ToyTask.Metric, ToyTask.Options).CheckAsync(program, ToyTask.Train, null, Token);
        var finding = Assert.Single(report.Findings, finding => finding.Check == "sampling");
        Assert.Equal((PreflightSeverity.Problem, error.Message), (finding.Severity, finding.Message));
    }

    [Fact]
    public async Task CompileAsync_OptionsOfTheModelThatSamplingOverrides_AreAccepted()
    {
        var program = new ToyProgram().WithModel(new LM(ToyTask.ReadablePolicy(), "toy") { Options = new() { Temperature = 0.2f, TopP = 0.9f, MaxOutputTokens = 50 } });
        var options = ToyTask.Options with { Steps = 1, Sampling = new() { Temperature = 1, TopP = 1 } };
        Assert.Single((await Grpo.Create(ToyTask.Metric, options).CompileAsync(program, ToyTask.Train, null, Token)).Steps);
    }

    /// <summary>What a module sets at the call is seen in the sampled tokens only.</summary>
    [Fact]
    public async Task CompileAsync_CallAtAnotherTemperature_IsLeftOutAndTold()
    {
        var warnings = new List<string>();
        var options = ToyTask.Options with { Steps = 1, Progress = new GrpoTests.Recorder(happened => warnings.AddRange(happened is GrpoWarning warning ? [warning.Message] : [])) };
        var program = new WarmProgram().WithModel(new LM(ToyTask.ReadablePolicy(), "toy"));
        var result = await Grpo.Create(ToyTask.Metric, options).CompileAsync(program, ToyTask.Train, null, Token);
        Assert.Contains(warnings, warning => warning.Contains("Calls of 'answer' were sampled at temperature 1.5", StringComparison.Ordinal));
        Assert.InRange(result.Steps[0].TokensTrained, 1, 16);
        Assert.Contains(result.Preflight!.Findings, finding => finding.Check == "sampling" && finding.Message.Contains("'answer'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CompileAsync_SamplerThatTellsOtherProbabilities_IsWarnedOfOnce()
    {
        var warnings = new List<string>();
        var options = ToyTask.Options with { Steps = 3, Progress = new GrpoTests.Recorder(happened => warnings.AddRange(happened is GrpoWarning warning ? [warning.Message] : [])) };
        await Grpo.Create(ToyTask.Metric, options).CompileAsync(new ToyProgram().WithModel(new SkewedPolicy(ToyTask.ReadablePolicy())), ToyTask.Train, null, Token);
        Assert.Contains("by 0.25", Assert.Single(warnings, warning => warning.Contains("disagree", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    private static Program<ToyQuestion, ToyAnswer> Program(string kind)
    {
        CallOptions model = kind switch
        {
            "model top-p" => new() { TopP = 0.9f },
            "model top-k" => new() { TopK = 20 },
            "model additional" => new() { Additional = System.Collections.Immutable.ImmutableSortedDictionary<string, object?>.Empty.Add("min_p", 0.1) },
            _ => new(),
        };
        var program = new ToyProgram().WithModel(new LM(ToyTask.ReadablePolicy(), "toy") { Options = model });
        return kind switch
        {
            "state temperature" => program.With(ProgramState.Default.With("plan", new() { Options = new() { Temperature = 0.7f } })),
            "state penalty" => program.With(ProgramState.Default.With("answer", new() { Options = new() { FrequencyPenalty = 0.5f } })),
            _ => program,
        };
    }

    private sealed class WarmProgram : Module<ToyQuestion, ToyAnswer>
    {
        private readonly Predict<ToyQuestion, ToyPlan> plan = new("Plan.");
        private readonly Predict<ToyAnswerInput, ToyAnswer> answer = new("Answer.");

        protected override async Task<ToyAnswer> ForwardAsync(ToyQuestion input, CancellationToken cancellationToken)
        {
            var planned = await plan.CallAsync(input, cancellationToken);
            var answered = await answer.PredictAsync(new(input.Question, planned.Plan), new() { Temperature = 1.5f }, cancellationToken);
            return new($"{planned.Plan}/{answered.Value.Answer}");
        }
    }

    // Learns as the toy does; its sampler tells log-probabilities that are off by a quarter.
    private sealed class SkewedPolicy(ToyPolicy policy) : DelegatingChatClient(policy), ITrainableModel
    {
        public async Task<ITrainingSession> StartTrainingAsync(TrainingOptions options, CancellationToken cancellationToken = default) =>
            new Session(await policy.StartTrainingAsync(options, cancellationToken));

        private sealed class Skewed(IChatClient client) : DelegatingChatClient(client)
        {
            public override async Task<ChatResponse> GetResponseAsync(
                IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
            {
                var response = await base.GetResponseAsync(messages, options, cancellationToken);
                var tokens = (SampledTokens)response.AdditionalProperties![SampledTokens.Key]!;
                response.AdditionalProperties[SampledTokens.Key] = tokens with { LogProbs = [.. tokens.LogProbs.Select(value => value - 0.25f)] };
                return response;
            }
        }

        private sealed class Session(ITrainingSession inner) : ForwardingSession(inner)
        {
            public override IChatClient Policy { get; } = new Skewed(inner.Policy);
        }
    }
}
