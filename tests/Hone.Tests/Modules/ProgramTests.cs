using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Modules;

public sealed record Ask(string Question, IReadOnlyList<string> Context);

public sealed record Reply(string Answer, double Confidence = 0.5);

public sealed class ProgramTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CallAsync_RecordForm_SendsTheFieldsAndReadsTheAnswer()
    {
        var client = ScriptedChatClient.InSequence("[[ ## answer ## ]]\nParis\n\n[[ ## confidence ## ]]\n0.9\n\n[[ ## completed ## ]]");
        var program = new Predict<Ask, Reply>("Answer from the context.").WithModel(client);
        var reply = await program.CallAsync(new("Capital?", ["France: Paris"]), Token);
        Assert.Equal(new Reply("Paris", 0.9), reply);
        Assert.Contains("Answer from the context.", client.Requests[0].SystemText, StringComparison.Ordinal);
        Assert.Contains("[[ ## question ## ]]\nCapital?", client.Requests[0].LastText, StringComparison.Ordinal);
        Assert.Equal("self", Assert.Single(program.Predictors).Key);
    }

    [Fact]
    public async Task CallAsync_ChainOfThought_AsksForReasoningFirst()
    {
        var client = ScriptedChatClient.InSequence("[[ ## reasoning ## ]]\nbecause\n\n[[ ## answer ## ]]\nyes\n\n[[ ## completed ## ]]");
        var program = ChainOfThought.Parse("question -> answer").WithModel(client);
        var outputs = await program.CallAsync(FieldMap.Of(("question", "q")), Token);
        Assert.Equal(["reasoning", "answer"], outputs.Keys);
        Assert.Equal("because", outputs["reasoning"]);
    }

    [Fact]
    public void With_DemoWithAMisspeltField_NamesPredictorFieldAndSignature()
    {
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.InSequence());
        var state = ProgramState.Default.With("self", new() { Demos = [new(FieldMap.Of(("question", "a"), ("answer", "b"))), new(FieldMap.Of(("question", "a"), ("answr", "b")))] });
        var error = Assert.Throws<HoneException>(() => program.With(state));
        Assert.StartsWith("Predictor 'self', demo 1 has a value for 'answr', which is no field of question -> answer.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CallAsync_MissingInput_NamesPredictorFieldAndSignature()
    {
        var program = Predict.Parse("claim, key_facts -> query").WithModel(ScriptedChatClient.InSequence());
        var error = await Assert.ThrowsAsync<HoneException>(() => program.CallAsync(FieldMap.Of(("claim", "c")), Token));
        var missing = await Assert.ThrowsAsync<HoneException>(() => new Predict<Ask, Reply>("Judge.").WithModel(ScriptedChatClient.InSequence()).CallAsync(new(null!, ["b"]), Token));
        Assert.StartsWith("Predictor 'self' got null for input 'question', which must have a value.", missing.Message, StringComparison.Ordinal);
        Assert.Equal("Predictor 'self' got no value for input 'key_facts'. Its signature is: claim, key_facts -> query. Pass it, or give the field a default.", error.Message);
    }

    [Fact]
    public async Task CallAsync_UnknownInput_IsRefused()
    {
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.InSequence());
        var error = await Assert.ThrowsAsync<HoneException>(() => program.CallAsync(FieldMap.Of(("question", "q"), ("hint", "h")), Token));
        Assert.Contains("'hint', which is no input", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACallThatCannotStartFailsThroughItsTask()
    {
        var call = Predict.Parse("question -> answer").CallAsync(FieldMap.Of(("question", "q")), Token);

        Assert.True(call.IsFaulted);
        await Assert.ThrowsAsync<LMNotConfiguredException>(() => call);
    }

    [Fact]
    public async Task CallAsync_WithoutModel_SaysHowToSetOne()
    {
        var error = await Assert.ThrowsAsync<LMNotConfiguredException>(() => Predict.Parse("question -> answer").CallAsync(FieldMap.Of(("question", "q")), Token));
        Assert.Contains("HoneScope.Use", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CallAsync_InsideAScope_UsesItsModel_AndNoneAfterwards()
    {
        var predict = Predict.Parse("question -> answer");
        using (HoneScope.Use(ScriptedChatClient.InSequence(Answer("a"))))
            Assert.Equal("a", (await predict.CallAsync(FieldMap.Of(("question", "q")), Token))["answer"]);
        Assert.Null(HoneScope.Current);
        await Assert.ThrowsAsync<LMNotConfiguredException>(() => predict.CallAsync(FieldMap.Of(("question", "q")), Token));
    }

    /// <summary>Ledger B2: a list that the program changes after the call must not change what the trace says was asked.</summary>
    [Fact]
    public async Task RunAsync_InputsMutatedAfterTheCall_TraceKeepsWhatWasSent()
    {
        var program = new Mutating().WithModel(ScriptedChatClient.By((_, _) => Answer("new")));
        var run = await program.RunAsync("x", null, Token);
        Assert.Equal(2, run.Trace.Calls.Length);
        Assert.Empty((System.Collections.IEnumerable)run.Trace.Calls[0].Inputs["notes"]!);
        Assert.Single((System.Collections.IEnumerable)run.Trace.Calls[1].Inputs["notes"]!);
        Assert.DoesNotContain("new", run.Trace.Calls[0].Messages[^1].Text, StringComparison.Ordinal);
    }

    /// <summary>A parse failure that the program swallows is still in the trace.</summary>
    [Fact]
    public async Task RunAsync_SwallowedParseFailure_IsRecordedAtTheCallSite()
    {
        var run = await new Swallowing().WithModel(ScriptedChatClient.InSequence("no field at all")).RunAsync("x", new() { Recovery = RecoveryPolicy.None }, Token);
        Assert.Equal("", run.Value);
        var call = Assert.Single(run.Trace.Calls);
        Assert.Equal("no field at all", call.Text);
        Assert.Null(call.Outputs);
        Assert.Equal(["answer"], call.Failure!.ExpectedFields);
        Assert.Equal("x", call.Inputs["question"]); // the predictor's, by its fields' names
    }

    [Fact]
    public async Task RunAsync_ManyCandidatesAtOnce_KeepStatesAndTracesApart()
    {
        var client = ScriptedChatClient.ByAsync(async (request, _, _) =>
        {
            await Task.Yield();
            return ScriptedChatClient.Respond(Answer(request.SystemText.Contains("LOUD", StringComparison.Ordinal) ? "LOUD" : "soft"));
        });
        var module = Predict.Parse("question -> answer", "Speak soft.");
        var programs = new[] { module.WithModel(client), module.WithModel(client).With(ProgramState.Default.With("self", new() { Instructions = "Speak LOUD." })) };
        var runs = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => programs[i % 2].RunAsync(FieldMap.Of(("question", $"{i}")), null, Token)));
        Assert.All(runs.Index(), run =>
        {
            Assert.Equal(run.Index % 2 == 0 ? "soft" : "LOUD", run.Item.Value["answer"]);
            Assert.Equal($"{run.Index}", Assert.Single(run.Item.Trace.Calls).Inputs["question"]);
        });
    }

    [Fact]
    public async Task RunAsync_SeededRun_GivesEveryCallItsOwnRepeatableSeed()
    {
        var client = ScriptedChatClient.By((_, _) => Answer("a"));
        var program = new Mutating().WithModel(client);
        await program.RunAsync("x", new() { Seed = 7 }, Token);
        await program.RunAsync("x", new() { Seed = 7 }, Token);
        var seeds = client.Requests.Select(request => request.Options!.Seed!.Value).ToArray();
        Assert.Equal(seeds[..2], seeds[2..]);
        Assert.NotEqual(seeds[0], seeds[1]);
    }

    [Fact]
    public async Task RunAsync_OptionsAtEveryLevel_TheInnermostWins()
    {
        var client = ScriptedChatClient.By((_, _) => Answer("a"));
        var model = new LM(client) { Options = new() { Temperature = 0.1f, MaxOutputTokens = 10, TopP = 0.5f } };
        var program = Predict.Parse("question -> answer").WithModel(model)
            .With(ProgramState.Default.With("self", new() { Options = new() { Temperature = 0.3f } }));
        await program.RunAsync(FieldMap.Of(("question", "q")), new() { Options = new() { Temperature = 0.2f, MaxOutputTokens = 20 } }, Token);
        var sent = client.Requests[0].Options!;
        Assert.Equal((0.3f, 20, 0.5f), (sent.Temperature!.Value, sent.MaxOutputTokens!.Value, sent.TopP!.Value));
    }

    [Fact]
    public async Task RunAsync_PredictorWithItsOwnModel_IsAnsweredByIt()
    {
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.InSequence())
            .With(ProgramState.Default.With("self", new() { Model = "judge" }))
            .WithNamedModel("judge", new LM(ScriptedChatClient.InSequence(Answer("from the judge")), "judge"));
        var run = await program.RunAsync(FieldMap.Of(("question", "q")), null, Token);
        Assert.Equal("from the judge", run.Value["answer"]);
        Assert.Equal("judge", run.Trace.Calls[0].Model);
    }

    [Fact]
    public void Constructor_StateOfAnotherModule_IsRefused()
    {
        var state = ProgramState.Default.With("summarize", new() { Instructions = "x" });
        var error = Assert.Throws<HoneException>(() => new Program<FieldMap, FieldMap>(Predict.Parse("question -> answer"), null, state));
        Assert.Contains("'summarize'", error.Message, StringComparison.Ordinal);
        Assert.Contains("It has: self", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Predictors_NestedListsAndDictionaries_HaveDottedPathsInDeclarationOrder()
    {
        var paths = new Nested().WithModel(ScriptedChatClient.InSequence()).Predictors.Select(entry => entry.Key);
        Assert.Equal(["first_step", "inner.plan", "steps[0]", "steps[1].plan", "by_name['x']"], paths);
    }

    internal static string Answer(string value) => $"[[ ## answer ## ]]\n{value}\n\n[[ ## completed ## ]]";

    private sealed class Mutating : Module<string, string>
    {
        private readonly Predict answer = Predict.Parse("question, notes: list[str] -> answer");

        protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken)
        {
            var notes = new List<string>();
            for (var i = 0; i < 2; i++)
                notes.Add((string)(await answer.CallAsync(FieldMap.Of(("question", input), ("notes", notes)), cancellationToken))["answer"]!);
            return string.Concat(notes);
        }
    }

    private sealed class Swallowing : Module<string, string>
    {
        private readonly Predict answer = Predict.Parse("question -> answer");

        protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken)
        {
            try
            {
                return (string)(await answer.CallAsync(FieldMap.Of(("question", input)), cancellationToken))["answer"]!;
            }
            catch (HoneException)
            {
                return "";
            }
        }
    }

    private sealed class Inner : Module<string, string>
    {
        private readonly Predict plan = Predict.Parse("a -> b");

        protected override Task<string> ForwardAsync(string input, CancellationToken cancellationToken) => Task.FromResult($"{plan}");
    }

    private sealed class Nested : Module<string, string>
    {
        private readonly Predict _firstStep = Predict.Parse("a -> b");
        private readonly Inner inner = new();
        private readonly List<Module> steps = [Predict.Parse("c -> d"), new Inner()];
        private readonly Dictionary<string, Predict> byName = new() { ["x"] = Predict.Parse("e -> f") };

        protected override Task<string> ForwardAsync(string input, CancellationToken cancellationToken) => Task.FromResult($"{_firstStep}{inner}{steps}{byName}");
    }
}
