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
    public async Task Gepa_RewordsTools()
    {
        var search = AIFunctionFactory.Create((string query) => $"nothing on {query}", "search", "Finds pages.");
        var convert = AIFunctionFactory.Create((string amount) => "5 km", "convert", "Converts.");
        LM lm = new(ScriptedChatClient.ByAsync((request, _, _) => Task.FromResult(
            request.Options is HoneChatOptions { Role: "reflection" } ? ScriptedChatClient.Respond(Answers.Of(
                request.SystemText.Contains("new_description", StringComparison.Ordinal) ? ("new_description", "For distances.") : ("new_instruction", "Answer.")))
            : Turn(request))))
        {
            Capabilities = new() { NativeTools = true },
        };
        var metric = Metric.From<FieldMap, FieldMap>((_, output) => Equals(output["answer"], "5 km"));
        Example<FieldMap, FieldMap>[] train = [.. Enumerable.Range(0, 3).Select(i => new Example<FieldMap, FieldMap>(FieldMap.Of(("question", $"{i} miles?")), FieldMap.Empty))];
        var validation = train[..2];
        using var output = new StringWriter();
        var Console = output;
        #region gepa-tools
        var agent = ReAct.Parse("question -> answer", [search, convert]).WithModel(lm);
        var result = await new Gepa<FieldMap, FieldMap>(metric, new() { MaxMetricCalls = 200, ToolDescriptions = true })
            .CompileAsync(agent, train, validation);
        foreach (var (path, text) in result.Program.State.Tools)
            Console.WriteLine($"{path}: {text.Description}");
        #endregion
        Assert.Equal("convert: For distances." + Environment.NewLine, output.ToString());
        Assert.Equal(1, result.BestScore);
    }

    private static ChatResponse Turn(ScriptedRequest request)
    {
        var given = request.Messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().LastOrDefault();
        var isClear = request.Options!.Tools!.Any(tool => tool is { Name: "convert", Description: "For distances." });
        var (name, argument, value) = given is not null ? ("submit", "answer", $"{given.Result}") : isClear ? ("convert", "amount", "3") : ("search", "query", "miles");
        return new(new ChatMessage(ChatRole.Assistant, [new FunctionCallContent("id", name, new Dictionary<string, object?> { [argument] = value })]))
        {
            FinishReason = ChatFinishReason.ToolCalls,
        };
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
