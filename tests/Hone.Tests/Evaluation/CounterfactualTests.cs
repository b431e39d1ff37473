using Hone.Testing;

namespace Hone.Tests.Evaluation;

public sealed class CounterfactualTests
{
    private static readonly Example<FieldMap, FieldMap> Example = new(FieldMap.Of(("question", "q")), FieldMap.Of(("answer", "right")));

    // Half for the plan, half for the answer, whatever the plan says.
    private static readonly Metric<FieldMap, FieldMap> Half = Metric.From<FieldMap, FieldMap>((_, output) =>
        ($"{output["answer"]}".Contains("good", StringComparison.Ordinal) ? 0.5 : 0) + ($"{output["answer"]}".Contains("right", StringComparison.Ordinal) ? 0.5 : 0));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task OfRunAsync_EachCall_IsCreditedWithItsOwnPart(int parallelism)
    {
        // Recorded: the good plan and the wrong answer. Anew: the good plan one time in four, the right answer always.
        var program = new TwoSteps().WithModel(new LM(Model(recording: true)));
        var run = await program.RunAsync(Example.Input, null, Token);
        Assert.Equal("good wrong", run.Value["answer"]);

        var anew = Model(recording: false);
        var results = await Counterfactual.OfRunAsync(program.WithModel(new LM(anew)), Example, run, Half, new() { Samples = 4, MaxParallelism = parallelism }, Token);

        Assert.Equal(["plan", "answer"], results.Select(result => result.Call.Path));
        Assert.All(results, result => Assert.Equal(0.5, result.Score));

        // The plan anew, and the answer after it: 1 when the plan is good again, else 0.5.
        Assert.Equal([1, 0.5, 0.5, 0.5], results[0].Alternatives);
        Assert.Equal(-0.125, results[0].Advantage, 9);

        // The answer anew after the recorded good plan.
        Assert.Equal([1, 1, 1, 1], results[1].Alternatives);
        Assert.Equal(-0.5, results[1].Advantage, 9);

        // Four runs of two calls, then four of one: what stands in the record is not asked again.
        Assert.Equal(12, anew.Requests.Count);
    }

    [Fact]
    public async Task OfCallAsync_CallOfAnotherRun_IsRefused()
    {
        var program = new TwoSteps().WithModel(new LM(Model(recording: true)));
        var (run, other) = (await program.RunAsync(Example.Input, null, Token), await program.RunAsync(Example.Input, null, Token));
        var error = await Assert.ThrowsAsync<HoneException>(() => Counterfactual.OfCallAsync(program, Example, run, other.Trace.Calls[0] with { Text = "x" }, Half, null, Token));
        Assert.Contains("'plan'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OfCallAsync_ProgramThatDependsOnSomethingElse_IsNoticed()
    {
        var module = new TwoSteps();
        var program = module.WithModel(new LM(Model(recording: true)));
        var run = await program.RunAsync(Example.Input, null, Token);
        module.SkipsThePlan = true;
        var error = await Assert.ThrowsAnyAsync<AggregateException>(() => Counterfactual.OfCallAsync(program, Example, run, run.Trace.Calls[1], Half, null, Token));
        Assert.Contains("did not make call 0 of 'plan'", error.InnerExceptions[0].Message, StringComparison.Ordinal);
    }

    private static ScriptedChatClient Model(bool recording) => ScriptedChatClient.By((request, _) =>
    {
        var options = (HoneChatOptions)request.Options!;
        return ScriptedChatClient.ChatText(options.Path == "plan"
            ? FieldMap.Of(("plan", recording || options.SampleId == 0 ? "good" : "bad"))
            : FieldMap.Of(("answer", (request.LastText.Contains("good", StringComparison.Ordinal) ? "good " : "bad ") + (recording ? "wrong" : "right"))));
    });

    private sealed class TwoSteps : Module<FieldMap, FieldMap>
    {
        private readonly Predict plan = Predict.Parse("question -> plan");
        private readonly Predict answer = Predict.Parse("question, plan -> answer");

        public bool SkipsThePlan { get; set; }

        protected override async Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken)
        {
            var planned = SkipsThePlan ? FieldMap.Of(("plan", "none")) : await plan.CallAsync(input, cancellationToken);
            return await answer.CallAsync(input.With("plan", planned["plan"]), cancellationToken);
        }
    }
}
