using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Optimizers;

/// <summary>Prompts of examples that are not run, judged by those that are.</summary>
public sealed class LongestPromptsTests
{
    private const int Around = 100;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A token for each character, 100 characters around the question.</summary>
    [Fact]
    public void Of_LongerExampleLaterInTheSet_IsFoundByItsLength()
    {
        Example<ToyQuestion, ToyAnswer>[] train = [Of(10), Of(30), Of(500) with { Id = "late" }, Of(20)];
        var found = LongestPrompts.Of(Data(train), [Rolled(0, 10), Rolled(1, 30)], ["answer"]);
        Assert.Equal(
            [new LongPrompt("answer", Around + 30, "training", "1", IsMeasured: true), new LongPrompt("answer", Around + 500, "training", "2 ('late')", IsMeasured: false)],
            found);
    }

    [Fact]
    public void Of_ValidationSet_IsLookedAtToo()
    {
        Example<ToyQuestion, ToyAnswer>[] train = [Of(10)];
        var found = LongestPrompts.Of(Data(train, [Of(5), Of(700)]), [Rolled(0, 10)], ["answer"]);
        Assert.Equal(new LongPrompt("answer", Around + 700, "validation", "1", IsMeasured: false), found[^1]);
        Assert.DoesNotContain(LongestPrompts.Of(Data(train, train), [Rolled(0, 10)], ["answer"]), prompt => prompt.Set == "validation");
    }

    /// <summary>What a predictor asks about its own, e.g. a plan, is there for every example; only the example's texts change.</summary>
    [Fact]
    public void Of_TextsOfTheExampleThatAPredictorDoesNotSee_ChangeNothing()
    {
        var unseen = Rolled(0, 10, new string('p', 10));
        var found = LongestPrompts.Of(Data([Of(10), Of(500)]), [unseen], ["answer"]);
        Assert.Equal([new LongPrompt("answer", Around + 10, "training", "0", IsMeasured: true)], found);
        Assert.Empty(LongestPrompts.Of(Data([Of(10), Of(500)]), [unseen], ["other"]));
    }

    /// <summary>A text of some length is recognised within another; a short one could be there by chance.</summary>
    [Theory]
    [InlineData(40, true)]
    [InlineData(5, false)]
    public void Of_TextWithinAnInput_CountsWhenItIsLong(int length, bool isFound)
    {
        var found = LongestPrompts.Of(Data([Of(length), Of(500)]), [Rolled(0, length + 2, $"<{new string('q', length)}>")], ["answer"]);
        Assert.Equal(isFound ? Around + 502 : null, found.SingleOrDefault(prompt => !prompt.IsMeasured)?.Tokens);
    }

    /// <summary>Which a module of the user's own may read: what was sent is measured, the rest is not known.</summary>
    [Fact]
    public void Of_InputsThatCannotBeTakenApart_AreLeftOut()
    {
        Example<Knot, ToyAnswer>[] train = [new(new(), new("good/right")), new(new(), new("good/right"))];
        var found = LongestPrompts.Of(new GrpoData<Knot, ToyAnswer>(train, train, null), [Rolled(0, 10)], ["answer"]);
        Assert.Equal([new LongPrompt("answer", Around + 10, "training", "0", IsMeasured: true)], found);
    }

    /// <summary>A service that learns from text tells how many tokens a prompt had, not which.</summary>
    [Fact]
    public void Of_ModelThatOnlyCountsItsTokens_IsJudgedByThem()
    {
        var call = Call(10, new string('q', 10)) with { Tokens = null, Usage = new(1, Around + 10, 3) };
        Assert.Equal(Around + 500, LongestPrompts.Of(Data([Of(10), Of(500)]), [Rolled(0, call)], ["answer"])[^1].Tokens);
    }

    /// <summary>Of 2000 tokens, 4 characters each: a long example in the middle of either set, and a limit that only the model's own options set.</summary>
    [Theory]
    [InlineData(3000, 100, null, null, null)]
    [InlineData(9000, 100, null, null, "training example 6")]
    [InlineData(7000, 100, null, null, null)]
    [InlineData(7000, 900, null, null, "(Options.MaxOutputTokens of the model 'toy')")]
    [InlineData(7000, 900, 100, null, null)]
    [InlineData(7000, 100, 900, null, "(Sampling.MaxOutputTokens)")]
    [InlineData(7000, 100, 100, 900, "(MaxOutputTokens of 'plan' in the program's state)")]
    public async Task CheckAsync_LongExampleBehindThoseThatAreRun_IsToldWithTheLimitInEffect(int length, int ofModel, int? ofSampling, int? ofState, string? told)
    {
        var runs = 0;
        Example<ToyQuestion, ToyAnswer>[] train = [.. ToyTask.Train[..6], Of(length), .. ToyTask.Train[6..]];
        var program = new ToyProgram().WithModel(new LM(new CountingPolicy(() => runs++), "toy") { Options = new() { MaxOutputTokens = ofModel } })
            .With(ProgramState.Default.With("plan", new() { Options = new() { MaxOutputTokens = ofState } }));
        var grpo = Grpo.Create(ToyTask.Metric, ToyTask.Options with { Sampling = ToyTask.Options.Sampling with { MaxOutputTokens = ofSampling } });
        var report = await grpo.CheckAsync(program, train, null, Token);
        var found = report.Findings.Where(finding => finding.Check == "context").Select(finding => finding.Message).ToArray();
        if (told is null)
            Assert.Empty(found);
        else
            Assert.Contains(told, Assert.Single(found), StringComparison.Ordinal);
        Assert.Equal(((4 * 8) + 4) * 2, runs);
    }

    [Fact]
    public async Task CheckAsync_LongValidationExample_IsTold()
    {
        var program = new ToyProgram().WithModel(new LM(new CountingPolicy(() => { }), "toy"));
        var report = await Grpo.Create(ToyTask.Metric, ToyTask.Options).CheckAsync(program, ToyTask.Train, [.. ToyTask.Validation, Of(9000)], Token);
        Assert.Contains("validation example 6", Assert.Single(report.Findings, finding => finding.Check == "context").Message, StringComparison.Ordinal);
    }

    private static Example<ToyQuestion, ToyAnswer> Of(int length) => new(new(new string('q', length)), new("good/right"));

    private static GrpoData<ToyQuestion, ToyAnswer> Data(Example<ToyQuestion, ToyAnswer>[] train, Example<ToyQuestion, ToyAnswer>[]? validation = null) => new(train, train, validation);

    private static Rollout Rolled(int example, int length, string? input = null) => Rolled(example, Call(length, input ?? new string('q', length)));

    private static Rollout Rolled(int example, PredictorCall call) => new()
    {
        ExampleIndex = example,
        RolloutIndex = 0,
        Seed = 0,
        Reward = 1,
        Outcome = RolloutOutcome.Scored,
        Trace = new([call]),
    };

    private static PredictorCall Call(int length, string input) => Calls.Make("answer", 3, promptTokens: Around + length) with
    {
        Inputs = FieldMap.Of(("question", input)),
        Messages = [new(ChatRole.System, new string('s', Around)), new(ChatRole.User, input)],
    };

    /// <summary>A value that contains itself.</summary>
    private sealed class Knot
    {
        public Knot Self => this;
    }

    /// <summary>A toy policy whose prompts have a token for every four characters, in a context of 2000.</summary>
    private sealed class CountingPolicy(Action asked) : DelegatingChatClient(ToyTask.ReadablePolicy()), ITrainableModel
    {
        public async Task<ITrainingSession> StartTrainingAsync(TrainingOptions options, CancellationToken cancellationToken = default) =>
            new Session(await ((ToyPolicy)InnerClient).StartTrainingAsync(options, cancellationToken), asked);

        private sealed class Session(ITrainingSession inner, Action asked) : ForwardingSession(inner)
        {
            public override TrainingCapabilities Capabilities => base.Capabilities with { MaxSequenceLength = 2000 };

            public override IChatClient Policy { get; } = new Client(inner.Policy, asked);
        }

        private sealed class Client(IChatClient inner, Action asked) : DelegatingChatClient(inner)
        {
            public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
            {
                ChatMessage[] all = [.. messages];
                var response = await base.GetResponseAsync(all, options, cancellationToken);
                lock (asked)
                    asked();
                var tokens = (SampledTokens)response.AdditionalProperties![SampledTokens.Key]!;
                response.AdditionalProperties[SampledTokens.Key] = tokens with { PromptIds = new int[all.Sum(message => message.Text.Length) / 4] };
                return response;
            }
        }
    }
}
