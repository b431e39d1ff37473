using Microsoft.Extensions.AI;

namespace Hone.Sandbox.Tests;

public sealed class PythonTests(PythonFixture fixture)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Session_KeepsVariables_TakesNewOnes_AndSaysWhatFails()
    {
        await using var session = await fixture.Python.OpenAsync(new() { Limits = new() { MaxOutputLength = 50, MaxValueLength = 1000 } }, Token);
        var items = new[] { FieldMap.Of(("n", 2), ("s", "ü\n"), ("x", null)), FieldMap.Of(("n", 3)) };
        var sum = await session.ExecuteAsync("import math\ntotal = sum(i['n'] for i in items)\nprint('sum', total)\ntotal * math.floor(2.5)", FieldMap.Of(("items", items)), Token);
        Assert.Equal((10L, "sum 5\n"), (sum.Value, sum.Output));
        Assert.Equal(5L, await session.ReadAsync("total", Token));
        Assert.Equal("ü\n", (await session.ExecuteAsync("items[0]['s']", cancellationToken: Token)).Value);
        Assert.Null((await session.ExecuteAsync("x = 1", cancellationToken: Token)).Value);
        Assert.Equal(3L, (await session.ExecuteAsync("import asyncio\nawait asyncio.sleep(0)\nx + 2", cancellationToken: Token)).Value);

        var values = (await session.ExecuteAsync("[{1}, (2, 3), {4: float('nan')}, object, 2 ** 70, b'x', '\\ud800', range(2)]", cancellationToken: Token)).Value;
        Assert.Equal("[[1], [2, 3], {\"4\": \"nan\"}, \"<class 'object'>\", 1180591620717411303424, \"b'x'\", \"?\", [0, 1]]", CodeValues.ToJson(values));

        var cut = await session.ExecuteAsync("for i in range(100): print('0123456789')", cancellationToken: Token);
        Assert.Equal((50, true), (cut.Output.Length, cut.IsOutputCut));

        await FailsAsync(session, "x = 1\ny = = 2", CodeErrorKind.Syntax, "SyntaxError", 2);
        await FailsAsync(session, "print('a')\n\n1 / 0", CodeErrorKind.Runtime, "ZeroDivisionError", 3, "a\n");
        await FailsAsync(session, "def f():\n  raise ValueError({1: object()})\nf()", CodeErrorKind.Runtime, "ValueError", 2);
        await FailsAsync(session, "f()", CodeErrorKind.Runtime, "ValueError", 1);
        await FailsAsync(session, "def g(): g()\ng()", CodeErrorKind.Limit, "RecursionError", 1);
        await FailsAsync(session, "'x' * 5000", CodeErrorKind.Limit, "TooLong", null);
        await FailsAsync(session, "exit(3)", CodeErrorKind.Runtime, "SystemExit", 1);
        await FailsAsync(session, "b = bytearray(1 << 30)", CodeErrorKind.Memory, "MemoryError", 1);
        Assert.Equal("NameError", (await Assert.ThrowsAsync<CodeException>(() => session.ReadAsync("nothing", Token))).ErrorType);
        Assert.Equal(1L, (await session.ExecuteAsync("x", cancellationToken: Token)).Value);
    }

    [Fact]
    public async Task Tools_AreCalled_AndOutputsSubmitted()
    {
        var tool = AIFunctionFactory.Create((string city, int days = 1) => days > 9 ? throw new InvalidOperationException("too far") : new { city, days }, "weather");
        await using var session = await fixture.Python.OpenAsync(
            new() { Tools = [tool], Outputs = ["answer", "why"], Limits = new() { MaxToolCalls = 4 } }, Token);
        var result = await session.ExecuteAsync(
            """
            try:
                weather('Rome', days=10)
            except RuntimeError as e:
                m = str(e)
            [weather('Rome')['days'], weather(city='Oslo', days=2), m]
            """, cancellationToken: Token);
        Assert.Equal("[1, {\"city\": \"Oslo\", \"days\": 2}, \"The tool 'weather' failed: too far\"]", CodeValues.ToJson(result.Value));
        var expected = FieldMap.Of(("answer", 4L), ("why", "x"));
        foreach (var code in (string[])["SUBMIT(4, 'x')\nprint('no')", "try:\n  SUBMIT(answer=4, why='x')\nexcept Exception:\n  print('no')", "SUBMIT({'answer': 4, 'why': 'x'})"])
        {
            var submitted = await session.ExecuteAsync(code, cancellationToken: Token);
            Assert.Equal((expected, string.Empty), (submitted.Submitted, submitted.Output));
        }

        await FailsAsync(session, "SUBMIT(1)", CodeErrorKind.Runtime, "TypeError", 1);
        await FailsAsync(session, "1\nweather()", CodeErrorKind.Runtime, "RuntimeError", 2);
        var lost = await Assert.ThrowsAsync<CodeException>(() => session.ExecuteAsync("for i in range(9): weather('Rome')", cancellationToken: Token));
        Assert.Equal((CodeErrorKind.Limit, true), (lost.Kind, lost.IsSessionLost));
        await Assert.ThrowsAsync<CodeInterpreterException>(() => session.ExecuteAsync("1", cancellationToken: Token));
    }

    [Fact]
    public async Task InfiniteLoop_IsKilled_AndTheNextSessionKnowsNothingOfIt()
    {
        var ended = await fixture.Python.OpenAsync(new() { Limits = new() { Timeout = TimeSpan.FromSeconds(2) } }, Token);
        var error = await Assert.ThrowsAsync<CodeException>(() => ended.ExecuteAsync("secret = 1\nwhile True: pass", cancellationToken: Token));
        Assert.Equal((CodeErrorKind.Timeout, true), (error.Kind, error.IsSessionLost));
        await using var next = await fixture.Python.OpenAsync(cancellationToken: Token);
        await FailsAsync(next, "secret", CodeErrorKind.Runtime, "NameError", 1);

        using var source = new CancellationTokenSource();
        var started = new TaskCompletionSource();
        var tool = AIFunctionFactory.Create(started.SetResult, "started");
        var run = fixture.Python.ExecuteAsync("started()\nwhile True: pass", options: new() { Tools = [tool] }, cancellationToken: source.Token);
        await started.Task.WaitAsync(Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    private static async Task FailsAsync(ICodeSession session, string code, CodeErrorKind kind, string type, int? line, string output = "")
    {
        var error = await Assert.ThrowsAsync<CodeException>(() => session.ExecuteAsync(code, cancellationToken: Token));
        Assert.Equal((kind, type, line ?? error.Line, output), (error.Kind, error.ErrorType, error.Line, error.Output));
        Assert.False(error.IsSessionLost, error.Message);
        Assert.DoesNotContain("/lib/", error.Message);
    }
}
