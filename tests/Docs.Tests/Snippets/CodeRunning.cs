using System.ComponentModel;
using Docs.Tests.Checks;
using Hone;
using Hone.Sandbox;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Docs.Tests.Snippets.CodeRunning;

#region code-rlm-records
public sealed record Letters([property: Description("One letter after another, separated by ---")] string Text);

public sealed record Complaints(int Count, string Worst);
#endregion

public sealed class CodeRunningTests
{
    [Fact]
    public async Task Interpreter_RunsCode()
    {
        #region code-interpreter
        await using var interpreter = new JavaScriptInterpreter();
        CodeResult result = await interpreter.ExecuteAsync(
            "console.log('adding'); numbers.reduce((a, b) => a + b, 0)", FieldMap.Of(("numbers", new[] { 1, 2, 3 })));
        Console.WriteLine($"{result.Output}{result.Value}");                 // adding, 6
        #endregion
        Assert.Equal(("adding\n", 6L), (result.Output, result.Value));
    }

    [Fact]
    public async Task Session_HasToolsAndLimits()
    {
        await using var interpreter = new JavaScriptInterpreter();
        #region code-session
        var options = new CodeSessionOptions
        {
            Tools = [AIFunctionFactory.Create((string city) => city == "Rome" ? 30 : 20, "temperature", "Degrees in a city.")],
            Outputs = ["warmest"],                                           // handed over with SUBMIT, which ends the code
            Limits = new() { Timeout = TimeSpan.FromSeconds(5), MaxMemory = 64 << 20, MaxOutputLength = 5_000 },
        };
        await using ICodeSession session = await interpreter.OpenAsync(options);
        await session.ExecuteAsync("const rome = temperature('Rome')");
        CodeResult result = await session.ExecuteAsync("SUBMIT(rome > temperature('Oslo') ? 'Rome' : 'Oslo')");
        try
        {
            await session.ExecuteAsync("\nrome.toFixed(1).nothing()");
        }
        catch (CodeException error)
        {
            Console.WriteLine($"line {error.Line}: {error.Description}");    // a model can mend that
        }
        #endregion
        Assert.Equal("Rome", result.Submitted!["warmest"]);
    }

    internal static async Task Python()
    {
        #region code-python
        await PythonInstaller.InstallAsync();                                // once; or the command below
        await using var python = new PythonInterpreter(new() { WarmProcesses = 2 });
        await python.WarmUpAsync();
        CodeResult result = await python.ExecuteAsync("import statistics\nstatistics.median(numbers)", FieldMap.Of(("numbers", new[] { 5, 1, 3 })));
        #endregion
        Assert.Equal(3L, result.Value);
    }

    [Fact]
    public async Task Modules_WriteCode()
    {
        var client = ScriptedChatClient.ForOutputs(
            FieldMap.Of(("reasoning", "Add."), ("generated_code", "SUBMIT({answer: 2 ** 10})")),
            FieldMap.Of(("generated_code", "lookup('x')"), ("finished", true)),
            FieldMap.Of(("reasoning", "Read."), ("answer", "1024")));
        await using var interpreter = new JavaScriptInterpreter();
        #region code-modules
        var compute = new ProgramOfThought<string, string>("Answer the question by computing.", interpreter).WithModel(client);
        string power = await compute.CallAsync("What is two to the tenth?");

        var lookup = AIFunctionFactory.Create((string key) => $"{key} is 1024", "lookup", "Looks a thing up.");
        var act = new CodeAct<string, string>("Answer the question.", interpreter, [lookup]).WithModel(client);
        string found = await act.CallAsync("What is x?");
        #endregion
        Assert.Equal(("1024", "1024"), (power, found));
    }

    [Fact]
    public async Task Rlm_LooksIntoALongText()
    {
        await using var interpreter = new JavaScriptInterpreter();
        var letters = string.Join("\n---\n", Enumerable.Range(0, 50).Select(i => i % 10 == 0 ? $"Letter {i}: never again." : $"Letter {i}: thank you."));
        const string Code = """
            all = text.split('\n---\n');
            bad = llm_query_batched([0, 1, 2, 3, 4].map(i => 'Which of these complain?\n' + all.slice(10 * i, 10 * i + 10).join('\n')));
            SUBMIT({count: bad.length, worst: bad[2]})
            """;
        var large = ScriptedChatClient.ForOutputs(FieldMap.Of(("reasoning", "Ask in tens."), ("code", Code)));
        var small = ScriptedChatClient.By((request, _) => ScriptedChatClient.ChatText(FieldMap.Of(
            ("answer", request.LastText.Split('\n').First(line => line.Contains("never", StringComparison.Ordinal))))));
        #region code-rlm
        var options = new RlmOptions { MaxSteps = 15, MaxModelCalls = 30, SubModel = new LM(small, "small") };
        var rlm = new Rlm<Letters, Complaints>("Count the letters that complain, and name the worst.", interpreter, options: options);
        Complaints found = await rlm.WithModel(large).CallAsync(new(letters));
        #endregion
        Assert.Equal(new Complaints(5, "Letter 20: never again."), found);

        using var scope = HoneScope.Use(ScriptedChatClient.ForOutputs(FieldMap.Of(("reasoning", "Guess."), ("code", "SUBMIT(1, 'a')"))));
        #region code-rlm-result
        RlmResult<Complaints> result = await rlm.RunAsync(new(letters));
        foreach (RlmStep step in result.Steps)
            Console.WriteLine($"{step.Code}\n{(step.IsError ? "failed" : "gave")}: {step.Output}");
        Console.WriteLine($"{result.Reason} after {result.ModelCalls} calls of models");
        #endregion
        Assert.True(result.IsSubmitted);
    }
}
