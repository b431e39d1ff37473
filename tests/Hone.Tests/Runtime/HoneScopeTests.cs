using Hone.Testing;

namespace Hone.Tests.Runtime;

public sealed class HoneScopeTests
{
    private static readonly FieldMap Question = FieldMap.Of(("question", "q"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Use_Nested_InnerAddsToOuter_AndDisposeRestores()
    {
        var model = new LM(ScriptedChatClient.InSequence(), "outer");
        using (HoneScope.Use(new ScopeOptions { Model = model, Options = new() { Temperature = 0.5f }, Seed = 3 }))
        {
            using (HoneScope.Use(new ScopeOptions { Options = new() { TopP = 0.9f }, Recovery = RecoveryPolicy.None, Adapter = XmlAdapter.Default }))
            {
                var scope = HoneScope.Current!;
                Assert.Same(model, scope.Model);
                Assert.Equal((0.5f, 0.9f), (scope.Options!.Temperature!.Value, scope.Options.TopP!.Value));
                Assert.Equal(3, scope.Seed);
                Assert.Same(RecoveryPolicy.None, scope.Recovery);
                Assert.Same(XmlAdapter.Default, scope.Adapter);
            }

            Assert.Same(ChatAdapter.Default, HoneScope.Current!.Adapter);
            Assert.Null(HoneScope.Current.Options!.TopP);
        }

        Assert.Null(HoneScope.Current);
    }

    [Fact]
    public void Use_ExceptionInside_RestoresTheOuterScope()
    {
        static void Fail()
        {
            using var scope = HoneScope.Use(new ScopeOptions { Seed = 1 });
            throw new InvalidOperationException();
        }

        Assert.Throws<InvalidOperationException>(Fail);
        Assert.Null(HoneScope.Current);
    }

    /// <summary>D19: settings belong to the flow that made them, and no flow owns those of all.</summary>
    [Fact]
    public async Task Use_ParallelFlows_DoNotSeeEachOther()
    {
        var seeds = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(async () =>
        {
            using var scope = HoneScope.Use(new ScopeOptions { Seed = i });
            await Task.Yield();
            return HoneScope.Current!.Seed;
        })));
        Assert.Equal(Enumerable.Range(0, 50).Select(i => (long?)i), seeds);
        Assert.Null(HoneScope.Current);
    }

    /// <summary>D20: what inner programs cost reaches every scope around them, run side by side or not.</summary>
    [Fact]
    public async Task Trace_ProgramsInAScope_AreCounted_ByModelPathAndRole()
    {
        var answer = "[[ ## answer ## ]]\na b";
        var first = Predict.Parse("question -> answer").WithModel(new LM(ScriptedChatClient.By((_, _) => answer), "m1"));
        var judge = new LM(ScriptedChatClient.By((_, _) => answer), "m2") { Role = "judge" };
        using var scope = HoneScope.Use(new ScopeOptions { Model = judge });
        await Task.WhenAll(first.CallAsync(Question, Token), first.CallAsync(Question, Token));
        await Predict.Parse("question -> answer").CallAsync(Question, Token);
        var usage = scope.Trace.UsageByModel;
        Assert.Equal(2, usage["m1"].Calls);
        Assert.Equal(1, usage["m2"].Calls);
        Assert.Equal(usage["m1"] + usage["m2"], scope.Trace.Usage);
        Assert.Equal(["judge", "task"], scope.Trace.UsageBy(call => call.Role).Keys);
    }

    [Fact]
    public async Task RunAsync_ProgramInsideAProgram_CountsInBoth()
    {
        var inner = Predict.Parse("question -> answer").WithModel(new LM(ScriptedChatClient.By((_, _) => "[[ ## answer ## ]]\nx"), "inner"));
        var outer = new Calling(inner).WithModel(new LM(ScriptedChatClient.By((_, _) => "[[ ## answer ## ]]\ny"), "outer"));
        var run = await outer.RunAsync("q", null, Token);
        Assert.Equal("x y", run.Value);
        Assert.Equal("own", Assert.Single(run.Trace.Calls).Path);
        Assert.Equal("inner", Assert.Single(run.Trace.Nested).Model);
        Assert.Equal(2, run.Usage.Calls);
    }

    [Fact]
    public async Task CallAsync_PredictorTheProgramDoesNotContain_IsRefused()
    {
        var stranger = Predict.Parse("question -> answer");
        var program = new Calling(stranger.WithModel(ScriptedChatClient.InSequence())) { Stranger = stranger }.WithModel(ScriptedChatClient.InSequence());
        var error = await Assert.ThrowsAsync<HoneException>(() => program.CallAsync("q", Token));
        Assert.Contains("does not contain", error.Message, StringComparison.Ordinal);
    }

    private sealed class Calling(Program<FieldMap, FieldMap> other) : Module<string, string>
    {
        private readonly Predict own = Predict.Parse("question -> answer");

        public Func<FieldMap, Task<FieldMap>>? StrangerCall { get; private set; }

        public Predict Stranger
        {
            init => StrangerCall = input => value.CallAsync(input);
        }

        protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken)
        {
            if (StrangerCall is not null)
                await StrangerCall(FieldMap.Of(("question", input)));
            var inner = await other.CallAsync(FieldMap.Of(("question", input)), cancellationToken);
            var mine = await own.CallAsync(FieldMap.Of(("question", input)), cancellationToken);
            return $"{inner["answer"]} {mine["answer"]}";
        }
    }
}
