using Docs.Tests.Checks;
using Hone;
using Hone.Optimizers;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Docs.Tests.Snippets.ReflectiveOptimizers;

public sealed record Message(string Text);

public sealed record Routing(string Team);

public sealed class ReflectiveOptimizerTests
{
    private static readonly Example<Message, Routing>[] train = [.. Rows("The invoice is wrong.", "Refund me.", "Who pays the fee?", "Two invoices came.")];

    private static readonly Example<Message, Routing>[] validation = [.. Rows("My card was charged twice.", "The invoice lacks a line.")];

    [Fact]
    public async Task Gepa_LearnsWhatTheMetricSays()
    {
        using var folder = new TemporaryFolder();
        var directory = folder.Path;
        LM lm = new(ScriptedChatClient.By((request, _) => Answers.Of(("team", request.SystemText.Contains("Money goes to accounts", StringComparison.Ordinal) ? "accounts" : "support"))));
        LM strong = new(Answers.Always(("new_instruction", "```\nChoose the team. Money goes to accounts.\n```")));
        #region gepa-first
        var triage = new Predict<Message, Routing>("Choose the team.").WithModel(lm);

        // One call gives the score and the reason for it.
        var metric = Metric.From<Message, Routing>((example, routing) => routing.Team == example.Expected.Team
            ? new Score(1) { Feedback = "Right." }
            : new Score(0) { Feedback = $"'{example.Expected.Team}' is right: {example.Labels["why"]}" });

        var gepa = new Gepa<Message, Routing>(metric, new() { MaxMetricCalls = 300, ReflectionModel = strong, RunDirectory = directory, Resume = true });
        GepaResult<Message, Routing> result = await gepa.CompileAsync(triage, train, validation);
        Console.WriteLine(result.Verdict);
        await result.Program.SaveAsync("triage.json");
        #endregion
        Assert.Equal((0, 1), (result.BaselineScore, result.BestScore));
        Assert.True(File.Exists(Path.Combine(directory, "report.html")));
        File.Delete("triage.json");
    }

    [Fact]
    public async Task Avatar_LearnsFromContrast()
    {
        LM lm = new(ScriptedChatClient.By((request, _) => (request.Options as HoneChatOptions)?.Role == "prompt"
            ? request.SystemText.Contains("previous_instruction", StringComparison.Ordinal)
                ? Answers.Of(("new_instruction", "```\nMoney goes to accounts.\n```"))
                : Answers.Of(("feedback", "All are about money."))
            : Answers.Of(("team", request.SystemText.Contains("Money goes to accounts", StringComparison.Ordinal) ? "accounts" : "support"))));
        #region avatar-first
        var agent = new Predict<Message, Routing>("Choose the team.").WithModel(lm);
        var avatar = new AvatarOptimizer<Message, Routing>(
            Metric.From<Message, Routing>((example, routing) => routing.Team == example.Expected.Team), new() { MaxIterations = 3 });
        var result = await avatar.CompileAsync(agent, train, validation);
        Console.WriteLine($"{result.BaselineScore:0.00} before, {result.BestScore:0.00} after");
        #endregion
        Assert.Equal((0, 1), (result.BaselineScore, result.BestScore));
    }

    private static IEnumerable<Example<Message, Routing>> Rows(params string[] texts) =>
        texts.Select(text => new Example<Message, Routing>(new(text), new("accounts")) { Labels = FieldMap.Of(("why", "money is the accounts team's.")) });
}
