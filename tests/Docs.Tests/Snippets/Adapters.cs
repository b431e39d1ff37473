using System.Text;
using Docs.Tests.Checks;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Docs.Tests.Snippets.Adapters;

public sealed class AdapterTests
{
    private const string Page = "docs/concepts/adapters.md";

    private static readonly FieldMap Question = FieldMap.Of(("question", "What is six times seven?"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task JsonAdapter_IsChosenForAProgram()
    {
        IChatClient chatClient = ScriptedChatClient.InSequence("""{"answer": "Paris", "confidence": 0.9}""");
        #region adapters-first
        var qa = new Predict<Ask, Reply>("Answer from the context.").WithModel(chatClient).WithAdapter(JsonAdapter.Default);
        Reply reply = await qa.CallAsync(new("Where is the Louvre?", ["The Louvre is in Paris."]));
        #endregion
        Assert.Equal("Paris", reply.Answer);
    }

    [Fact]
    public void Prompt_IsShown()
    {
        var output = new StringBuilder();
        IChatClient chatClient = ScriptedChatClient.InSequence();
        #region adapters-render
        var compute = Predict.Parse("question -> answer: int", "Compute.").WithModel(chatClient);
        foreach (var message in compute.Render("self", FieldMap.Of(("question", "What is six times seven?"))))
            Console.WriteLine($"--- {message.Role}\n{message.Text}");
        #endregion
        foreach (var message in compute.Render("self", Question))
            output.Append($"--- {message.Role}\n{message.Text}\n");
        Shown.Equal(Page, "adapters-prompt", output.ToString());
    }

    [Fact]
    public async Task Recovery_IsCountedAndInTheTrace()
    {
        IChatClient chatClient = ScriptedChatClient.InSequence("I think it is forty-two.", Answers.Of(("answer", 42)));
        #region adapters-recovery
        var program = Predict.Parse("question -> answer: int").WithModel(chatClient);
        Prediction<FieldMap> run = await program.RunAsync(FieldMap.Of(("question", "What is six times seven?")));
        Console.WriteLine($"recovered {run.RecoveryCount} time(s)");
        foreach (var call in run.Trace.Calls)
            Console.WriteLine($"{call.Adapter}, attempt {call.Attempt}: {call.Failure?.Reason ?? "read"}");
        #endregion
        var lines = run.Trace.Calls.Select(call => $"{call.Adapter}, attempt {call.Attempt}: {call.Failure?.Reason ?? "read"}");
        Shown.Equal(Page, "adapters-recovered", $"recovered {run.RecoveryCount} time(s)\n{string.Join('\n', lines)}");
    }

    [Fact]
    public async Task Policies_AreRules()
    {
        var client = ScriptedChatClient.By((_, _) => "I think it is forty-two.");
        var program = Predict.Parse("question -> answer: int").WithModel(client);
        #region adapters-policies
        var once = program.WithRecovery(RecoveryPolicy.None);                                // the first unreadable answer is an error
        var patient = program.WithRecovery(new() { ReAsks = 2, NextAdapter = null });        // up to two re-asks, no other format
        var literal = program.WithAdapter(new ChatAdapter { RepairsLocally = false });       // answers are taken as they are
        #endregion
        await Assert.ThrowsAsync<AdapterParseException>(() => once.CallAsync(Question, Token));
        Assert.Single(client.Requests);
        await Assert.ThrowsAsync<AdapterParseException>(() => patient.CallAsync(Question, Token));
        Assert.Equal(4, client.Requests.Count);
        Assert.False(literal.Adapter.RepairsLocally);
    }

    [Fact]
    public async Task TwoSteps_AnswerInProse_ThenReadTheFields()
    {
        var small = new LM(ScriptedChatClient.InSequence(Answers.Of(("answer", "Paris"), ("confidence", 0.9))), "small");
        var thinker = ScriptedChatClient.InSequence("The context leaves no doubt: it is in Paris, I am 90 % sure.");
        #region adapters-two-step
        var qa = new Predict<Ask, Reply>("Answer from the context.")
            .WithModel(thinker)                                        // answers in its own words
            .WithAdapter(new TwoStepAdapter(extractor: small));        // reads the fields out of that answer
        #endregion
        Assert.Equal("Paris", (await qa.CallAsync(new("Where is the Louvre?", []), Token)).Answer);
    }
}
