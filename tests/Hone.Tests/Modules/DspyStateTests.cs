using Hone.Testing;

namespace Hone.Tests.Modules;

public sealed class DspyStateTests
{
    private const string Saved = """
        {
          "answer.predict": {
            "traces": [], "train": [],
            "demos": [
              {"question": "1+1?", "reasoning": "Add.", "score": 2, "augmented": true, "column": "of the data set"},
              {"question": "q", "score": null}
            ],
            "signature": {
              "instructions": "Be brief.",
              "fields": [
                {"prefix": "Question:", "description": "${question}"},
                {"prefix": "Reasoning:", "description": "${reasoning}"},
                {"prefix": "Score:", "description": "how sure"}
              ]
            },
            "lm": {"model": "openai/x", "temperature": 0.5, "max_tokens": 100, "api_base": "http://elsewhere.invalid", "api_key": "secret"}
          },
          "metadata": {"dependency_versions": {"python": "3.13", "dspy": "3.3.1"}}
        }
        """;

    [Fact]
    public void LoadState_FileOfDspy_TakesInstructionsDemosDescriptionsAndOptions()
    {
        var state = Program().LoadState(Saved).State["answer"];
        Assert.Equal("Be brief.", state.Instructions);
        Assert.Equal(2, state.Demos.Length);
        Assert.True(state.Demos[0].IsAugmented);
        Assert.Equal(FieldMap.Of(("question", "1+1?"), ("reasoning", "Add."), ("score", 2L)), state.Demos[0].Fields);
        Assert.Equal("how sure", Assert.Single(state.FieldDescriptions).Value);
        Assert.Equal((0.5f, 100), (state.Options!.Temperature!.Value, state.Options.MaxOutputTokens!.Value));
        Assert.Null(state.Model);
    }

    [Fact]
    public void LoadState_ThenSave_KeepsNoAddressAndNoKey()
    {
        var saved = Program().LoadState(Saved).SaveState();
        Assert.DoesNotContain("elsewhere", saved, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", saved, StringComparison.Ordinal);
        Assert.Equal(Program().LoadState(Saved).State, Program().LoadState(saved).State);
    }

    [Fact]
    public void LoadState_DemoThatDoesNotFit_IsAnError_OrLeftOut()
    {
        var text = Saved.Replace("\"score\": 2", "\"score\": \"plenty\"", StringComparison.Ordinal);
        Assert.Contains("demo 0, field 'score'", Assert.Throws<HoneException>(() => Program().LoadState(text)).Message, StringComparison.Ordinal);
        var demo = Assert.Single(Program().LoadState(text, options: new() { IsStrict = false }).State["answer"].Demos);
        Assert.Equal("q", demo.Fields["question"]);
    }

    [Fact]
    public void LoadState_SinglePredictor_IsReadFromTheTopOfTheFile()
    {
        var json = """{"demos": [], "signature": {"instructions": "Do.", "fields": [{"prefix": "A:", "description": "${a}"}, {"prefix": "B:", "description": "${b}"}]}, "lm": null}""";
        Assert.Equal("Do.", Predict.Parse("a -> b").WithModel(ScriptedChatClient.InSequence()).LoadState(json).State["self"].Instructions);
    }

    /// <summary>D41: a library that nobody knows is no reason to fail.</summary>
    [Theory]
    [InlineData("\"dspy\": \"3.3.1\"", "\"dspy\": \"9.9\", \"made_up_library\": \"1.0\"")]
    [InlineData("{\"python\": \"3.13\", \"dspy\": \"3.3.1\"}", "{}")]
    public void D41_LoadState_UnknownDependency_IsNoError(string old, string changed) =>
        Assert.Equal(Program().LoadState(Saved).State, Program().LoadState(Saved.Replace(old, changed, StringComparison.Ordinal)).State);

    /// <summary>D4: fields that have moved since are noticed.</summary>
    [Theory]
    [InlineData("question, extra -> score: int")]
    [InlineData("score: int -> question")]
    public void LoadState_OtherFields_ListsBothSides(string signature)
    {
        var program = new Holder(signature).WithModel(ScriptedChatClient.InSequence());
        var error = Assert.Throws<HoneException>(() => program.LoadState(Saved, "old.json"));
        Assert.Contains("old.json", error.Message, StringComparison.Ordinal);
        Assert.Contains("Question: Reasoning: Score: in the file", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadState_OtherPredictors_IsRefused_OrTakenInPartWhenAllowed()
    {
        var program = Predict.Parse("a -> b").WithModel(ScriptedChatClient.InSequence());
        var error = Assert.Throws<HoneException>(() => program.LoadState(Saved));
        Assert.Contains("In the file only: answer.predict. In the module only: self", error.Message, StringComparison.Ordinal);
        Assert.Equal(ProgramState.Default, program.LoadState(Saved, "old.json", new() { IsStrict = false }).State);
    }

    private static Program<FieldMap, FieldMap> Program() => new Holder("question -> score: int").WithModel(ScriptedChatClient.InSequence());

    private sealed class Holder(string signature) : Module<FieldMap, FieldMap>
    {
        private readonly ChainOfThought answer = ChainOfThought.Parse(signature);

        protected override Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken) => answer.CallAsync(input, cancellationToken);
    }
}
