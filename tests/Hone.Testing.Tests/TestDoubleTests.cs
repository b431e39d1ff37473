using Microsoft.Extensions.AI;

namespace Hone.Testing.Tests;

public sealed class TestDoubleTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hone-doubles").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task ByPath_EachPredictor_HasItsOwnScript()
    {
        var client = ScriptedChatClient.ByPath(("self", [Answer("a"), Answer("b")]));
        var program = Predict.Parse("question -> answer").WithModel(client);
        Assert.Equal("a", await AskAsync(program, "x"));
        Assert.Equal("b", await AskAsync(program, "y"));
        Assert.Equal("self", client.Requests[0].Path);
        Assert.Contains("one answer more", (await Assert.ThrowsAnyAsync<Exception>(() => AskAsync(program, "z"))).ToString(), StringComparison.Ordinal);
        Assert.Contains("no script", (await Assert.ThrowsAnyAsync<Exception>(() => client.GetResponseAsync("x", cancellationToken: Token))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ByRules_FirstThatFits_Answers()
    {
        var client = ScriptedChatClient.ByRules((request => request.LastText.Contains("one", StringComparison.Ordinal), "1"), (request => request.LastText.Contains('o'), "2"));
        Assert.Equal("1", (await client.GetResponseAsync("one", cancellationToken: Token)).Text);
        Assert.Equal("2", (await client.GetResponseAsync("two", cancellationToken: Token)).Text);
        Assert.Contains("xyz", (await Assert.ThrowsAsync<InvalidOperationException>(() => client.GetResponseAsync("xyz", cancellationToken: Token))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Recording_Replayed_AnswersTheSameAndRefusesOthers()
    {
        var path = Path.Combine(folder, "exchanges.jsonl");
        var recorder = new RecordingChatClient(ScriptedChatClient.By((_, index) => Answer($"{index}")));
        var predict = Predict.Parse("question -> answer");
        foreach (var question in (string[])["a", "b", "a"])
            await AskAsync(predict.WithModel(recorder), question);
        await recorder.SaveAsync(path, Token);
        Assert.Equal(3, recorder.Count);

        var replay = await ReplayChatClient.OpenAsync(path, Token);
        var program = predict.WithModel(replay);
        Assert.Equal("1", await AskAsync(program, "b"));
        Assert.Equal("0", await AskAsync(program, "a"));
        Assert.Equal(1, replay.RemainingCount);
        Assert.Equal("2", await AskAsync(program, "a"));
        Assert.Contains("more often", (await Assert.ThrowsAnyAsync<Exception>(() => AskAsync(program, "a"))).ToString(), StringComparison.Ordinal);
        Assert.Contains("was not recorded", (await Assert.ThrowsAnyAsync<Exception>(() => AskAsync(program, "c"))).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Recording_OfAStream_IsTheWholeAnswer()
    {
        var path = Path.Combine(folder, "exchanges.jsonl");
        var recorder = new RecordingChatClient(ScriptedChatClient.InSequence("one two three").StreamingInPiecesOf(4));
        await recorder.GetStreamingResponseAsync("q", cancellationToken: Token).ToListAsync(Token);
        await recorder.SaveAsync(path, Token);
        var replay = await ReplayChatClient.OpenAsync(path, Token);
        var updates = await replay.GetStreamingResponseAsync("q", cancellationToken: Token).ToListAsync(Token);
        Assert.Equal("one two three", string.Concat(updates.Select(update => update.Text)));
        await File.WriteAllTextAsync(path, "{}\n", Token);
        Assert.Contains("line 1", (await Assert.ThrowsAsync<HoneException>(() => ReplayChatClient.OpenAsync(path, Token))).Message, StringComparison.Ordinal);
    }

    /// <summary>What a model is shown of a tool is state that tuning changes, and every option decides an answer: what was recorded with others is no answer.</summary>
    [Fact]
    public async Task Replay_OtherToolOrOption_WasNotRecorded()
    {
        var path = Path.Combine(folder, "exchanges.jsonl");
        var recorder = new RecordingChatClient(ScriptedChatClient.By((_, _) => "x"));
        await recorder.GetResponseAsync("q", Options(), Token);
        await recorder.SaveAsync(path, Token);
        Assert.Equal("x", (await (await ReplayChatClient.OpenAsync(path, Token)).GetResponseAsync("q", Options(), Token)).Text);

        Action<ChatOptions>[] changes =
        [
            options => options.Tools = [AIFunctionFactory.Create((int a) => a, "add", "Sums.")],
            options => options.Tools = [AIFunctionFactory.Create((string a) => a, "add", "Adds.")],
            options => options.ToolMode = ChatToolMode.RequireAny,
            options => options.ToolMode = ChatToolMode.RequireSpecific("add"),
            options => options.ToolMode = ChatToolMode.None,
            options => options.AllowMultipleToolCalls = false,
            options => options.TopK = 5,
            options => options.FrequencyPenalty = 0.5f,
            options => options.PresencePenalty = 0.5f,
            options => options.Reasoning = new() { Effort = ReasoningEffort.High },
            options => options.Instructions = "Be brief.",
            options => options.AdditionalProperties!["enable_thinking"] = false,
        ];
        var replay = await ReplayChatClient.OpenAsync(path, Token);
        foreach (var change in changes)
        {
            var options = Options();
            change(options);
            var error = await Assert.ThrowsAsync<HoneException>(() => replay.GetResponseAsync("q", options, Token));
            Assert.Contains("was not recorded", error.Message, StringComparison.Ordinal);
        }

        // Credentials decide nothing, and are in no file.
        var withKey = Options();
        (withKey.AdditionalProperties!["api_key"], withKey.AdditionalProperties["X-Auth-Token"]) = ("sk-123", "t-123");
        Assert.Equal("x", (await replay.GetResponseAsync("q", withKey, Token)).Text);
        Assert.DoesNotContain("-123", await File.ReadAllTextAsync(path, Token), StringComparison.Ordinal);

        static ChatOptions Options() => new()
        {
            Tools = [AIFunctionFactory.Create((int a) => a, "add", "Adds.")],
            AdditionalProperties = new() { ["enable_thinking"] = true, ["guided_choice"] = System.Text.Json.JsonElement.Parse("[1]"), ["api_key"] = "sk-1234" },
        };
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public async Task Faults_SameSeed_MeetTheSameRequestsAtAnyParallelism(int parallelism)
    {
        var options = new FaultOptions { Seed = 3, RateLimitRate = 0.1, ServerErrorRate = 0.1, CutRate = 0.1, MalformedRate = 0.1 };
        var client = new FaultInjectingChatClient(ScriptedChatClient.By((_, _) => Answer("yes")), options);
        var program = Predict.Parse("question -> answer").WithModel(new LM(client) { Retry = null }).WithRecovery(RecoveryPolicy.None);
        var results = await program.RunBatchAsync(
            [.. Enumerable.Range(0, 200).Select(i => FieldMap.Of(("question", $"{i}")))], new() { MaxParallelism = parallelism, MaxErrors = 200 }, cancellationToken: Token);
        var failed = string.Concat(results.Select(result => result.Succeeded ? '.' : result.Error!.GetType().Name[2]));
        Assert.Equal(200, Enum.GetValues<InjectedFault>().Sum(client.CountOf));
        Assert.All(Enum.GetValues<InjectedFault>(), fault => Assert.InRange(client.CountOf(fault), 8, 150));
        Assert.Equal(failed.Count(sign => sign == '.'), client.CountOf(InjectedFault.None));
        Assert.Equal(await FailuresAsync(options), failed);
        Assert.NotEqual(await FailuresAsync(options with { Seed = 4 }), failed);
    }

    [Fact]
    public async Task Faults_RateLimit_AsksForAPauseAndMayBeRetried()
    {
        var client = ScriptedChatClient.By((_, _) => Answer("yes"));
        var error = await Assert.ThrowsAsync<LMRateLimitException>(() => new FaultInjectingChatClient(client, new() { RateLimitRate = 1, RetryAfter = TimeSpan.FromSeconds(7) })
            .GetResponseAsync("x", cancellationToken: Token));
        Assert.Equal((429, TimeSpan.FromSeconds(7), true), (error.Status, error.RetryAfter, error.IsRetryable));
    }

    [Fact]
    public async Task Faults_CutStream_GivesHalfAndThrows()
    {
        var client = new FaultInjectingChatClient(ScriptedChatClient.InSequence("one two three four"), new() { CutRate = 1 });
        var text = "";
        await Assert.ThrowsAsync<LMTransportException>(async () =>
        {
            await foreach (var update in client.GetStreamingResponseAsync("x", cancellationToken: Token))
                text += update.Text;
        });
        Assert.Equal("one two t", text);
    }

    /// <summary>An agent on native tools meets mangled calls as it does with clients that cannot read their arguments: it tells the model.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Faults_Malformed_ManglesCallsOfToolsToo(bool isStreamed)
    {
        var add = new FunctionCallContent("7", "add", new Dictionary<string, object?> { ["a"] = 1 });
        var call = new ChatResponse(new ChatMessage(ChatRole.Assistant, [new TextContent("[[ ## a ## ]] one"), add]));
        var client = new FaultInjectingChatClient(ScriptedChatClient.ByAsync((_, _, _) => Task.FromResult(call)), new() { MalformedRate = 1 });
        var response = isStreamed
            ? (await client.GetStreamingResponseAsync("x", cancellationToken: Token).ToListAsync(Token)).ToChatResponse()
            : await client.GetResponseAsync("x", cancellationToken: Token);
        var mangled = Assert.Single(response.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>());
        Assert.Equal(("7", "add"), (mangled.CallId, mangled.Name));
        Assert.Null(mangled.Arguments);
        Assert.NotNull(mangled.Exception);
        Assert.DoesNotContain("[[ ##", response.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Faults_RatesThatCannotBe_AreRefused()
    {
        foreach (var rate in (double[])[-0.1, 1.1, double.NaN])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => new FaultOptions { RateLimitRate = rate });
            Assert.Throws<ArgumentOutOfRangeException>(() => new FaultOptions { ServerErrorRate = rate });
            Assert.Throws<ArgumentOutOfRangeException>(() => new FaultOptions { CutRate = rate });
            Assert.Throws<ArgumentOutOfRangeException>(() => new FaultOptions { MalformedRate = rate });
        }

        using var client = ScriptedChatClient.InSequence();
        var error = Assert.Throws<HoneException>(() => new FaultInjectingChatClient(client, new() { CutRate = 0.75, MalformedRate = 0.5 }));
        Assert.Contains("sum up to 1.25", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PromptGolden_Changed_ShowsTheLine()
    {
        var path = Path.Combine(folder, "prompt.txt");
        ChatMessage[] messages = [new(ChatRole.System, "Answer."), new(ChatRole.User, [new TextContent("Look:"), new DataContent(new byte[3], "image/png")])];
        Assert.Contains("There is no golden file", Assert.Throws<HoneException>(() => PromptGolden.Check(path, messages)).Message, StringComparison.Ordinal);
        File.WriteAllText(path, PromptGolden.Render(messages));
        PromptGolden.Check(path, messages);
        messages[1] = new(ChatRole.User, "See:");
        Assert.Contains("line 4.\nfile:   Look:\nprompt: See:", Assert.Throws<HoneException>(() => PromptGolden.Check(path, messages)).Message, StringComparison.Ordinal);
    }

    private static async Task<string> FailuresAsync(FaultOptions options)
    {
        var program = Predict.Parse("question -> answer")
            .WithModel(new LM(new FaultInjectingChatClient(ScriptedChatClient.By((_, _) => Answer("yes")), options)) { Retry = null }).WithRecovery(RecoveryPolicy.None);
        var results = await program.RunBatchAsync([.. Enumerable.Range(0, 200).Select(i => FieldMap.Of(("question", $"{i}")))], new() { MaxErrors = 200 }, cancellationToken: Token);
        return string.Concat(results.Select(result => result.Succeeded ? '.' : result.Error!.GetType().Name[2]));
    }

    private static async Task<string> AskAsync(Program<FieldMap, FieldMap> program, string question) =>
        (string)(await program.CallAsync(FieldMap.Of(("question", question)), Token))["answer"]!;

    private static string Answer(string value) => ScriptedChatClient.ChatText(FieldMap.Of(("answer", value)));
}
