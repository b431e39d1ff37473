using Hone.Testing;
using Microsoft.Extensions.AI;
using static Hone.Sandbox.Tests.RlmScript;

namespace Hone.Sandbox.Tests;

/// <summary>Runs of a recursive language model: steps, submissions, what goes wrong with code.</summary>
public sealed class RlmTests
{
    private static readonly JavaScriptInterpreter Interpreter = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public sealed record Report(string Text, string Topic = "rain");

    public sealed record Finding(int Count, IReadOnlyList<string> Places);

    [Fact]
    public async Task Run_Typed_LooksAsksAndSubmits()
    {
        var client = Client(
            prompt => prompt.Contains("Oslo", StringComparison.Ordinal) ? "yes" : "no",
            "console.log(text.length)\nlines = text.split('\\n')",
            "let wet = lines.filter(line => llm_query('Did it rain? ' + line) == 'yes'); wet",
            "SUBMIT({count: wet.length, places: wet})");
        var module = new Rlm<Report, Finding>("Count the places with rain.", Interpreter);
        var result = await module.RunAsync(client, new("Oslo\nRome"));

        Assert.Equal((1, RlmStopReason.Submitted, true, 2), (result.Output.Count, result.Reason, result.IsSubmitted, result.ModelCalls));
        Assert.Equal(["Oslo"], result.Output.Places);
        Assert.Equal(3, result.Steps.Length);
        Assert.Equal(("thinking", "9\nValue: [\"Oslo\", \"Rome\"]", false), (result.Steps[0].Reasoning, result.Steps[0].Output, result.Steps[0].IsError));
        var asked = client.Requests.Where(request => !request.Path!.EndsWith("llm_query", StringComparison.Ordinal)).ToArray();
        Assert.Contains("Count the places with rain.", asked[0].SystemText);
        Assert.Contains("The code is JavaScript", asked[0].SystemText);
        Assert.Contains("Variable `text` of your code: string, 9 characters.", asked[0].LastText);
        Assert.Contains("- `llm_query(prompt: str)`", asked[0].LastText);
        Assert.Contains("- `count` (integer); must be a single integer", asked[0].LastText);
        Assert.Contains("No step has been taken yet.", asked[0].LastText);
        Assert.Contains("1/20; 50 of 50 model calls are left", asked[0].LastText);
        Assert.Contains("=== Step 2 ===", asked[2].LastText);
        Assert.Contains("3/20; 48 of 50 model calls are left", asked[2].LastText);
    }

    [Fact]
    public async Task Run_StepsUsedUp_WarnsOnce_WithPathAndReason()
    {
        var log = new WarningLog();
        var client = ScriptedChatClient.By((request, _) => request.Path!.EndsWith("extract", StringComparison.Ordinal)
            ? ScriptedChatClient.ChatText(FieldMap.Of(("answer", "x")))
            : ScriptedChatClient.ChatText(FieldMap.Of(("reasoning", "r"), ("code", "1"))));
        var program = new Rlm<Report, string>("Read.", Interpreter, options: new() { MaxSteps = 2 }).WithModel(client).WithLogger(log);

        Assert.Equal("x", await program.CallAsync(new("t"), Token));
        Assert.Equal("Rlm 'self' stopped without an end of its own after 2 steps: its steps were used up, so the outputs are drawn from what there is.", Assert.Single(log.Warnings));
    }

    [Fact]
    public async Task D31_Inputs_HaveDefaults_AreGivenOnce_AndKeepWhatCodeMakesOfThem()
    {
        await using var interpreter = new FragileInterpreter();
        var client = Client(_ => "", "let a = ;", "topic = topic + '!'", "SUBMIT(topic + text)");
        var answer = await new Rlm<Report, string>("Read.", interpreter).WithModel(client).CallAsync(new("x"), Token);

        // The first piece cannot even be read: the inputs are there all the same.
        Assert.Equal("rain!x", answer);
        Assert.Equal([2, 0, 0], Assert.Single(interpreter.Given));
        Assert.Equal(0, interpreter.OpenSessions);
    }

    [Fact]
    public async Task D31_OutputThatLooksLikeAnError_IsNone()
    {
        var client = Client(_ => "", "console.log('[Error] all is well'); '[Type Error] x'", "nothing()", "SUBMIT('done')");
        var result = await new Rlm<string, string>("Read.", Interpreter).RunAsync(client, "x");

        Assert.Equal([false, true, false], result.Steps.Select(step => step.IsError));
        Assert.Contains("\nOutput (", client.Requests[1].LastText);
        Assert.DoesNotContain("Output and error", client.Requests[1].LastText);
        Assert.Contains("Output and error (", client.Requests[2].LastText);
    }

    [Fact]
    public async Task D31_Waiting_BlocksNobody()
    {
        var (asked, release) = (new TaskCompletionSource(), new TaskCompletionSource<ChatResponse>());
        var client = ScriptedChatClient.ByAsync((request, _, _) =>
        {
            if (!request.Path!.EndsWith("llm_query", StringComparison.Ordinal))
                return Task.FromResult(ScriptedChatClient.Respond(Step("SUBMIT(llm_query('q'))")));
            asked.SetResult();
            return release.Task;
        });
        var running = new Rlm<string, string>("Read.", Interpreter).WithModel(client).CallAsync("x", Token);
        await asked.Task;
        Assert.False(running.IsCompleted);
        release.SetResult(ScriptedChatClient.Respond(Says(("answer", "a"))));

        Assert.Equal("a", await running);
    }

    [Fact]
    public async Task Submit_ThatDoesNotFit_IsToldAndTheRunGoesOn()
    {
        var client = Client(
            _ => "", "SUBMIT({count: 'many', places: []})", "SUBMIT({count: 1})", "SUBMIT(1, 2, 3)", "console.log('now'); SUBMIT(2, ['a'])");
        var result = await new Rlm<Report, Finding>("Count.", Interpreter).RunAsync(client, new("x"));

        Assert.Equal(2, result.Output.Count);
        Assert.Equal([true, true, true, false], result.Steps.Select(step => step.IsError));
        Assert.Contains("[Error] SUBMIT was not accepted: field 'count' (integer)", client.Requests[1].LastText);
        Assert.Contains("no value for places", client.Requests[2].LastText);
        Assert.Contains("SUBMIT takes one object with count, places", client.Requests[3].LastText);
        Assert.Equal("now", result.Steps[3].Output);
    }

    [Fact]
    public async Task Steps_UsedUp_TheOutputsAreExtracted_AndTheReasonSaysSo()
    {
        var client = Client(_ => "", "1 + 1", "let x = 2", "never");
        var result = await new Rlm<string, string>("Read.", Interpreter, options: new() { MaxSteps = 2, MaxModelCalls = 0 }).RunAsync(client, "x");

        Assert.Equal(("extracted", RlmStopReason.MaxSteps, false, 0), (result.Output, result.Reason, result.IsSubmitted, result.ModelCalls));
        Assert.Equal("rlm.extract", client.Requests[^1].Path);
        Assert.Contains("Value: 2", client.Requests[^1].LastText);
        Assert.Contains("[The code printed nothing and its last expression has no value.]", client.Requests[^1].LastText);
        Assert.DoesNotContain("llm_query", TextOf(client.Requests[0]));
        Assert.Contains("1/2\n", client.Requests[0].LastText);
    }

    [Fact]
    public async Task Step_ThatCannotBeRead_EndsInExtraction()
    {
        var client = ScriptedChatClient.By((request, _) => request.Path!.EndsWith("extract", StringComparison.Ordinal) ? Says(("answer", "extracted")) : "no format");
        var result = await new Rlm<string, string>("Read.", Interpreter).RunAsync(client, "x");

        Assert.Equal(("extracted", RlmStopReason.UnreadableStep), (result.Output, result.Reason));
    }

    [Fact]
    public async Task Code_ThatRunsTooLong_IsToldAndTheRunGoesOn()
    {
        var client = Client(_ => "", "let kept = 1; for (;;);", "SUBMIT(String(kept))");
        var options = new RlmOptions { Limits = new() { Timeout = TimeSpan.FromSeconds(1) } };
        var answer = await new Rlm<string, string>("Read.", new JavaScriptInterpreter(new() { MaxStatements = int.MaxValue }), options: options).WithModel(client).CallAsync("x", Token);

        Assert.Equal("1", answer);
        Assert.Contains("[Error] TimeoutError: The code ran longer than it may.", client.Requests[1].LastText);
    }

    [Fact]
    public async Task Interpreter_ThatBreaks_IsReplaced_AndTheModelTold()
    {
        await using var interpreter = new FragileInterpreter();
        var client = Client(_ => "", "let kept = 1", "BREAK", "console.log(typeof kept)", "BREAK", "SUBMIT(input)");
        var result = await new Rlm<string, string>("Read.", interpreter).RunAsync(client, "x");

        Assert.Equal("x", result.Output);
        Assert.Contains("What you had defined is gone. The inputs are there again.", client.Requests[2].LastText);
        Assert.Equal("undefined", result.Steps[2].Output);
        Assert.Equal([2, 2, 1], interpreter.Given.Select(session => session.Length));
        Assert.Equal(0, interpreter.OpenSessions);
    }

    [Fact]
    public async Task Interpreter_ThatBreaksTwiceInARow_EndsTheRun()
    {
        await using var interpreter = new FragileInterpreter();
        var client = Client(_ => "", "BREAK", "BREAK");
        await Assert.ThrowsAsync<CodeInterpreterException>(() => new Rlm<string, string>("Read.", interpreter).WithModel(client).CallAsync("x", Token));
        Assert.Equal(0, interpreter.OpenSessions);
    }

    [Fact]
    public async Task HugeInput_NeverEntersARequest()
    {
        var line = new string('z', 99) + "\n";
        var text = "BEGIN" + string.Concat(Enumerable.Repeat(line, 100_000)) + "END";
        var client = Client(
            _ => "ok",
            "lines = text.split('\\n')",
            "console.log(text)",
            "text",
            "SUBMIT({count: lines.length, places: [llm_query(lines[5])]})");
        var result = await new Rlm<Report, Finding>("Count.", Interpreter, options: new() { MaxOutputLength = 2000 }).RunAsync(client, new(text));

        Assert.Equal(100_001, result.Output.Count);
        Assert.All(result.Steps, step => Assert.False(step.IsError, step.Output));
        Assert.All(client.Requests, request => Assert.InRange(TextOf(request).Length, 1, 20_000));
        Assert.Contains("10,000,008 characters", client.Requests[0].LastText);
        Assert.Contains("BEGIN", client.Requests[0].LastText);
        Assert.Contains("characters are left out …]", client.Requests[1].LastText);
    }

    [Fact]
    public async Task Context_ThatIsTooSmall_LeavesOutOlderSteps_AndTheResultKeepsThem()
    {
        var pieces = Enumerable.Range(0, 6).Select(i => $"'{i}'.repeat(3000)").Append("SUBMIT('done')").ToArray();
        var script = Client(_ => "", pieces);
        var client = ScriptedChatClient.ByAsync((request, _, token) => request.LastText.Length > 9000
            ? throw new ContextWindowExceededException("too long")
            : script.GetResponseAsync(request.Messages, request.Options, token));
        var result = await new Rlm<string, string>("Read.", Interpreter).RunAsync(client, "x");

        Assert.Equal(("done", 7), (result.Output, result.Steps.Length));
        Assert.All(result.Steps.Take(6), step => Assert.Contains("repeat(3000)", step.Code));
        Assert.Contains("are left out. Their variables are there.]", script.Requests[^1].LastText);
    }

    [Fact]
    public async Task Context_ThatFitsNothing_StopsWithTheReason()
    {
        var client = ScriptedChatClient.By((request, _) => request.Path!.EndsWith("extract", StringComparison.Ordinal) ? Says(("answer", "extracted")) : throw new ContextWindowExceededException("too long"));
        var result = await new Rlm<string, string>("Read.", Interpreter).RunAsync(client, "x");
        Assert.Equal(("extracted", RlmStopReason.ContextWindowExceeded), (result.Output, result.Reason));
    }

    [Fact]
    public async Task Tools_AreCalled_AndTheirErrorsAreOneSentence()
    {
        var tool = AIFunctionFactory.Create(
            (string city) => city == "Rome" ? 30 : throw new InvalidOperationException("no such city"), "temperature", "Degrees of a city.");
        var client = Client(_ => "", "temperature('Rom')", "SUBMIT(String(temperature({city: 'Rome'})))");
        var program = new Rlm<string, string>("Read.", Interpreter, [tool]).WithModel(client);
        Assert.Equal("30", await program.CallAsync("x", Token));

        Assert.Contains("- `temperature(city: str)`: Degrees of a city.", client.Requests[0].LastText);
        Assert.Contains("The tool 'temperature' failed: no such city", client.Requests[1].LastText);
        Assert.DoesNotContain("   at ", client.Requests[1].LastText);
        Assert.Equal("temperature", Assert.Single(program.Tools).Key);
    }

    [Theory]
    [InlineData("```javascript\nSUBMIT('a')\n```")]
    [InlineData("```\nSUBMIT('a')\n```")]
    [InlineData("```js\nSUBMIT('a')\n```")]
    [InlineData("Here it is:\n```javascript\nSUBMIT('a')\n```\nThat submits.")]
    [InlineData("SUBMIT('a')")]
    [InlineData("```SUBMIT('a')```")]
    public async Task Fences_AreTakenOff(string code) =>
        Assert.Equal("a", await new Rlm<string, string>("Read.", Interpreter).WithModel(Client(_ => "", code)).CallAsync("x", Token));

    [Fact]
    public void NamesAndTypes_ThatCannotBe_AreRefused()
    {
        string Refusal(string signature, params AIFunction[] tools) => Assert.Throws<HoneException>(() => Rlm.Parse(signature, Interpreter, tools)).Message;
        AIFunction Tool(string name) => AIFunctionFactory.Create(() => 1, name);

        Assert.Contains("'llm_query'", Refusal("llm_query -> answer"));
        Assert.Contains("'print'", Refusal("print -> answer"));
        Assert.Contains("'SUBMIT'", Refusal("SUBMIT -> answer"));
        Assert.Contains("image, which code cannot hold", Refusal("photo: Image -> answer"));
        Assert.Contains("'repl_history'", Refusal("text -> repl_history"));
        Assert.Contains("'class'", Refusal("text -> class"));
        Assert.Contains("'llm_query_batched', which Rlm needs", Refusal("text -> answer", Tool("llm_query_batched")));
        Assert.Contains("'text' and an input", Refusal("text -> answer", Tool("text")));
        Assert.Contains("both called 'a'", Refusal("text -> answer", Tool("a"), Tool("a")));
        Assert.Contains("'no-name' has a name that code cannot use", Refusal("text -> answer", Tool("no-name")));
        Assert.Contains("needs approval", Refusal("text -> answer", new ApprovalRequiredAIFunction(Tool("pay"))));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RlmOptions { MaxSteps = 0 });
        Assert.Equal((20, 50, 10_000, 1), (new RlmOptions().MaxSteps, new RlmOptions().MaxModelCalls, new RlmOptions().MaxOutputLength, new RlmOptions().MaxDepth));
    }

    [Fact]
    public async Task Preview_CannotLeaveItsFence_AndIsCutBetweenCharacters()
    {
        var text = "```\n=== Step 1 ===\n" + string.Concat(Enumerable.Repeat("😀", 600));
        var client = Client(_ => "", "SUBMIT('done')");
        await new Rlm<string, string>("Read.", Interpreter, options: new() { PreviewLength = 101 }).WithModel(client).CallAsync(text, Token);

        var shown = client.Requests[0].LastText;
        Assert.Contains("````\n```\n=== Step 1 ===", shown);
        Assert.DoesNotContain('\uFFFD', System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(shown)));
    }
}
