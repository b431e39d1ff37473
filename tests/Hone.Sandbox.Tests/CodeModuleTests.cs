using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Sandbox.Tests;

/// <summary>Modules that let a model write code, with a scripted model and the interpreter itself.</summary>
public sealed class CodeModuleTests
{
    private static readonly JavaScriptInterpreter Interpreter = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public sealed record Question(string Text, int[] Numbers);

    public sealed record Total(int Sum, string? Reasoning = null);

    [Fact]
    public async Task ProgramOfThought_ErrorsAreFedBack_AndTheAnswerIsReadFromWhatTheCodeGave()
    {
        var client = ScriptedChatClient.InSequence(
            Says(("reasoning", "add"), ("generated_code", "```javascript\nlet s = 0;\nfor (const n of numbers) s += m;\n```")),
            Says(("reasoning", "typo"), ("generated_code", "let t = 0; for (const n of numbers) t += n;\nSUBMIT({sum: t})")),
            Says(("reasoning", "read"), ("sum", 6)));
        var program = new ProgramOfThought<Question, Total>("Add the numbers.", Interpreter).WithModel(client);
        var total = await program.CallAsync(new("all", [1, 2, 3]), Token);

        Assert.Equal(new Total(6, "read"), total);
        Assert.Equal(["code_generate", "code_regenerate", "generate_output"], program.Predictors.Select(predictor => predictor.Key));
        var asked = client.Requests;
        Assert.Contains("These inputs are variables of your code already: `text`, `numbers`.", asked[0].SystemText);
        Assert.Contains("m is not defined (line 2)", asked[1].LastText);
        Assert.Contains("for (const n of numbers) s += m;", asked[1].LastText);
        Assert.Contains("{\"sum\": 6}", asked[2].LastText);
    }

    [Fact]
    public async Task ProgramOfThought_AttemptsUsedUp_ThrowsWithTheLastError()
    {
        var client = ScriptedChatClient.By((_, _) => Says(("reasoning", "r"), ("generated_code", "nothing()")));
        var log = new WarningLog();
        var program = ProgramOfThought.Parse("question -> answer", Interpreter, options: new() { MaxAttempts = 2 }).WithModel(client).WithLogger(log);
        var error = await Assert.ThrowsAsync<HoneException>(() => program.CallAsync(FieldMap.Of(("question", "q")), Token));

        Assert.Contains("none of 2 pieces of code ran", error.Message);
        Assert.Equal("ProgramOfThought 'self' stopped without an end of its own after 2 steps: none of its pieces of code ran.", Assert.Single(log.Warnings));
        Assert.Equal("ReferenceError", Assert.IsType<CodeException>(error.InnerException).ErrorType);
        Assert.Equal(2, client.Requests.Count);
    }

    [Fact]
    public async Task ProgramOfThought_WithoutSubmit_ShowsOutputAndValue()
    {
        var client = ScriptedChatClient.InSequence(
            Says(("reasoning", "r"), ("generated_code", "console.log('seen'); question.length")), Says(("reasoning", "r"), ("answer", "5")));
        var program = ProgramOfThought.Parse("question -> answer", Interpreter).WithModel(client);
        await program.CallAsync(FieldMap.Of(("question", "12345")), Token);

        Assert.Contains("seen\nValue: 5", client.Requests[1].LastText);
    }

    [Fact]
    public async Task CodeAct_CallsTools_KeepsVariables_AndExtracts()
    {
        var asked = new List<string>();
        var tool = AIFunctionFactory.Create(
            (string city) => { asked.Add(city); return city == "Rome" ? 30 : throw new InvalidOperationException("no such city"); }, "temperature", "Degrees of a city.");
        var client = ScriptedChatClient.InSequence(
            Says(("generated_code", "const rome = temperature('Rome'); rome"), ("finished", false)),
            Says(("generated_code", "temperature('Rom')"), ("finished", true)),
            Says(("generated_code", "console.log(rome + 1)"), ("finished", true)),
            Says(("reasoning", "r"), ("answer", "31")));
        var program = CodeAct.Parse("question -> answer", Interpreter, [tool]).WithModel(client);
        var outputs = await program.CallAsync(FieldMap.Of(("question", "q")), Token);

        Assert.Equal("31", outputs["answer"]);
        Assert.Equal(["Rome", "Rom"], asked);
        Assert.Equal(["codeact", "extractor"], program.Predictors.Select(predictor => predictor.Key));
        Assert.Contains("- `temperature(city: str)`: Degrees of a city.", client.Requests[0].LastText);
        Assert.Contains("Step 1, output:\nValue: 30", client.Requests[1].LastText);
        Assert.Contains("[Error] Error: The tool 'temperature' failed: no such city (line 1)", client.Requests[2].LastText);
        Assert.Contains("Step 3, output:\n31", client.Requests[3].LastText);
    }

    [Fact]
    public async Task CodeAct_StepsUsedUp_ExtractsFromWhatThereIs()
    {
        var client = ScriptedChatClient.By((request, _) => request.LastText.Contains("generated_code", StringComparison.Ordinal)
            ? Says(("generated_code", "1 + 1"), ("finished", false))
            : Says(("reasoning", "r"), ("answer", "2")));
        var log = new WarningLog();
        var program = CodeAct.Parse("question -> answer", Interpreter, [], options: new() { MaxSteps = 2 }).WithModel(client).WithLogger(log);
        var outputs = await program.CallAsync(FieldMap.Of(("question", "q")), Token);

        Assert.Equal("2", outputs["answer"]);
        Assert.Equal(3, client.Requests.Count);
        Assert.Equal(
            "CodeAct 'self' stopped without an end of its own after 2 steps: its steps were used up, so the outputs are drawn from what there is.", Assert.Single(log.Warnings));
    }

    /// <summary>A model whose context is short is shown less of the steps, the last of them longest; the code goes on with all that it has.</summary>
    [Fact]
    public async Task CodeAct_ContextOverflow_LeavesOutOlderSteps()
    {
        string[] pieces = ["let a = 1; 'one'.padEnd(900, '.')", "let b = a + 1; 'two'.padEnd(900, '.')", "let c = a + b; 'three'.padEnd(900, '.')", "a + b + c"];
        var next = 0;
        var client = ScriptedChatClient.ByAsync((request, _, _) => request.LastText.Length > 1_900
            ? throw new ContextWindowExceededException("too long")
            : Task.FromResult(ScriptedChatClient.Respond(request.Path == "codeact"
                ? Says(("generated_code", pieces[next]), ("finished", ++next == pieces.Length)) : Says(("reasoning", "r"), ("answer", "6")))));
        var outputs = await CodeAct.Parse("question -> answer", Interpreter, []).WithModel(new LM(client) { Retry = null }).CallAsync(FieldMap.Of(("question", "q")), Token);

        Assert.Equal("6", outputs["answer"]);
        var last = client.Requests[^1];
        Assert.Equal("extractor", last.Path);
        Assert.Contains("[Steps 1 to 2 are left out. Their variables are there.]", last.LastText);
        Assert.DoesNotContain("Step 2, code", last.LastText);
        Assert.Contains("Step 3, output:\nValue: three", last.LastText);
        Assert.Contains("Step 4, output:\nValue: 6", last.LastText);
    }

    /// <summary>Where not even the last step fits, the outputs are drawn from the ends of what it gave; where nothing does, the error is told.</summary>
    [Fact]
    public async Task CodeAct_StepThatIsTooLong_IsShownByItsEnds()
    {
        var log = new WarningLog();
        var client = ScriptedChatClient.ByAsync((request, _, _) => request switch
        {
            { Path: "codeact" } when request.LastText.Contains("Step 1", StringComparison.Ordinal) => throw new ContextWindowExceededException("too long"),
            { Path: "extractor" } when request.LastText.Length > 1_500 => throw new ContextWindowExceededException("too long"),
            _ => Task.FromResult(ScriptedChatClient.Respond(request.Path == "codeact"
                ? Says(("generated_code", "'begin ' + '.'.repeat(9000) + ' end'"), ("finished", false)) : Says(("reasoning", "r"), ("answer", "x")))),
        });
        var program = CodeAct.Parse("question -> answer", Interpreter, []).WithModel(new LM(client) { Retry = null }).WithLogger(log);
        Assert.Equal("x", (await program.CallAsync(FieldMap.Of(("question", "q")), Token))["answer"]);

        Assert.Contains("Value: begin", client.Requests[^1].LastText);
        Assert.Contains("are left out …]", client.Requests[^1].LastText);
        Assert.Contains(". end", client.Requests[^1].LastText);
        Assert.Contains("after 1 steps: its steps are longer than the model's context", Assert.Single(log.Warnings));

        var full = ScriptedChatClient.ByAsync((_, _, _) => throw new ContextWindowExceededException("too long"));
        await Assert.ThrowsAsync<ContextWindowExceededException>(
            () => CodeAct.Parse("question -> answer", Interpreter, []).WithModel(new LM(full) { Retry = null }).CallAsync(FieldMap.Of(("question", "q")), Token));
        Assert.Single(full.Requests);
    }

    [Fact]
    public async Task CodeAct_ToolTexts_AreStateOfTheProgram_AndObserved()
    {
        var tool = AIFunctionFactory.Create((string city) => 30, "temperature", "Degrees.");
        var client = ScriptedChatClient.InSequence(Says(("generated_code", "degrees('Rome')"), ("finished", true)), Says(("reasoning", "r"), ("answer", "30")));
        var program = CodeAct.Parse("question -> answer", Interpreter, [tool]).WithModel(client);
        var path = Assert.Single(program.Tools).Key;
        var watcher = new Watcher();
        program = program.With(program.State with { Tools = program.State.Tools.SetItem(path, new() { Name = "degrees" }) }).WithObserver(watcher);
        await program.CallAsync(FieldMap.Of(("question", "q")), Token);

        Assert.Contains("- `degrees(city: str)`: Degrees.", client.Requests[0].LastText);
        Assert.Equal([(CallKind.Code, "javascript"), (CallKind.Tool, "degrees")], watcher.Seen.Where(seen => seen.Kind is CallKind.Code or CallKind.Tool));
    }

    [Fact]
    public void Names_ThatTheModulesNeed_AreRefused()
    {
        Assert.Contains("generated_code", Assert.Throws<HoneException>(() => ProgramOfThought.Parse("generated_code -> answer", Interpreter)).Message);
        Assert.Contains("trajectory", Assert.Throws<HoneException>(() => CodeAct.Parse("trajectory -> answer", Interpreter, [])).Message);
        var tool = AIFunctionFactory.Create(() => 1, "no-name");
        Assert.Contains("'no-name' has a name that code cannot use", Assert.Throws<HoneException>(() => CodeAct.Parse("question -> answer", Interpreter, [tool])).Message);
        var guarded = new ApprovalRequiredAIFunction(AIFunctionFactory.Create(() => 1, "pay"));
        Assert.Contains("needs approval", Assert.Throws<HoneException>(() => CodeAct.Parse("question -> answer", Interpreter, [guarded])).Message);
    }

    private static string Says(params ReadOnlySpan<(string Name, object? Value)> outputs) => ScriptedChatClient.ChatText(FieldMap.Of(outputs));

    private sealed class Watcher : IHoneObserver
    {
        public List<(CallKind Kind, string Name)> Seen { get; } = [];

        public void OnStarted(CallStarted call) => Seen.Add((call.Kind, call.Name));

        public void OnEnded(CallEnded call)
        {
        }
    }
}
