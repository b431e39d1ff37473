using System.Globalization;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Modules.Attempts;

public sealed class RefineTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CallAsync_Advice_ReachesTheNextAttempt_AndNothingElse()
    {
        var client = ScriptedChatClient.InSequence(Answer("1"), Advice("""{"self": "try more"}"""), Answer("2"), Advice("""{"self": "N/A"}"""), Answer("3"));
        var program = Refined(3, 3).WithModel(client);
        var run = await program.RunAsync("q", null, Token);

        Assert.Equal("3", run.Value);
        Assert.Equal(["module", "advisor"], program.Predictors.Select(predictor => predictor.Key));
        Assert.DoesNotContain("hint_", client.Requests[0].LastText, StringComparison.Ordinal);
        Assert.Contains("[[ ## hint_ ## ]]\ntry more", client.Requests[2].LastText, StringComparison.Ordinal);
        Assert.DoesNotContain("hint_", client.Requests[4].LastText, StringComparison.Ordinal);
        Assert.All(run.Trace.Calls.Concat(run.Trace.Discarded), call => Assert.False(call.Inputs.ContainsKey("hint_")));
        Assert.All(run.Trace.Calls.Concat(run.Trace.Discarded), call => Assert.Null(call.Signature.Find("hint_")));
        Assert.Equal(["advisor", "advisor", "module"], run.Trace.Calls.Select(call => call.Path));
        Assert.Equal(5, run.Usage.Calls);
    }

    [Fact]
    public async Task CallAsync_Advisor_SeesWhatHappened()
    {
        var client = ScriptedChatClient.InSequence(Answer("1"), Advice("{}"), Answer("3"));
        var module = new Refine<string, string>(
            new Predict<string, string>("Count."), 2, (_, output) => new Score(double.Parse(output, CultureInfo.InvariantCulture)) { Feedback = "far too low" }, 3, "A high number.");
        await module.WithModel(client).CallAsync("q", Token);

        var asked = client.Requests[1].LastText;
        Assert.Contains("[[ ## program ## ]]\nself: input -> answer\nCount.", asked, StringComparison.Ordinal);
        Assert.Contains("""self: {"input": "q"} -> {"answer": "1"}""", asked, StringComparison.Ordinal);
        Assert.Contains("[[ ## goal ## ]]\nA high number.", asked, StringComparison.Ordinal);
        Assert.Contains("1, below the 3 that would be enough. far too low", asked, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AttemptAsync_EachAttempt_TellsTheAdviceItWasGiven()
    {
        var client = ScriptedChatClient.InSequence(Answer("1"), Advice("""{"self": "try more"}"""), Answer("2"), Advice("""{"self": "N/A"}"""), Answer("3"));
        using var scope = HoneScope.Use(client);
        var result = await Refined(3, 3).AttemptAsync("q", Token);
        Assert.Equal([[], ["try more"], []], result.Attempts.Select(attempt => attempt.Advice));
    }

    /// <summary>D27: advice finds a predictor by its path, under any adapter and whatever state is laid over its signature.</summary>
    [Fact]
    public async Task D27_Advice_GoesByPath_UnderAnyAdapterAndState()
    {
        var client = ScriptedChatClient.InSequence(
            """{"answer": "a"}""", """{"answer": "1"}""", """{"discussion": "d", "advice": {"second": "more", "third": "?"}}""", """{"answer": "a"}""", """{"answer": "3"}""");
        var program = new Refine<string, string>(new TwoSteps(), 2, Value, 3).WithModel(client).WithAdapter(JsonAdapter.Default);
        program = program.With(program.State.With("module.second", new() { Instructions = "Rewritten." }));

        Assert.Equal("3", await program.CallAsync("q", Token));
        Assert.DoesNotContain("hint_", client.Requests[3].LastText, StringComparison.Ordinal);
        Assert.Contains("more", client.Requests[4].LastText, StringComparison.Ordinal);
        Assert.Contains("Rewritten.", client.Requests[4].SystemText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CallAsync_FailedAttempt_IsAdvisedOn()
    {
        var client = ScriptedChatClient.InSequence("unreadable", Advice("""{"self": "mind the format"}"""), Answer("3"));
        var program = Refined(2, 3).WithModel(client).WithRecovery(RecoveryPolicy.None);

        Assert.Equal("3", await program.CallAsync("q", Token));
        Assert.Contains("[[ ## outputs ## ]]\nNone: ChatAdapter could not read", client.Requests[1].LastText, StringComparison.Ordinal);
        Assert.Contains("mind the format", client.Requests[2].LastText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CallAsync_UnreadableAdvice_CostsNoAttempt()
    {
        var client = ScriptedChatClient.InSequence(Answer("1"), "unreadable", Answer("3"));

        Assert.Equal("3", await Refined(2, 3).WithModel(client).WithRecovery(RecoveryPolicy.None).CallAsync("q", Token));
    }

    [Fact]
    public async Task CallAsync_LastAttempt_IsNotAdvisedOn()
    {
        var client = ScriptedChatClient.InSequence(Answer("1"), Advice("{}"), Answer("2"));

        Assert.Equal("2", await Refined(2, 3).WithModel(client).CallAsync("q", Token));
        Assert.Equal(3, client.Requests.Count);
    }

    [Fact]
    public async Task RunAsync_OneProgramManyTimes_HintsStayApart()
    {
        var client = ScriptedChatClient.By((request, _) => request.LastText switch
        {
            var text when text.Contains("`[[ ## advice ## ]]`", StringComparison.Ordinal) => Advice($$"""{"self": "hint of {{Mark(text)}}"}"""),
            var text when text.Contains("hint_", StringComparison.Ordinal) => Answer(text.Contains($"hint of {Mark(text)}", StringComparison.Ordinal) ? "3" : "-1"),
            _ => Answer("1"),
        });
        var runs = await Refined(2, 3).WithModel(client).RunBatchAsync([.. Enumerable.Range(0, 40).Select(i => $"@{i}@")], cancellationToken: Token);

        Assert.All(runs, run => Assert.Equal("3", run.Value!.Value));
    }

    /// <summary>A picture, a conversation and a long value do not crowd out what the advisor has to see.</summary>
    [Fact]
    public async Task CallAsync_Advisor_SeesLongAndLargeValuesInShort()
    {
        var client = ScriptedChatClient.InSequence(Answer("1"), Advice("{}"), Answer("3"));
        var task = new Predict(new Signature(
            [
                new("picture", FieldType.Image, FieldDirection.Input),
                new("page", FieldType.String, FieldDirection.Input),
                new("earlier", FieldType.History, FieldDirection.Input),
                new("answer", FieldType.String, FieldDirection.Output),
            ]));
        var module = new Refine<FieldMap, FieldMap>(task, 2, (_, output) => Value("", (string)output["answer"]!), 3);
        var picture = Image.FromBytes(new byte[50_000], "image/png");
        var earlier = History.Of(Enumerable.Range(0, 30).Select(i => FieldMap.Of(("page", $"turn number {i}"), ("answer", "a"))));
        await module.WithModel(new LM(client) { Capabilities = new() { Images = true } }).CallAsync(
            FieldMap.Of(("picture", picture), ("page", "begin " + new string('x', 200_000) + " end"), ("earlier", earlier)), Token);

        var asked = client.Requests[1].LastText;
        Assert.InRange(asked.Length, 1, 12_000);
        Assert.Contains("image (image/png, 50000 bytes)", asked, StringComparison.Ordinal);
        Assert.Contains("a conversation of 30 turns", asked, StringComparison.Ordinal);
        Assert.DoesNotContain("turn number", asked, StringComparison.Ordinal);
        Assert.Contains("begin xxx", asked, StringComparison.Ordinal);
        Assert.Contains("xxx end", asked, StringComparison.Ordinal);
    }

    /// <summary>The advisor only helps: no error of its model costs the series, unless the next attempt would meet it as well.</summary>
    [Fact]
    public async Task CallAsync_AdvisorFails_TheNextAttemptIsMade()
    {
        Exception[] errors = [new ContextWindowExceededException("too long"), new LMInvalidRequestException("no"), new LMUnexpectedException("?")];
        foreach (var error in errors)
        {
            var log = new ListLogger();
            var client = ScriptedChatClient.ByAsync((_, index, _) => index == 1 ? throw error : Task.FromResult(ScriptedChatClient.Respond(Answer(index == 0 ? "1" : "3"))));
            Assert.Equal("3", await Refined(2, 3).WithModel(new LM(client) { Retry = null }).WithLogger(log).CallAsync("q", Token));
            Assert.Contains($"gave no advice ({((LMException)error).Code})", Assert.Single(log.Warnings), StringComparison.Ordinal);
        }

        var refused = ScriptedChatClient.ByAsync((_, index, _) => index == 1 ? throw new LMAuthException("no") : Task.FromResult(ScriptedChatClient.Respond(Answer("1"))));
        await Assert.ThrowsAsync<LMAuthException>(() => Refined(2, 3).WithModel(new LM(refused) { Retry = null }).CallAsync("q", Token));
    }

    private static string Mark(string text) => text.Split('@')[1];

    private static string Answer(string text) => $"[[ ## answer ## ]]\n{text}\n\n[[ ## completed ## ]]";

    private static string Advice(string advice) => $"[[ ## discussion ## ]]\nd\n\n[[ ## advice ## ]]\n{advice}\n\n[[ ## completed ## ]]";

    private static Score Value(string input, string output) => double.Parse(output, CultureInfo.InvariantCulture);

    private static Refine<string, string> Refined(int attempts, double threshold) => new(new Predict<string, string>(), attempts, Value, threshold);

    private sealed class TwoSteps : Module<string, string>
    {
        private readonly Predict<string, string> first = new();
        private readonly Predict<string, string> second = new();

        protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken) =>
            await second.CallAsync(await first.CallAsync(input, cancellationToken), cancellationToken);
    }
}
