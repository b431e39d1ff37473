using Docs.Tests.Checks;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Docs.Tests.Snippets.TestDoubles;

public sealed class TestDoubleTests
{
    private static readonly FieldMap Question = FieldMap.Of(("question", "Where is the Louvre?"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Scripts_AnswerByPathOrByRule()
    {
        var question = Question;
        var paris = ScriptedChatClient.ChatText(FieldMap.Of(("answer", "Paris")));
        #region testing-scripts
        var byPath = ScriptedChatClient.ByPath(("self", [paris, paris]));                          // each predictor its own answers, in turn
        var byRules = ScriptedChatClient.ByRules(
            (request => request.LastText.Contains("Louvre"), paris),
            (request => true, "not a readable answer"));
        var program = Predict.Parse("question -> answer").WithModel(byPath);
        await program.CallAsync(question);
        Console.WriteLine(byPath.Requests[0].SystemText);                                          // what the model was shown
        #endregion
        Assert.Equal("Paris", (await program.WithModel(new LM(byRules)).CallAsync(question, Token))["answer"]);
    }

    [Fact]
    public async Task Exchanges_AreReplayed()
    {
        using var folder = new TemporaryFolder();
        var (path, question) = (Path.Combine(folder.Path, "exchanges.jsonl"), Question);
        IChatClient chatClient = Answers.Always(("answer", "Paris"));
        var predict = Predict.Parse("question -> answer");
        #region testing-record
        var recorder = new RecordingChatClient(chatClient);
        await predict.WithModel(recorder).CallAsync(question);
        await recorder.SaveAsync(path);                                                            // once, with the real model

        var replay = await ReplayChatClient.OpenAsync(path);
        var output = await predict.WithModel(replay).CallAsync(question);                          // in every test; anything else is an error
        #endregion
        Assert.Equal("Paris", output["answer"]);
    }

    [Fact]
    public async Task Faults_AreSurvived()
    {
        IChatClient chatClient = Answers.Always(("answer", "Paris"));
        var question = Question;
        #region testing-faults
        var unreliable = new FaultInjectingChatClient(chatClient, new()
        {
            Seed = 1,
            RateLimitRate = 0.2,
            RetryAfter = TimeSpan.FromMilliseconds(1),
            MalformedRate = 0.1,
        });
        var program = Predict.Parse("question -> answer").WithModel(unreliable);
        var results = await program.RunBatchAsync([.. Enumerable.Repeat(question, 20)]);
        Console.WriteLine(unreliable.CountOf(InjectedFault.RateLimit));
        #endregion
        Assert.Equal(20, results.Length);
    }

    [Fact]
    public void Prompts_HaveFiles()
    {
        using var folder = new TemporaryFolder();
        var (path, question) = (Path.Combine(folder.Path, "prompt.txt"), Question);
        var program = Predict.Parse("question -> answer").WithModel(Answers.Always(("answer", "Paris")));
        File.WriteAllText(path, PromptGolden.Render(program.Render("self", question)));
        #region testing-golden
        PromptGolden.Check(path, program.Render("self", question));                                // HONE_UPDATE_GOLDEN=1 writes the file instead
        #endregion
    }
}
