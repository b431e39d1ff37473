using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Sandbox.Tests;

/// <summary>How a session speaks with the process of Python, and what it makes of one that does not keep to it.</summary>
public sealed class PythonProtocolTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Session_StartsRunsAndReads()
    {
        var seen = new List<string>();
        var (session, guest) = Open(
            async guest =>
            {
                string[] results = ["""{}""", """{"value": "[1, 2]", "output": "hi\n", "cut": true}""", """{"value": "\"x\""}"""];
                foreach (var result in results)
                {
                    var request = await guest.ReadAsync();
                    seen.Add($"{request.GetProperty("id")} {request.GetProperty("method")}");
                    await guest.AnswerAsync(request, result);
                }

                await guest.ReadAsync();
            });
        await session.StartAsync(Token);
        var result = await session.ExecuteAsync("items", FieldMap.Of(("items", new[] { 1, 2 })), Token);
        Assert.Equal(("[1, 2]", "hi\n", true), (CodeValues.ToJson(result.Value), result.Output, result.IsOutputCut));
        Assert.Equal("x", await session.ReadAsync("name", Token));
        Assert.Equal(["h1 start", "h2 execute", "h3 read"], seen);
        await session.DisposeAsync();
        Assert.True(guest.IsKilled);
        await guest.Script;
    }

    [Fact]
    public async Task StrayLines_AndAnswersToOtherRequests_ArePassedOver()
    {
        var (session, _) = Open(
            async guest =>
            {
                var request = await guest.ReadAsync();
                foreach (var stray in (string[])["Warning: something", "", "{", "[1, 2]", "{\"id\": \"h1\", \"result\": {\"value\": \"0\"}}", "\ufeff", "null"])
                    await guest.WriteAsync(stray);
                await guest.WriteAsync("""{"jsonrpc": "2.0", "id": "h0", "result": {"value": "1"}}""");
                await guest.WriteAsync("""{"jsonrpc": "2.0", "id": 1, "result": {"value": "2"}}""");
                await guest.WriteAsync("""{"jsonrpc": "2.0", "result": {"value": "3"}}""");
                await guest.WriteAsync("""{"jsonrpc": "2.0", "id": "h1"}""");
                await guest.AnswerAsync(request, """{"value": "4"}""");
                await guest.ReadAsync();
            });
        Assert.Equal(4L, (await session.ExecuteAsync("x", cancellationToken: Token)).Value);
    }

    [Fact]
    public async Task ErrorOfTheCode_IsTold_AndTheSessionGoesOn()
    {
        var (session, _) = Open(
            async guest =>
            {
                await guest.AnswerAsync(await guest.ReadAsync(), """{"output": "seen", "error": {"kind": "Syntax", "type": "SyntaxError", "message": "bad", "line": 3}}""");
                await guest.AnswerAsync(await guest.ReadAsync(), """{"error": {"kind": "what?"}}""");
                await guest.AnswerAsync(await guest.ReadAsync(), """{"value": "1"}""");
                await guest.ReadAsync();
            });
        var error = await Assert.ThrowsAsync<CodeException>(() => session.ExecuteAsync("x", cancellationToken: Token));
        Assert.Equal((CodeErrorKind.Syntax, "SyntaxError", 3, "seen", false), (error.Kind, error.ErrorType, error.Line, error.Output, error.IsSessionLost));
        var odd = await Assert.ThrowsAsync<CodeException>(() => session.ExecuteAsync("x", cancellationToken: Token));
        Assert.Equal((CodeErrorKind.Runtime, "Error"), (odd.Kind, odd.ErrorType));
        Assert.Equal(1L, (await session.ExecuteAsync("x", cancellationToken: Token)).Value);
    }

    public static TheoryData<string> Breakdowns => ["error", "silence", "nonsense", "half"];

    /// <summary>An error instead of a result, an end in the middle of a call, too much nonsense: the session is lost, and whoever writes the code is told.</summary>
    [Theory]
    [MemberData(nameof(Breakdowns))]
    public async Task Breakdown_LosesTheSession(string how)
    {
        var (session, guest) = Open(
            async guest =>
            {
                await guest.ReadAsync();
                if (how == "error")
                    await guest.WriteAsync("""{"jsonrpc": "2.0", "id": "h1", "error": {"code": -32603, "message": "broken"}}""");
                else if (how == "half")
                    await guest.WriteAsync("""{"jsonrpc": "2.0", "id": "h1", "result": {"val""".TrimEnd('\n'));
                for (var i = 0; how == "nonsense" && i < 200; i++)
                    await guest.WriteAsync("nonsense");
                if (how is "error" or "nonsense")
                    await guest.ReadAsync();
            });
        var error = await Assert.ThrowsAsync<CodeException>(() => session.ExecuteAsync("x", cancellationToken: Token));
        Assert.Equal(("FatalError", true), (error.ErrorType, error.IsSessionLost));
        Assert.True(guest.IsKilled);
        await Assert.ThrowsAsync<CodeInterpreterException>(() => session.ExecuteAsync("x", cancellationToken: Token));
    }

    [Fact]
    public async Task ToolCalls_AreAnsweredInTheMiddle_ErrorsIncluded()
    {
        var answers = new List<string>();
        var tool = AIFunctionFactory.Create((int a) => a > 5 ? throw new InvalidOperationException("too much") : a + 1, "next");
        var (session, _) = Open(
            async guest =>
            {
                var request = await guest.ReadAsync();
                foreach (var (id, name, positional) in ((string, string, string)[])[("t1", "next", "[1]"), ("t2", "next", "[9]"), ("t3", "gone", "[]")])
                    answers.Add(await CallAsync(guest, id, name, positional));
                await guest.AnswerAsync(request, """{"value": "true"}""");
                await guest.ReadAsync();
            },
            new() { Tools = [tool] });
        Assert.Equal(true, (await session.ExecuteAsync("x", cancellationToken: Token)).Value);
        Assert.Equal(
            [
                """{"jsonrpc":"2.0","id":"t1","result":2}""",
                """{"jsonrpc":"2.0","id":"t2","error":{"code":-32001,"message":"The tool \u0027next\u0027 failed: too much"}}""",
                """{"jsonrpc":"2.0","id":"t3","error":{"code":-32001,"message":"There is no tool \u0027gone\u0027."}}""",
            ],
            answers);
    }

    [Theory]
    [InlineData("""{"jsonrpc": "2.0", "id": "t1", "method": "tool"}""")]
    [InlineData("""{"jsonrpc": "2.0", "method": "tool", "params": {"name": "next", "positional": "[1]"}}""")]
    [InlineData("""{"jsonrpc": "2.0", "id": "t1", "method": "tool", "params": {"name": 5}}""")]
    [InlineData("""{"jsonrpc": "2.0", "id": "t1", "method": "tool", "params": {"name": "next", "positional": "no json"}}""")]
    public async Task ToolCall_ThatIsNone_EndsTheSession(string line)
    {
        var (session, guest) = Open(
            async guest =>
            {
                await guest.ReadAsync();
                await guest.WriteAsync(line);
                await guest.ReadAsync();
            },
            new() { Tools = [AIFunctionFactory.Create((int a) => a, "next")] });
        var error = await Assert.ThrowsAnyAsync<HoneException>(() => session.ExecuteAsync("x", cancellationToken: Token));
        Assert.True(error is CodeInterpreterException or CodeException { IsSessionLost: true }, error.ToString());
        Assert.True(guest.IsKilled);
    }

    [Fact]
    public async Task DeathAfterAToolCall_LosesTheSession()
    {
        var (session, guest) = Open(
            async guest =>
            {
                await guest.ReadAsync();
                await CallAsync(guest, "t1", "next", "[1]");
            },
            new() { Tools = [AIFunctionFactory.Create((int a) => a, "next")] });
        Assert.True((await Assert.ThrowsAsync<CodeException>(() => session.ExecuteAsync("x", cancellationToken: Token))).IsSessionLost);
        Assert.True(guest.IsKilled);
    }

    [Fact]
    public async Task Cancelled_KillsTheGuest()
    {
        using var source = new CancellationTokenSource();
        var (session, guest) = Open(
            async guest =>
            {
                await guest.ReadAsync();
                await source.CancelAsync();
                await guest.ReadAsync();
            });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.ExecuteAsync("x", cancellationToken: source.Token));
        Assert.True(guest.IsKilled);
    }

    /// <summary>The clock of a piece of code stands while a tool is waited for, and goes on behind it.</summary>
    [Fact]
    public async Task TimeLimit_CountsWhatTheCodeTakes_NotTheWaitsForTools()
    {
        var time = new FakeTimeProvider();
        var wait = AIFunctionFactory.Create(() => time.Advance(TimeSpan.FromMinutes(5)), "wait");
        var (session, guest) = Open(
            async guest =>
            {
                foreach (var seconds in (int[])[9, 11])
                {
                    var request = await guest.ReadAsync();
                    time.Advance(TimeSpan.FromSeconds(20));
                    await CallAsync(guest, "t1", "wait", "[]");
                    time.Advance(TimeSpan.FromSeconds(seconds));
                    await guest.AnswerAsync(request, """{"value": "1"}""");
                }
            },
            new() { Tools = [wait] },
            new() { Time = time });
        Assert.Equal(1L, (await session.ExecuteAsync("x", cancellationToken: Token)).Value);
        var error = await Assert.ThrowsAsync<CodeException>(() => session.ExecuteAsync("x", cancellationToken: Token));
        Assert.Equal((CodeErrorKind.Timeout, true), (error.Kind, error.IsSessionLost));
        Assert.Contains("longer than 30 s", error.Message);
        Assert.True(guest.IsKilled);
    }

    [Fact]
    public async Task Memory_ThatGrowsBeyondTheLimit_KillsTheGuest()
    {
        var time = new FakeTimeProvider();
        var (session, guest) = Open(
            async guest =>
            {
                await guest.ReadAsync();
                guest.IsLarge = true;
                time.Advance(TimeSpan.FromSeconds(1));
                await guest.ReadAsync();
            },
            python: new() { Time = time });
        var error = await Assert.ThrowsAsync<CodeException>(() => session.ExecuteAsync("x", cancellationToken: Token));
        Assert.Equal((CodeErrorKind.Memory, true), (error.Kind, error.IsSessionLost));
        Assert.True(guest.IsKilled);
    }

    /// <summary>What ends a start is never the code's fault, and its time is not the code's either.</summary>
    [Theory]
    [InlineData(20, true)]
    [InlineData(121, false)]
    public async Task Start_HasItsOwnLimit_AndItsOwnError(int seconds, bool opens)
    {
        var time = new FakeTimeProvider();
        var (session, guest) = Open(
            async guest =>
            {
                var request = await guest.ReadAsync();
                time.Advance(TimeSpan.FromSeconds(seconds));
                await guest.AnswerAsync(request, "true");
                await guest.ReadAsync();
            },
            new() { Limits = new() { Timeout = TimeSpan.FromSeconds(1) } },
            new() { Time = time });
        var error = await Record.ExceptionAsync(() => session.StartAsync(Token));
        Assert.Equal(opens, error is null);
        Assert.Equal(!opens, guest.IsKilled);
        if (!opens)
            Assert.Contains("took no session", Assert.IsType<CodeInterpreterException>(error).Message);
    }

    private static async Task<string> CallAsync(ScriptedGuest guest, string id, string name, string positional)
    {
        await guest.WriteAsync($$$"""{"jsonrpc": "2.0", "id": "{{{id}}}", "method": "tool", "params": {"name": "{{{name}}}", "positional": "{{{positional}}}", "named": ""}}""");
        return (await guest.ReadAsync()).GetRawText();
    }

    private static (PythonSession Session, ScriptedGuest Guest) Open(Func<ScriptedGuest, Task> script, CodeSessionOptions? options = null, PythonOptions? python = null)
    {
        var guest = new ScriptedGuest(script);
        options ??= new();
        return (new(guest, options, new(options), python ?? new(), _ => { }), guest);
    }
}
