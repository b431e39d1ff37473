using System.Text.Json;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Modules;

public sealed class RecoveryTests
{
    private const string Unreadable = "I think it is forty-two.";

    private static readonly FieldMap Question = FieldMap.Of(("question", "q"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RunAsync_UnreadableAnswer_AsksAgainWithTheError()
    {
        var client = ScriptedChatClient.InSequence(Unreadable, "[[ ## answer ## ]]\n42\n\n[[ ## completed ## ]]");
        var run = await Program(client).RunAsync(Question, null, Token);
        Assert.Equal(42L, run.Value["answer"]);
        Assert.Equal(1, run.RecoveryCount);
        Assert.Equal([0, 1], run.Trace.Calls.Select(call => call.Attempt));
        Assert.Equal([0, 0], run.Trace.Calls.Select(call => call.Ordinal));
        Assert.Equal(ParseFailureKind.Structural, run.Trace.Calls[0].Failure!.Kind);
        var asked = client.Requests[1].Messages;
        Assert.Equal([ChatRole.System, ChatRole.User, ChatRole.Assistant, ChatRole.User], asked.Select(message => message.Role));
        Assert.Equal(Unreadable, asked[2].Text);
        Assert.Contains("no value for answer", asked[3].Text, StringComparison.Ordinal);
        Assert.Contains("[[ ## answer ## ]]", asked[3].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_BrokenBound_IsNamedInTheReAsk()
    {
        var signature = Signature.Parse("question -> score: int")
            .WithUpdatedField("score", field => field with { Constraints = [new("le", 10L)] });
        var client = ScriptedChatClient.InSequence("[[ ## score ## ]]\n900", "[[ ## score ## ]]\n9");
        var run = await new Predict(signature).WithModel(client).RunAsync(Question, null, Token);
        Assert.Equal(9L, run.Value["score"]);
        Assert.Contains("field 'score': 900 breaks the bound 'less than or equal to: 10'", client.Requests[1].LastText, StringComparison.Ordinal);
    }

    /// <summary>D6: the fallback is told, counted and can be told apart in the trace.</summary>
    [Fact]
    public async Task RunAsync_ReAskFailsToo_AsksInJson()
    {
        var client = ScriptedChatClient.InSequence(Unreadable, Unreadable, """{"answer": 42}""");
        var log = new ListLogger();
        var run = await Program(client).WithLogger(log).RunAsync(Question, null, Token);
        Assert.Equal(42L, run.Value["answer"]);
        Assert.Equal(["ChatAdapter", "ChatAdapter", "JsonAdapter"], run.Trace.Calls.Select(call => call.Adapter));
        Assert.Equal(2, run.RecoveryCount);
        Assert.Contains("one JSON object", client.Requests[2].SystemText, StringComparison.Ordinal);
        Assert.Equal(2, client.Requests[2].Messages.Length);
        Assert.Equal(2, log.Warnings.Count);
        Assert.Contains("Asking in the format of JsonAdapter", log.Warnings[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_NothingHelps_ThrowsTheLastFailureWithTheFirstInside()
    {
        var client = ScriptedChatClient.By((_, index) => $"{Unreadable} {index}");
        var error = await Assert.ThrowsAsync<AdapterParseException>(() => Program(client).RunAsync(Question, null, Token));
        Assert.Equal(4, client.Requests.Count);
        Assert.Equal("JsonAdapter", error.Adapter);
        Assert.Contains("4 requests were made", error.Message, StringComparison.Ordinal);
        Assert.Equal($"{Unreadable} 0", Assert.IsType<AdapterParseException>(error.InnerException).Completion);
    }

    /// <summary>One exception has all that is needed to see what happened: the text, the field, how often it was tried and what that cost.</summary>
    [Fact]
    public async Task RunAsync_NothingHelps_TheErrorHasFieldRequestsAndUsage()
    {
        var client = ScriptedChatClient.ByAsync((_, _, _) =>
        {
            var response = ScriptedChatClient.Respond(Unreadable);
            response.Usage = new() { InputTokenCount = 10, OutputTokenCount = 2 };
            return Task.FromResult(response);
        });
        var program = Program(client).WithRecovery(new() { ReAsks = 2, NextAdapter = null });
        var error = await Assert.ThrowsAsync<AdapterParseException>(() => program.RunAsync(Question, null, Token));
        Assert.Equal(("answer", 3), (error.Field, error.Requests));
        Assert.Equal((30L, 6L), (error.Usage.InputTokens, error.Usage.OutputTokens));

        error = await Assert.ThrowsAsync<AdapterParseException>(() => Program(client).WithRecovery(RecoveryPolicy.None).RunAsync(Question, null, Token));
        Assert.Equal(("answer", 1, 10L), (error.Field, error.Requests, error.Usage.InputTokens));
        Assert.Null(error.InnerException);
    }

    [Theory]
    [InlineData("[[ ## note ## ]]\nn\n\n[[ ## stars ## ]]\nmany", "stars")]
    [InlineData("[[ ## note ## ]]\nn", "stars")]
    [InlineData("", null)]
    public async Task RunAsync_Unreadable_TheFieldIsNamed(string answer, string? field)
    {
        var program = Predict.Parse("question -> note, stars: int").WithModel(ScriptedChatClient.By((_, _) => answer)).WithRecovery(RecoveryPolicy.None);
        Assert.Equal(field, (await Assert.ThrowsAsync<AdapterParseException>(() => program.RunAsync(Question, null, Token))).Field);
    }

    [Fact]
    public async Task RunAsync_PolicyNone_AsksOnce()
    {
        var client = ScriptedChatClient.By((_, _) => Unreadable);
        var error = await Assert.ThrowsAsync<AdapterParseException>(() => Program(client).WithRecovery(RecoveryPolicy.None).RunAsync(Question, null, Token));
        Assert.Single(client.Requests);
        Assert.Equal(Unreadable, error.Completion);
        await Assert.ThrowsAsync<AdapterParseException>(() => Program(client).RunAsync(Question, new() { Recovery = RecoveryPolicy.None }, Token));
        Assert.Equal(2, client.Requests.Count);
    }

    [Fact]
    public async Task RunAsync_EachStepCanBeSwitchedOff()
    {
        var onlyNext = ScriptedChatClient.InSequence(Unreadable, """{"answer": 1}""");
        var run = await Program(onlyNext).WithRecovery(new() { ReAsks = 0 }).RunAsync(Question, null, Token);
        Assert.Equal(["ChatAdapter", "JsonAdapter"], run.Trace.Calls.Select(call => call.Adapter));
        var onlyReAsk = ScriptedChatClient.By((_, _) => Unreadable);
        await Assert.ThrowsAsync<AdapterParseException>(
            () => Program(onlyReAsk).WithRecovery(new() { ReAsks = 2, NextAdapter = null }).RunAsync(Question, null, Token));
        Assert.Equal(3, onlyReAsk.Requests.Count);
    }

    [Fact]
    public async Task RunAsync_RepairsLocally_CanBeSwitchedOff()
    {
        const string Decorated = "**[[ ## answer ## ]]**\n42";
        var run = await Program(ScriptedChatClient.InSequence(Decorated)).RunAsync(Question, null, Token);
        Assert.True(run.Trace.Calls[0].IsRepaired);
        var strict = Program(ScriptedChatClient.InSequence(Decorated)).WithAdapter(new ChatAdapter { RepairsLocally = false }).WithRecovery(RecoveryPolicy.None);
        await Assert.ThrowsAsync<AdapterParseException>(() => strict.RunAsync(Question, null, Token));
    }

    [Theory]
    [InlineData("length", ParseFailureKind.Truncated)]
    [InlineData("content_filter", ParseFailureKind.Refused)]
    public async Task RunAsync_CutOffOrDeclined_IsNeverAskedAgain(string reason, ParseFailureKind kind)
    {
        var client = ScriptedChatClient.ByAsync((_, _, _) =>
        {
            var response = ScriptedChatClient.Respond("[[ ## ans");
            response.FinishReason = new(reason);
            return Task.FromResult(response);
        });
        var error = await Assert.ThrowsAsync<AdapterParseException>(() => Program(client).RunAsync(Question, null, Token));
        Assert.Equal(kind, error.Kind);
        Assert.False(error.IsRetryable);
        Assert.Single(client.Requests);
    }

    [Fact]
    public async Task RunAsync_CutOffBehindTheLastField_IsReadAsItIs()
    {
        var client = ScriptedChatClient.ByAsync((_, _, _) =>
        {
            var response = ScriptedChatClient.Respond("[[ ## answer ## ]]\n42\n\n[[ ## compl");
            response.FinishReason = ChatFinishReason.Length;
            return Task.FromResult(response);
        });
        var run = await Predict.Parse("question -> answer").WithModel(client).RunAsync(Question, null, Token);
        Assert.Equal(ChatFinishReason.Length, run.Trace.Calls[0].FinishReason);
    }

    [Fact]
    public async Task RunAsync_ErrorOfTheModel_NeverTriggersRecovery()
    {
        var client = ScriptedChatClient.ByAsync((_, _, _) => throw new LMInvalidRequestException("no such option"));
        await Assert.ThrowsAsync<LMInvalidRequestException>(() => Program(client).RunAsync(Question, null, Token));
        Assert.Single(client.Requests);
    }

    /// <summary>D48: one unreadable completion does not cost the others.</summary>
    [Fact]
    public async Task SampleAsync_OneUnreadable_OthersAreKept()
    {
        var client = ScriptedChatClient.By((_, index) => index == 1 ? Unreadable : $"[[ ## answer ## ]]\n{index}");
        var predict = Predict.Parse("question -> answer: int");
        using var scope = HoneScope.Use(new ScopeOptions { Model = new LM(client), Recovery = RecoveryPolicy.None });
        var samples = await predict.SampleAsync(Question, 4, cancellationToken: Token);
        Assert.Equal(3, samples.Count(sample => sample.Succeeded));
        Assert.IsType<AdapterParseException>(Assert.Single(samples, sample => !sample.Succeeded).Error);
        Assert.Equal(4, scope.Trace.Calls.Length);
    }

    /// <summary>D55: samples without log-probabilities stand beside others that have them, and there may be no readable one at all.</summary>
    [Fact]
    public async Task D55_SamplesThatDifferInWhatTheProviderGave_AreKeptSideBySide()
    {
        var given = JsonElement.Parse("""{"choices": [{"logprobs": {"content": [{"token": "1", "logprob": -0.5}]}}]}""");
        var client = ScriptedChatClient.ByAsync((_, index, _) => Task.FromResult(index == 0
            ? new ChatResponse(new ChatMessage(ChatRole.Assistant, "[[ ## answer ## ]]\n1")) { RawRepresentation = given }
            : new ChatResponse(new ChatMessage(ChatRole.Assistant, index < 3 ? "[[ ## answer ## ]]\n2" : Unreadable))));
        var predict = Predict.Parse("question -> answer: int");
        using var scope = HoneScope.Use(new ScopeOptions { Model = new LM(client) { Options = new() { LogProbs = true } }, Recovery = RecoveryPolicy.None });

        var samples = await predict.SampleAsync(Question, 3, cancellationToken: Token);
        var none = await predict.SampleAsync(Question, 2, cancellationToken: Token);

        Assert.All(samples, sample => Assert.True(sample.Succeeded));
        Assert.Equal([-0.5], scope.Trace.Calls.Take(3).SelectMany(call => call.GetLogProbs()).Select(token => token.LogProb));
        Assert.All(none, sample => Assert.False(sample.Succeeded));
    }

    /// <summary>D24: a temperature that somebody chose is respected, 0 included; without one several samples are drawn at 0.7.</summary>
    [Theory]
    [InlineData(null, 0.7f)]
    [InlineData(0f, 0f)]
    [InlineData(1.2f, 1.2f)]
    public async Task SampleAsync_Temperature_IsTheChosenOneOrSevenTenths(float? chosen, float expected)
    {
        var client = ScriptedChatClient.By((_, _) => "[[ ## answer ## ]]\n1");
        using var scope = HoneScope.Use(new LM(client) { Options = new() { Temperature = chosen } });
        await Predict.Parse("question -> answer: int").SampleAsync(Question, 2, cancellationToken: Token);
        Assert.All(client.Requests, request => Assert.Equal(expected, request.Options!.Temperature));
    }

    private static Program<FieldMap, FieldMap> Program(IChatClient client) => Predict.Parse("question -> answer: int").WithModel(client);
}
