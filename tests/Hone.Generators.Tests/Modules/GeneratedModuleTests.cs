using Hone.Testing;

namespace Hone.Generators.Tests.Modules;

/// <summary>Modules written with partial methods, compiled by the generator and run against a scripted model.</summary>
public class GeneratedModuleTests
{
    [Fact]
    public async Task RunAsync_MultiHopProgram_ReturnsTypedValuesAndTracesPaths()
    {
        var client = ScriptedChatClient.InSequence(
            "[[ ## reasoning ## ]]\nWhere?\n\n[[ ## query ## ]]\ncapital of France\n\n[[ ## completed ## ]]",
            "[[ ## new_notes ## ]]\n[\"Paris\"]\n\n[[ ## titles ## ]]\n[\"France\"]\n\n[[ ## completed ## ]]",
            "[[ ## reasoning ## ]]\nHow many?\n\n[[ ## query ## ]]\npopulation\n\n[[ ## completed ## ]]",
            "[[ ## new_notes ## ]]\n[\"2 million\"]\n\n[[ ## titles ## ]]\n[\"France\", \"Paris\"]\n\n[[ ## completed ## ]]");
        var searched = new List<string>();
        var program = new ResearchHop(query =>
        {
            searched.Add(query);
            return [$"about {query}"];
        }).WithModel(client);

        var run = await program.RunAsync(new("Paris is large."), cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(["Paris", "2 million"], run.Value.Notes);
        Assert.Equal(["France", "Paris"], run.Value.Titles);
        Assert.Equal(["capital of France", "population"], searched);
        Assert.Equal(["generate_query", "append_notes", "generate_query", "append_notes"], run.Trace.Calls.Select(call => call.Path));
        Assert.Equal(["Paris"], Assert.IsAssignableFrom<IEnumerable<object?>>(run.Trace.Calls[2].Inputs["key_facts"]));
        Assert.Contains("about population", client.Requests[3].LastText, StringComparison.Ordinal);
    }

    [Fact]
    public void Predictors_OfGeneratedModule_HaveTheDeclaredSignatures()
    {
        var predictors = Predictors(new ResearchHop(_ => []));

        var query = predictors["generate_query"];
        Assert.Equal("claim, key_facts -> reasoning, query", query.Shape);
        Assert.Equal("Given a claim and key facts, write the search query for the most useful missing fact.", query.Instructions);
        Assert.Equal("claim to verify", query.Find("claim")!.Description);
        Assert.Equal("list[str]", query.Find("key_facts")!.Type.ToString());
        var notes = predictors["append_notes"];
        Assert.Equal("claim, notes, context -> new_notes, titles", notes.Shape);
        Assert.Equal("titles of the pages used", notes.Find("titles")!.Description);
    }

    [Fact]
    public async Task RunAsync_PredictionsAndCallOptions_Bind()
    {
        var client = ScriptedChatClient.InSequence(
            "[[ ## reasoning ## ]]\nhm\n\n[[ ## is_true ## ]]\ntrue\n\n[[ ## why ## ]]\nyes",
            "[[ ## query ## ]]\nq",
            "[[ ## count ## ]]\n3\n\n[[ ## why ## ]]\nso",
            "[[ ## word ## ]]\nw");

        var run = await new Traced().WithModel(client).RunAsync("x", cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal("yes hm q 1 3 so w", run.Value);
        Assert.Equal([0.25f, null, null, null], client.Requests.Select(request => request.Options!.Temperature));
        Assert.Equal([null, null, null, 7], client.Requests.Select(request => request.Options!.MaxOutputTokens));
        Assert.Equal("question -> reasoning, is_true, why", Predictors(new Traced())["decide"].Shape);
    }

    [Fact]
    public async Task RunAsync_EveryResultForm_Binds()
    {
        var client = ScriptedChatClient.InSequence(
            "[[ ## is_true ## ]]\nTrue\n\n[[ ## why ## ]]\nbecause\n\n[[ ## completed ## ]]",
            "[[ ## mood_of_text ## ]]\nAngry\n\n[[ ## completed ## ]]",
            "[[ ## verdict ## ]]\n{\"is_true\": true, \"why\": \"picked\"}\n\n[[ ## completed ## ]]",
            "[[ ## verdict ## ]]\n{\"is_true\": false, \"why\": \"summed up\"}\n\n[[ ## completed ## ]]");

        var run = await new Forms().WithModel(client).RunAsync("Well?", cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal("True Angry picked summed up", run.Value);
        Assert.Equal(["decide", "rate", "pick_verdict", "summarize"], run.Trace.Calls.Select(call => call.Path));
        Assert.Equal(3L, run.Trace.Calls[0].Inputs["strictness"]);
        Assert.Equal(["one", "two"], Assert.IsAssignableFrom<IEnumerable<object?>>(run.Trace.Calls[3].Inputs["lines"]));
    }

    [Fact]
    public void Predictors_OfEveryForm_CarryAttributesAndDefaults()
    {
        var predictors = Predictors(new Forms());

        Assert.Equal("question, strictness -> is_true, why", predictors["decide"].Shape);
        var strictness = predictors["decide"].Find("strictness")!;
        Assert.True(strictness.HasDefault);
        Assert.Equal(3L, strictness.Default);
        Assert.Equal(["ge", "le"], strictness.Constraints.Select(constraint => constraint.Kind));
        Assert.Equal("text, history -> mood_of_text", predictors["rate"].Shape);
        Assert.Equal(FieldTypeKind.History, predictors["rate"].Find("history")!.Type.Kind);
        Assert.True(predictors["rate"].Find("mood_of_text")!.Type.AdmitsNull);
        Assert.Equal("verdicts, class -> verdict", predictors["pick_verdict"].Shape);
        Assert.True(predictors["pick_verdict"].Find("class")!.Type.AdmitsNull);
        Assert.Equal("the verdict that holds", predictors["pick_verdict"].Find("verdict")!.Description);
        Assert.Equal("lines -> verdict", predictors["summarize"].Shape);
    }

    [Fact]
    public async Task RunAsync_InheritedPredictors_AreFoundOnceEach()
    {
        var client = ScriptedChatClient.ForOutputs(
            FieldMap.Of(("reasoning", "r"), ("draft", "a draft")),
            FieldMap.Of(("judgement", "{\"is_true\": true, \"why\": \"good\"}")),
            FieldMap.Of(("answer", "polished")));
        var program = new Editor().WithModel(client);

        var verdict = await program.CallAsync("topic", TestContext.Current.CancellationToken);

        Assert.Equal(new(true, "good"), verdict);
        Assert.Equal(["polish", "write_draft", "judge", "translate"], program.Predictors.Select(entry => entry.Key));
    }

    [Fact]
    public async Task RunAsync_NestedGenericModule_BindsTheActualTypes()
    {
        var words = new Library.Extractor<string, List<int>>().WithModel(Answer("record", "[1, 2]"));
        var verdicts = new Library.Extractor<int, Verdict>().WithModel(Answer("record", "{\"is_true\": true, \"why\": \"w\"}"));

        Assert.Equal([1, 2], await words.CallAsync("text", TestContext.Current.CancellationToken));
        Assert.Equal(new(true, "w"), await verdicts.CallAsync(7, TestContext.Current.CancellationToken));
        Assert.Equal("key -> record", verdicts.Predictors.Single().Value.Shape);
        Assert.Equal("int", verdicts.Predictors.Single().Value.Find("key")!.Type.ToString());
    }

    [Fact]
    public async Task RunAsync_ModulesInContainers_HaveDottedPaths()
    {
        var client = ScriptedChatClient.ForOutputs(
            FieldMap.Of(("conclusion", "unused")),
            FieldMap.Of(("reasoning", "r"), ("draft", "a draft")),
            FieldMap.Of(("judgement", "{\"is_true\": true, \"why\": \"good\"}")),
            FieldMap.Of(("record", "4")),
            FieldMap.Of(("answer", "done")));
        var program = new Panel(new Editor(), [new Editor(), new Editor()]).WithModel(client);

        var run = await program.RunAsync("topic", cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal("done", run.Value);
        Assert.Equal(
            [
                "conclude", "chair.polish", "chair.write_draft", "chair.judge", "chair.translate",
                "editors[0].polish", "editors[0].write_draft", "editors[0].judge", "editors[0].translate",
                "editors[1].polish", "editors[1].write_draft", "editors[1].judge", "editors[1].translate",
                "counters['words'].extract_record",
            ],
            program.Predictors.Select(entry => entry.Key));
        Assert.Equal(program.Predictors.Select(entry => entry.Key).Order(), run.Trace.Calls.Select(call => call.Path).Order());
    }

    [Fact]
    public async Task RunAsync_StateForAMethod_ChangesItsPromptOnly()
    {
        var client = ScriptedChatClient.ForOutputs(
            FieldMap.Of(("reasoning", "r"), ("draft", "a draft")),
            FieldMap.Of(("judgement", "{\"is_true\": true, \"why\": \"good\"}")),
            FieldMap.Of(("answer", "polished")));
        var program = new Editor().WithModel(client);
        program = program.With(program.State.With("write_draft", new() { Instructions = "Write like a poet." }));

        await program.CallAsync("topic", TestContext.Current.CancellationToken);

        Assert.Equal([true, false, false, false], client.Requests.Select(request => request.SystemText.Contains("poet", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task RunAsync_ManyRunsOfOneInstance_StayApart()
    {
        var client = ScriptedChatClient.By((request, _) =>
        {
            var key = request.LastText.Split("[[ ## key ## ]]")[1].Trim().Split('\n')[0];
            return $"[[ ## record ## ]]\n{key}\n\n[[ ## completed ## ]]";
        });
        var program = new Library.Extractor<int, int>().WithModel(client);

        var values = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => program.CallAsync(i, TestContext.Current.CancellationToken)));

        Assert.Equal(Enumerable.Range(0, 100), values);
    }

    [Fact]
    public async Task RunAsync_Cancelled_TokenReachesTheClient()
    {
        using var source = new CancellationTokenSource();
        var client = ScriptedChatClient.ByAsync(async (_, _, token) =>
        {
            await source.CancelAsync();
            token.ThrowIfCancellationRequested();
            throw new InvalidOperationException("The token of the run did not arrive.");
        });
        var program = new Library.Extractor<int, int>().WithModel(client);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => program.CallAsync(1, source.Token));
    }

    private static Dictionary<string, Signature> Predictors<TIn, TOut>(Module<TIn, TOut> module) =>
        new Program<TIn, TOut>(module).Predictors.ToDictionary();

    private static ScriptedChatClient Answer(string field, string value) => ScriptedChatClient.ForOutputs(FieldMap.Of((field, value)));
}
