using System.Collections.Immutable;
using Docs.Tests.Checks;
using Docs.Tests.Snippets.Signatures;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Docs.Tests.Snippets.Saving;

public sealed class SavingTests
{
    private const string Page = "docs/concepts/saving.md";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task State_ComesBack()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "triage.json");
        var lm = new LM(ScriptedChatClient.InSequence());
        #region saving-first
        var triage = new Predict<Ticket, Triage>("Triage the support ticket.").WithModel(lm);
        var tuned = triage.With(triage.State.With("self", new() { Instructions = "Triage the ticket. Outages are urgent." }));
        await tuned.SaveAsync(path);

        var restored = await new Predict<Ticket, Triage>("Triage the support ticket.").WithModel(lm).LoadStateAsync(path);
        #endregion
        Assert.Equal(tuned.State, restored.State);
        #region saving-text
        string json = tuned.SaveState();                       // for a database or a configuration store
        var same = triage.LoadState(json, name: "row 17");     // the name is for error messages
        #endregion
        Assert.Equal(tuned.State, same.State);
        #region saving-lenient
        var partly = await triage.LoadStateAsync(path, new StateLoadOptions { IsStrict = false });
        #endregion
        Assert.Equal(tuned.State, partly.State);
    }

    [Fact]
    public void State_IsReadable()
    {
        var lm = new LM(ScriptedChatClient.InSequence(), "gpt-4.1-mini");
        #region saving-state
        var state = ProgramState.Default.With("self", new PredictorState
        {
            Instructions = "Answer in one word.",
            Demos = [new Demo(FieldMap.Of(("question", "What is the capital of France?"), ("answer", "Paris")))],
            FieldDescriptions = ImmutableSortedDictionary<string, string>.Empty.Add("answer", "a place"),
            Options = new() { Temperature = 0 },
        });
        var program = Predict.Parse("question -> answer").WithModel(lm).With(state);
        #endregion
        Shown.Equal(Page, "saving-file", program.SaveState());
    }

    [Fact]
    public async Task FileOfDspy_IsRead()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "dspy_program.json");
        await File.WriteAllTextAsync(
            path,
            """
            {"demos": [{"question": "1+1?", "answer": "2"}], "lm": null,
             "signature": {"instructions": "Be brief.", "fields": [
               {"prefix": "Question:", "description": "${question}"}, {"prefix": "Answer:", "description": "${answer}"}]}}
            """,
            Token);
        IChatClient chatClient = ScriptedChatClient.InSequence();
        #region saving-dspy
        var program = await Predict.Parse("question -> answer").WithModel(chatClient).LoadStateAsync(path);
        #endregion
        Assert.Equal("Be brief.", program.State["self"].Instructions);
        Assert.Single(program.State["self"].Demos);
    }
}
