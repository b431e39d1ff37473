using Hone.Optimizers;
using Hone.Testing;
using Microsoft.Extensions.AI;
using static Hone.Sandbox.Tests.RlmScript;

namespace Hone.Sandbox.Tests;

/// <summary>The calls of models that code makes: order, budget, recursion, errors, what is seen of them.</summary>
public sealed class RlmCallTests
{
    private static readonly JavaScriptInterpreter Interpreter = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static ChatResponse Response(string answer) => ScriptedChatClient.Respond(Says(("answer", answer)));

    [Fact]
    public async Task Batch_RunsSideBySide_AndKeepsItsOrder()
    {
        // The first prompt is answered after the last has arrived.
        var (gate, waiting, seen) = (new Lock(), new List<TaskCompletionSource>(), 0);
        var client = ScriptedChatClient.ByAsync(async (request, _, _) =>
        {
            if (request.Path != "llm_query")
                return ScriptedChatClient.Respond(Step("SUBMIT(llm_query_batched(['a', 'b', 'c', 'd']).join())"));
            var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (gate)
            {
                waiting.Add(mine);
                if (++seen == 4)
                    waiting[^1].SetResult();
            }

            await mine.Task;
            lock (gate)
            {
                waiting.Remove(mine);
                if (waiting.Count > 0)
                    waiting[^1].SetResult();
            }

            return Response(PromptOf(request).ToUpperInvariant());
        });
        var run = await new Rlm<string, string>("Read.", Interpreter).WithModel(client).RunAsync("x", null, Token);

        Assert.Equal("A,B,C,D", run.Value);
        Assert.Equal(["generate_action", "llm_query", "llm_query", "llm_query", "llm_query"], run.Trace.Calls.Select(call => call.Path));
        Assert.Equal(["a", "b", "c", "d"], run.Trace.Of("llm_query").Select(call => call.Inputs["prompt"]));
        Assert.Equal([0, 1, 2, 3], run.Trace.Of("llm_query").Select(call => call.Ordinal));
    }

    [Fact]
    public async Task Trace_DoesNotDependOnParallelism()
    {
        async Task<string> RunAsync(int parallelism)
        {
            var client = ScriptedChatClient.By((request, _) => request.Path == "llm_query"
                ? Says(("answer", $"{PromptOf(request)}:{request.Options!.Seed}"))
                : Step("let a = llm_query('s'); let b = llm_query_batched(['1', '2', '3', '4', '5', '6']); SUBMIT([a, ...b, ...llm_query_batched(['1', '2'])].join())"));
            var run = await new Rlm<string, string>("Read.", Interpreter, options: new() { MaxParallelCalls = parallelism })
                .WithModel(client).RunAsync("x", new() { Seed = 7 }, Token);
            return $"{run.Value} {string.Join(',', run.Trace.Calls.Select(call => $"{call.Path}{call.Ordinal}"))}";
        }

        var alone = await RunAsync(1);
        Assert.Equal(9, alone.Split(' ')[0].Split(',').Distinct().Count());
        Assert.Equal(alone, await RunAsync(8));
        Assert.Equal(alone, await RunAsync(3));
    }

    [Fact]
    public async Task Budget_AtEveryValue_IsNeverExceeded()
    {
        for (var budget = 0; budget <= 12; budget++)
        {
            var options = new RlmOptions { MaxModelCalls = budget, MaxDepth = 2, MaxSteps = 6 };
            var client = ScriptedChatClient.By((request, index) => request.Path switch
            {
                "rlm.llm_query" or "rlm.rlm_query.llm_query" or "rlm.extract" or "rlm.rlm_query.extract" => Says(("answer", "a")),
                "rlm.rlm_query.generate_action" => Step(request.LastText.Contains("Step 1", StringComparison.Ordinal)
                    ? "SUBMIT(context)" : "llm_query_batched(['p', 'q', 'r'])"),
                _ => Step((request.LastText.Split("=== Step ").Length - 1) switch
                {
                    0 => "rlm_query_batched(['a', 'b'], [1, 2])",
                    1 => "llm_query_batched(['1', '2', '3'])",
                    2 => "rlm_query('one', [1])",
                    3 => "for (;;) llm_query('on and on')",
                    _ => "SUBMIT('done')",
                }),
            });
            var result = await new Rlm<string, string>("Read.", Interpreter, options: options).RunAsync(client, "x");
            var inside = client.Requests.Count(request => request.Path is not "rlm.generate_action" and not "rlm.extract");

            Assert.Equal("done", result.Output);
            Assert.InRange(inside, 0, budget);
            Assert.Equal(budget < 2 ? inside : budget, result.ModelCalls);
        }
    }

    [Fact]
    public async Task Budget_Spent_IsToldInFull_AndABatchIsMadeWholeOrNot()
    {
        var client = Client(prompt => prompt, "llm_query('a')", "llm_query_batched(['b', 'c', 'd'])", "llm_query_batched(['e', 'f'])", "SUBMIT('done')");
        var result = await new Rlm<string, string>("Read.", Interpreter, options: new() { MaxModelCalls = 3 }).RunAsync(client, "x");

        Assert.Equal(3, result.ModelCalls);
        Assert.Contains("`llm_query_batched` was not called: 3 more model calls do not fit, 2 of 3 are left.", result.Steps[1].Output);
        Assert.Equal("Value: [\"e\", \"f\"]", result.Steps[2].Output);
    }

    [Fact]
    public async Task Recursion_RunsInside_DownToTheDepth()
    {
        var client = ScriptedChatClient.By((request, _) => request.Path switch
        {
            "generate_action" => Step("SUBMIT(rlm_query('sum it', {numbers: [1, 2, 3]}))"),
            "rlm_query.generate_action" => Step("SUBMIT(rlm_query(query + '!', context.numbers))"),
            "rlm_query.rlm_query.generate_action" => Step("SUBMIT(typeof rlm_query + query + context.reduce((a, b) => a + b, 0) + llm_query('x'))"),
            _ => Says(("answer", "y")),
        });
        var program = new Rlm<string, string>("Add.", Interpreter, options: new() { MaxDepth = 3 }).WithModel(client);
        var run = await program.RunAsync("x", null, Token);

        Assert.Equal("undefinedsum it!6y", run.Value);
        Assert.Equal(
            ["generate_action", "extract", "llm_query", "rlm_query.generate_action", "rlm_query.extract", "rlm_query.llm_query", "rlm_query.rlm_query.generate_action",
             "rlm_query.rlm_query.extract", "rlm_query.rlm_query.llm_query"],
            program.Predictors.Select(predictor => predictor.Key));
        Assert.Equal(
            ["generate_action", "rlm_query.generate_action", "rlm_query.rlm_query.generate_action", "rlm_query.rlm_query.llm_query"], run.Trace.Calls.Select(call => call.Path));
        Assert.Contains("Answer the query about the context.", client.Requests[1].SystemText);
        Assert.Contains("Variable `context` of your code: any with 1 entries", client.Requests[1].LastText);
    }

    [Fact]
    public async Task Recursion_OutOfCalls_DrawsTheOutputsFromWhatThereIs()
    {
        var client = ScriptedChatClient.By((request, _) => request.Path switch
        {
            "rlm.generate_action" => Step("SUBMIT(rlm_query('q', 'c'))"),
            "rlm.rlm_query.generate_action" => Step("1 + 1"),
            _ => Says(("answer", "drawn")),
        });
        var result = await new Rlm<string, string>("Read.", Interpreter, options: new() { MaxDepth = 2, MaxModelCalls = 4 }).RunAsync(client, "x");

        Assert.Equal(("drawn", 4), (result.Output, result.ModelCalls));
        Assert.Equal(3, client.Requests.Count(request => request.Path == "rlm.rlm_query.generate_action"));
    }

    [Fact]
    public async Task SubModel_AnswersCode_AndAModelByNameComesFirst()
    {
        var main = ScriptedChatClient.By((_, _) => Step("SUBMIT(llm_query('q'))"));
        var small = ScriptedChatClient.By((_, _) => Says(("answer", "small")));
        var named = ScriptedChatClient.By((_, _) => Says(("answer", "named")));
        var program = new Rlm<string, string>("Read.", Interpreter, options: new() { SubModel = new LM(small, "small") }).WithModel(new LM(main, "main"));
        var run = await program.RunAsync("x", null, Token);

        Assert.Equal("small", run.Value);
        Assert.Equal(["main", "small"], run.Trace.Calls.Select(call => call.Model));
        program = program.WithNamedModel("other", new LM(named, "other"));
        program = program.With(program.State.With("llm_query", new() { Model = "other" }));
        Assert.Equal("named", await program.CallAsync("x", Token));
    }

    [Fact]
    public async Task SubModel_IsANamedModelOfTheProgram()
    {
        var small = new LM(ScriptedChatClient.By((_, _) => Says(("answer", "small"))), "small");
        var other = new LM(ScriptedChatClient.By((_, _) => Says(("answer", "other"))), "other");
        var main = ScriptedChatClient.By((_, _) => Step("SUBMIT(llm_query('q'))"));
        var program = new Rlm<string, string>("Read.", Interpreter, options: new() { SubModel = small, MaxDepth = 2 }).WithModel(new LM(main, "main"));

        Assert.Same(small, program.NamedModels["llm_query"]);
        Assert.Equal(
            ["generate_action: ", "extract: ", "llm_query: llm_query", "rlm_query.generate_action: llm_query", "rlm_query.extract: llm_query", "rlm_query.llm_query: llm_query"],
            program.Predictors.Select(predictor => $"{predictor.Key}: {program.State[predictor.Key].Model}"));

        // Another model by that name stays through other states; a state that names none means the same.
        program = program.WithNamedModel("llm_query", other).With(ProgramState.Default.With("extract", new() { Instructions = "Draw." }));
        Assert.Equal("other", await program.CallAsync("x", Token));
        Assert.Equal("other", await program.LoadState(program.SaveState(), "here").CallAsync("x", Token));
    }

    [Fact]
    public async Task SubModel_ThatCanBeTrained_IsTrained()
    {
        var reader = new ToyPolicy(new ToyChoice("Do what the prompt asks", Says(("answer", "wrong")), Says(("answer", "right"))));
        var main = new LM(ScriptedChatClient.By((_, _) => Step("SUBMIT(llm_query('q'))")), "main");
        var program = new Rlm<string, string>("Read.", Interpreter, options: new() { SubModel = new LM(reader, "reader") }).WithModel(main);
        Example<string, string>[] examples = [.. Enumerable.Range(0, 4).Select(i => new Example<string, string>($"x{i}", "right"))];
        var options = new GrpoOptions { Steps = 15, ExamplesPerStep = 2, RolloutsPerExample = 8, LearningRate = 1, WarmupSteps = 0, ValidationTemperature = 1, ValidateEvery = 5, Seed = 1 };

        var result = await Grpo.Create(Metric.From<string, string>((_, output) => output == "right"), options).CompileAsync(program, examples, examples, Token);

        Assert.True(((ToyPolicy)result.Program.NamedModels["llm_query"].Client).Probability(0, 1) > 0.8);
        Assert.Same(main, result.Program.Model);
        Assert.Equal("llm_query", result.Program.State["llm_query"].Model);

        // In a program around it, too: the paths are longer, and so is the name.
        Assert.Equal(["rlm.llm_query"], new Told<string, string>(new Rlm<string, string>("Read.", Interpreter, options: new() { SubModel = new LM(reader, "reader") })).WithModel(main).NamedModels.Keys);
    }

    [Fact]
    public async Task Instructions_AreState_AndReachTheModel()
    {
        var client = Client(_ => "a", "SUBMIT(llm_query('q'))");
        var program = new Rlm<string, string>("Read.", Interpreter).WithModel(client);
        program = program.With(program.State.With("llm_query", new() { Instructions = "Answer in French." }).With("generate_action", new() { Instructions = "Write code." }));
        await program.CallAsync("x", Token);

        Assert.Equal(["generate_action", "extract", "llm_query"], program.Predictors.Select(predictor => predictor.Key));
        Assert.Contains("Answer in French.", client.Requests[1].SystemText);
        Assert.Contains("Write code.", client.Requests[0].SystemText);
        Assert.Contains("- `SUBMIT(…)`", client.Requests[0].LastText);
    }

    [Fact]
    public async Task D31_FailedPrompts_AreEmptyValues_AndTheReasonIsToldOnce()
    {
        var client = ScriptedChatClient.By((request, _) => request.Path switch
        {
            "rlm.generate_action" => Step(request.LastText.Contains("Step 1", StringComparison.Ordinal)
                ? "SUBMIT(String(kept))" : "kept = llm_query_batched(['[ERROR] fine', 'bad', 'worse']).map(answer => answer === null)"),
            _ when PromptOf(request) is "bad" or "worse" => throw new LMInvalidRequestException("I will not"),
            _ => Says(("answer", "[ERROR] but an answer")),
        });
        var result = await new Rlm<string, string>("Read.", Interpreter).RunAsync(client, "x");

        Assert.Equal("false,true,true", result.Output);
        Assert.Contains("[2 of 3 items of `llm_query_batched` gave no answer: I will not]", result.Steps[0].Output);
        Assert.False(result.Steps[0].IsError);
    }

    [Fact]
    public async Task Errors_OfAModel_AreToldToTheCode()
    {
        var client = ScriptedChatClient.By((request, _) => request.Path switch
        {
            "rlm.generate_action" => Step((request.LastText.Split("=== Step ").Length - 1) switch
            {
                0 => "llm_query('bad')",
                1 => "llm_query('')",
                2 => "llm_query_batched('a')",
                3 => "llm_query_batched(['bad', 'bad'])",
                _ => "SUBMIT(llm_query_batched([]).length + 'x')",
            }),
            _ => throw new ContextWindowExceededException("too long for me"),
        });
        var result = await new Rlm<string, string>("Read.", Interpreter).RunAsync(client, "x");

        Assert.Equal("0x", result.Output);
        Assert.Equal(
            [
                "[Error] Error: `llm_query` gave no answer: too long for me (line 1)",
                "[Error] Error: `llm_query` takes text, and it may not be empty. (line 1)",
                "[Error] Error: `llm_query_batched` takes a list of texts. (line 1)",
                "[Error] Error: `llm_query_batched` gave no answer: too long for me (line 1)",
            ],
            result.Steps.Take(4).Select(step => step.Output));
    }

    [Theory]
    [InlineData("llm_query('q')")]
    [InlineData("try { llm_query_batched(['q', 'r', 's']) } catch (e) { SUBMIT('caught') }")]
    public async Task Errors_ThatCodeCannotMend_EndTheRun(string code)
    {
        await using var interpreter = new FragileInterpreter();
        var client = ScriptedChatClient.By((request, _) => request.Path == "llm_query" ? throw new LMAuthException("the key is refused") : Step(code));
        var error = await Assert.ThrowsAsync<LMAuthException>(() => new Rlm<string, string>("Read.", interpreter).WithModel(client).CallAsync("x", Token));

        Assert.Contains("the key is refused", error.Message);
        Assert.Equal(0, interpreter.OpenSessions);
    }

    [Fact]
    public async Task Budget_OfTheModel_EndsTheRun()
    {
        using var budget = new CallBudget(new() { MaxCalls = 3 });
        var client = Client(_ => "a", "for (let i = 0; i < 10; i++) { try { llm_query('q') } catch (e) { } }");
        var program = new Rlm<string, string>("Read.", Interpreter).WithModel(new LM(client) { Budget = budget });
        await Assert.ThrowsAsync<BudgetExceededException>(() => program.CallAsync("x", Token));
        Assert.Equal(3, client.Requests.Count);
    }

    [Fact]
    public async Task Cancellation_InTheMiddleOfABatch_StopsEverything()
    {
        await using var interpreter = new FragileInterpreter();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var (arrived, cancelled) = (0, 0);
        var client = ScriptedChatClient.ByAsync(async (request, _, token) =>
        {
            if (request.Path != "llm_query")
                return ScriptedChatClient.Respond(Step("llm_query_batched(['a', 'b', 'c'])"));
            if (Interlocked.Increment(ref arrived) == 3)
                await stop.CancelAsync();
            try
            {
                await Task.Delay(Timeout.Infinite, token);
            }
            finally
            {
                Interlocked.Increment(ref cancelled);
            }

            return Response("never");
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new Rlm<string, string>("Read.", interpreter).WithModel(client).CallAsync("x", stop.Token));
        Assert.Equal((3, 0), (cancelled, interpreter.OpenSessions));
    }

    [Fact]
    public async Task Stream_TellsStepsAndAnswers_InOrder()
    {
        var client = Client(prompt => prompt + "!", "let a = llm_query_batched(['p', 'q'])", "SUBMIT(a.join())").StreamingInPiecesOf(3);
        var events = new List<RunEvent>();
        await foreach (var happened in new Rlm<string, string>("Read.", Interpreter).WithModel(client).StreamAsync("x", null, Token))
            events.Add(happened);

        Assert.Equal("p!,q!", events.OfType<RunCompleted<string>>().Single().Prediction.Value);
        Assert.Equal(
            ["generate_action0", "llm_query0", "llm_query1", "generate_action1"], events.OfType<CallCompleted>().Select(done => $"{done.Path}{done.Call}"));
        Assert.Equal(
            "let a = llm_query_batched(['p', 'q'])",
            string.Concat(events.OfType<FieldDelta>().Where(delta => delta is { Path: "generate_action", Call: 0, Field: "code" }).Select(delta => delta.Text)));
        Assert.Equal("q!", string.Concat(events.OfType<FieldDelta>().Where(delta => delta is { Path: "llm_query", Call: 1 }).Select(delta => delta.Text)));
    }

    [Fact]
    public async Task InsideBestOfN_SideBySide_TheBestIsTaken()
    {
        await using var interpreter = new FragileInterpreter();
        var client = ScriptedChatClient.By((request, _) => request.Path == "module.llm_query"
            ? Says(("answer", $"{(request.Options as HoneChatOptions)!.SampleId}"))
            : Step("SUBMIT(Number(llm_query('how good?') || 0))"));
        var best = new BestOfN<string, int>(
            new Rlm<string, int>("Rate.", interpreter), 4, (_, value) => value, options: new() { MaxParallelism = 4 }).WithModel(client);
        var run = await best.RunAsync("x", null, Token);

        Assert.Equal(3, run.Value);
        Assert.Equal(["module.generate_action", "module.llm_query"], run.Trace.Calls.Select(call => call.Path));
        Assert.Equal(6, run.Trace.Discarded.Length);
        Assert.Equal(0, interpreter.OpenSessions);
    }

    [Fact]
    public async Task Observers_SeeCodeAndWhatItAsks()
    {
        var seen = new List<string>();
        var client = Client(_ => "a", "SUBMIT(llm_query('q'))");
        await new Rlm<string, string>("Read.", Interpreter).WithModel(client).WithObserver(new Watcher(seen)).CallAsync("x", Token);
        Assert.Equal(["Module generate_action", "Code javascript", "Module llm_query"], seen.Where(what => !what.StartsWith("Model ", StringComparison.Ordinal) && what.Contains('_') || what.StartsWith("Code", StringComparison.Ordinal)));
    }

    private sealed class Watcher(List<string> seen) : IHoneObserver
    {
        public void OnStarted(CallStarted call) => seen.Add($"{call.Kind} {call.Name}");

        public void OnEnded(CallEnded call)
        {
        }
    }
}
