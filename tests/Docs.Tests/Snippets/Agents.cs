using System.ComponentModel;
using Docs.Tests.Checks;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Docs.Tests.Snippets.Agents;

#region agents-records
public sealed record Inquiry(string Question);

public sealed record Finding(string Answer, [property: Description("Titles of the pages it rests on")] IReadOnlyList<string> Sources);
#endregion

#region agents-method
public sealed partial class Concierge(IReadOnlyList<AIFunction> tools) : Module<Inquiry, string>
{
    private static readonly ReActOptions Short = new() { MaxSteps = 6 };

    [ReAct("Find out and answer.", Tools = nameof(tools), Options = nameof(Short))]
    private partial Task<Finding> ResearchAsync(string question, CancellationToken cancellationToken);

    [Predict("Put it politely.")]
    private partial Task<string> PhraseAsync(string finding, CancellationToken cancellationToken);

    protected override async Task<string> ForwardAsync(Inquiry input, CancellationToken cancellationToken) =>
        await PhraseAsync((await ResearchAsync(input.Question, cancellationToken)).Answer, cancellationToken);
}
#endregion

public sealed class AgentsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Agent_FindsAnAnswer()
    {
        var chatClient = Script(("search", FieldMap.Of(("query", "Louvre"))), ("submit", FieldMap.Of(("answer", "Paris"), ("sources", new[] { "Louvre" }))));
        #region agents-first
        var search = AIFunctionFactory.Create(
            ([Description("A few words")] string query) => $"{query}: a museum in Paris", "search", "Searches an encyclopedia.");

        var agent = new ReAct<Inquiry, Finding>("Find out and answer.", [search]);
        Finding found = await agent.WithModel(chatClient).CallAsync(new("Where is the Louvre?"));
        #endregion
        Assert.Equal("Paris", found.Answer);

        using var scope = HoneScope.Use(Script(("submit", FieldMap.Of(("answer", "Paris"), ("sources", Array.Empty<string>())))));
        #region agents-result
        AgentResult<Finding> result = await agent.RunAsync(new("Where is the Louvre?"), maxSteps: 5);
        if (result.HasOutput)
            Console.WriteLine($"{result.Output.Answer}, after {result.Steps.Length} turns");
        else
            Console.WriteLine($"No answer: {result.Reason}");
        #endregion
        Assert.True(result.HasOutput);
        HoneScope.Use(Script(("submit", FieldMap.Of(("answer", "1793"), ("sources", Array.Empty<string>())))));
        #region agents-history
        string kept = result.History.ToJson();                                // in a file, in a database, in a cookie of the user
        AgentResult<Finding> more = await agent.RunAsync(new("And when did it open?"), HistoryJson.Parse(kept));
        #endregion
        Assert.Equal("1793", more.Output!.Answer);
    }

    [Fact]
    public async Task Method_IsAnAgent()
    {
        var search = AIFunctionFactory.Create((string query) => $"{query}: a museum in Paris", "search");
        var client = ScriptedChatClient.By((request, _) => request.Path == "phrase"
            ? ScriptedChatClient.ChatText(FieldMap.Of(("answer", "In Paris, madam.")))
            : ScriptedChatClient.ChatText(FieldMap.Of(
                ("next_thought", "I know."),
                ("tool_calls", FieldMap.Of(("tool_calls", new[] { FieldMap.Of(("name", "submit"), ("args", FieldMap.Of(("answer", "Paris"), ("sources", Array.Empty<string>())))) }))))));
        var program = new Concierge([search]).WithModel(client);
        Assert.Equal("In Paris, madam.", await program.CallAsync(new("Where is the Louvre?"), Token));
        Assert.Equal(["research.react", "phrase"], program.Predictors.Select(predictor => predictor.Key));
    }

    [Fact]
    public async Task Options_AreSet()
    {
        var pay = AIFunctionFactory.Create((int cents) => "paid", "pay");
        var slow = AIFunctionFactory.Create(() => "done", "slow");
        var asked = new List<string>();
        #region agents-options
        var options = new ReActOptions
        {
            MaxSteps = 10,
            MaxParallelTools = 4,
            ToolTimeout = TimeSpan.FromSeconds(30),
            Prompt = AgentPrompt.Avatar,
            ApproveAsync = (call, cancellationToken) => AskTheUserAsync($"{call.Name}: {call.Arguments}", cancellationToken),
        };
        var agent = ReAct.Parse("order -> receipt", [new ApprovalRequiredAIFunction(pay), slow.WithTimeout(TimeSpan.FromMinutes(5))], options: options);
        #endregion
        using var scope = HoneScope.Use(Script(("pay", FieldMap.Of(("cents", 100))), ("submit", FieldMap.Of(("receipt", "none")))));
        var result = await agent.RunAsync(FieldMap.Of(("order", "tea")), cancellationToken: Token);
        Assert.Equal("The call of 'pay' was not approved.", result.Steps[0].Results.Results[0].Value);

        ValueTask<bool> AskTheUserAsync(string question, CancellationToken cancellationToken)
        {
            asked.Add(question);
            return ValueTask.FromResult(false);
        }
    }

    [Fact]
    public void Texts_AreState()
    {
        var chatClient = ScriptedChatClient.InSequence();
        var search = AIFunctionFactory.Create((string query) => query, "search", "Searches.");
        #region agents-texts
        var program = ReAct.Parse("question -> answer", [search]).WithModel(chatClient);
        foreach (var (path, tool) in program.Tools)
            Console.WriteLine($"{path}: {tool.Name}, {tool.Description}");

        var tuned = program.With(program.State.WithTool("search", new()
        {
            Name = "encyclopedia",
            Description = "Looks up people, places and works by name. One name a call.",
            Arguments = ToolText.Default.Arguments.Add("query", "A name, without further words"),
        }));
        #endregion
        Assert.Equal("encyclopedia", tuned.Tools[0].Value.Name);
        Assert.Equal(tuned.State.Tools, program.LoadState(tuned.SaveState()).State.Tools);
    }

    [Fact]
    public void Methods_AreTools()
    {
        #region agents-methods
        var helper = ReAct.Parse("question -> answer", AgentTools.From(Add, SearchAsync));
        #endregion
        Assert.Equal(["Add", "Search"], helper.WithModel(ScriptedChatClient.InSequence()).Tools.Select(tool => tool.Value.Name));
    }

    [Description("Adds two numbers.")]
    private static int Add(int a, int b) => a + b;

    [Description("Searches an encyclopedia.")]
    private static async Task<string> SearchAsync(string query, CancellationToken cancellationToken)
    {
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        return query;
    }

    [Fact]
    public async Task Program_IsATool()
    {
        var small = Answers.Always(("answer", "384,400 km"));
        var large = Script(("look_up", FieldMap.Of(("input", "distance of the moon"))), ("submit", FieldMap.Of(("answer", "384,400 km"))));
        #region agents-program
        var lookUp = new Predict<string, string>("Answer from general knowledge.").WithModel(small);
        var agent = ReAct.Parse("question -> answer", [lookUp.AsTool("look_up")]).WithModel(large);
        #endregion
        Assert.Equal("384,400 km", (await agent.CallAsync(FieldMap.Of(("question", "How far is the moon?")), Token))["answer"]);
    }

    [Fact]
    public async Task ToolCalls_AreRun()
    {
        var add = AIFunctionFactory.Create((int a, int b) => a + b, "add");
        var calls = new ToolCalls([new("add", FieldMap.Of(("a", 1), ("b", 2)))]);
        #region agents-run-calls
        ToolResults results = await calls.RunAsync([add]);
        #endregion
        Assert.Equal(3L, results.Results[0].Value);
    }

    private static ScriptedChatClient Script(params (string Tool, FieldMap Arguments)[] turns) => ScriptedChatClient.By((_, index) => Answers.Of(
        ("next_thought", "…"), ("tool_calls", FieldMap.Of(("tool_calls", new[] { FieldMap.Of(("name", turns[index].Tool), ("args", turns[index].Arguments)) })))));
}
