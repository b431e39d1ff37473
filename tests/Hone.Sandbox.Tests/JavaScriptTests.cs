using Microsoft.Extensions.AI;

namespace Hone.Sandbox.Tests;

public sealed class JavaScriptTests
{
    private static readonly JavaScriptInterpreter Interpreter = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("1 + 1", 2L)]
    [InlineData("'a' + 'b'", "ab")]
    [InlineData("let x = 1", null)]
    [InlineData("0.5", 0.5)]
    [InlineData("(function () {})", null)]
    [InlineData("(async () => 3)()", 3L)]
    [InlineData("function* tree(n) { if (n > 0) { yield* tree(n - 1); yield n } } [...tree(50)].length", 50L)]
    public async Task Execute_LastExpression_IsTheValue(string code, object? expected) =>
        Assert.Equal(expected, (await Interpreter.ExecuteAsync(code, cancellationToken: Token)).Value);

    /// <summary>D30: whatever code gives leaves it, as from Python; nothing is lost in silence and nothing breaks the session.</summary>
    [Theory]
    [InlineData("[new Set([1]), new Map([[4, NaN], ['k', new Map()]])]", """[[1], {"4": "NaN", "k": {}}]""")]
    [InlineData("[1 / 0, -1 / 0, 0 / 0, -0, 1e21, 0.1]", """["Infinity", "-Infinity", "NaN", 0, 1E+21, 0.1]""")]
    [InlineData("({big: 2n ** 70n, list: [10n]})", """{"big": 1180591620717411303424, "list": [10]}""")]
    [InlineData("['\\ud800', 'a\\udc00b', {'\\ud800': 1}, '\\\\ud800', '😀']", """["?", "a?b", {"?": 1}, "\\ud800", "😀"]""")]
    [InlineData("[new Uint8Array([1, 2]), new TypeError('t'), /x/g, undefined, () => 1]", """[[1, 2], "TypeError: t", "/x/g", null, null]""")]
    [InlineData("new Map([[{a: 1}, 'o'], [true, 't'], [[1], 'l']])", """{"{\"a\":1}": "o", "true": "t", "[1]": "l"}""")]
    [InlineData("new Date(0)", "\"1970-01-01T00:00:00.000Z\"")]
    [InlineData("NaN", "\"NaN\"")]
    public async Task D30_ValuesThatJsonLacks_LeaveTheCode(string code, string expected)
    {
        await using var session = await Interpreter.OpenAsync(cancellationToken: Token);
        Assert.Equal(expected, CodeValues.ToJson((await session.ExecuteAsync(code, cancellationToken: Token)).Value));
        Assert.Equal(1L, (await session.ExecuteAsync("1", cancellationToken: Token)).Value);
    }

    [Fact]
    public async Task D30_SetsAndMaps_ReachToolsOutputsAndTheConsole()
    {
        var tool = AIFunctionFactory.Create((int[] of) => of.Sum(), "total");
        var result = await Interpreter.ExecuteAsync(
            "console.log(new Map([['a', new Set([1])]])); SUBMIT({answer: new Set([total({of: new Set([1, 2])}), NaN])})",
            options: new() { Tools = [tool], Outputs = ["answer"] }, cancellationToken: Token);
        Assert.Equal("{\"a\":[1]}\n", result.Output);
        Assert.Equal("""[3, "NaN"]""", CodeValues.ToJson(result.Submitted!["answer"]));
    }

    [Theory]
    [InlineData("let n = []; for (let i = 0; i < 1e5; i++) n = [n]; n", CodeErrorKind.Limit, CodeErrorKind.Runtime)]
    [InlineData("let m = []; for (let i = 0; i < 300; i++) m = [m]; m", CodeErrorKind.Limit)]
    [InlineData("const c = {}; c.c = c; c", CodeErrorKind.Runtime)]
    [InlineData("const s = new Set(); s.add(s); s", CodeErrorKind.Limit, CodeErrorKind.Runtime)]
    [InlineData("({get x() { throw new Error('no') }})", CodeErrorKind.Runtime)]
    public async Task D30_ValuesThatCannotLeave_AreAnErrorOfTheCode(string code, params CodeErrorKind[] kinds)
    {
        await using var session = await Interpreter.OpenAsync(cancellationToken: Token);
        Assert.Contains((await Assert.ThrowsAsync<CodeException>(() => session.ExecuteAsync(code, cancellationToken: Token))).Kind, kinds);
        Assert.Equal(1L, (await session.ExecuteAsync("1", cancellationToken: Token)).Value);
    }

    [Fact]
    public async Task Execute_LargeInteger_IsWhole() =>
        Assert.Equal(System.Numerics.BigInteger.Pow(10, 20), (await Interpreter.ExecuteAsync("10n ** 20n", cancellationToken: Token)).Value);

    [Fact]
    public async Task Session_KeepsVariables_AndTakesNewOnes()
    {
        await using var session = await Interpreter.OpenAsync(cancellationToken: Token);
        await session.ExecuteAsync("const total = items.reduce((a, b) => a + b.n, 0)", FieldMap.Of(("items", new[] { FieldMap.Of(("n", 2)), FieldMap.Of(("n", 3)) })), Token);
        var result = await session.ExecuteAsync("console.log('sum', total, {a: [1]}); total * factor", FieldMap.Of(("factor", 2)), Token);
        Assert.Equal(10L, result.Value);
        Assert.Equal("sum 5 {\"a\":[1]}\n", result.Output);
        Assert.Equal(5L, await session.ReadAsync("total", Token));
        Assert.Equal("ReferenceError", (await Assert.ThrowsAsync<CodeException>(() => session.ReadAsync("nothing", Token))).ErrorType);
    }

    [Fact]
    public async Task Tools_AreCalled_ByPositionAndByObject_AndTheirErrorsCanBeCaught()
    {
        var tool = AIFunctionFactory.Create((string city, int days = 1) => days > 9 ? throw new InvalidOperationException("too far") : $"{city} {days}", "weather");
        var options = new CodeSessionOptions { Tools = [tool] };
        var result = await Interpreter.ExecuteAsync(
            "let e; try { weather('Rome', 10) } catch (x) { e = x.message } [weather('Rome'), weather('Rome', 2), weather({city: 'Oslo'}), e]", options: options, cancellationToken: Token);
        Assert.Equal(["Rome 1", "Rome 2", "Oslo 1", "The tool 'weather' failed: too far"], ((IEnumerable<object?>)result.Value!).Cast<string>());
        var error = await Assert.ThrowsAsync<CodeException>(() => Interpreter.ExecuteAsync("\nweather()", options: options, cancellationToken: Token));
        Assert.Equal(2, error.Line);
        Assert.Contains("needs the argument 'city'", error.Message);
    }

    [Theory]
    [InlineData("SUBMIT({answer: 4, why: 'x'}); console.log('no')")]
    [InlineData("try { SUBMIT(4, 'x') } catch { console.log('no') }")]
    public async Task Submit_EndsTheCode(string code)
    {
        var result = await Interpreter.ExecuteAsync(code, options: new() { Outputs = ["answer", "why"] }, cancellationToken: Token);
        Assert.Equal(FieldMap.Of(("answer", 4L), ("why", "x")), result.Submitted);
        Assert.Empty(result.Output);
    }

    [Theory]
    [InlineData("let a = 1;\nlet b = ;", CodeErrorKind.Syntax, "SyntaxError", 2)]
    [InlineData("1;\n\nnull.x", CodeErrorKind.Runtime, "TypeError", 3)]
    [InlineData("function f() {\n  throw new RangeError('r')\n}\nf()", CodeErrorKind.Runtime, "RangeError", 2)]
    public async Task Errors_SayWhatAndWhere(string code, CodeErrorKind kind, string type, int line)
    {
        var error = await Assert.ThrowsAsync<CodeException>(() => Interpreter.ExecuteAsync(code, cancellationToken: Token));
        Assert.Equal((kind, type, line), (error.Kind, error.ErrorType, error.Line));
        Assert.DoesNotContain("Jint", error.Message);
        Assert.False(error.IsSessionLost);
    }

    [Fact]
    public async Task Output_OverTheLimit_IsCut()
    {
        var result = await Interpreter.ExecuteAsync("for (let i = 0; i < 100; i++) console.log('0123456789')", options: new() { Limits = new() { MaxOutputLength = 50 } }, cancellationToken: Token);
        Assert.Equal(50, result.Output.Length);
        Assert.True(result.IsOutputCut);
        var error = await Assert.ThrowsAsync<CodeException>(
            () => Interpreter.ExecuteAsync("console.log('seen'); 'x'.repeat(1000)", options: new() { Limits = new() { MaxValueLength = 100 } }, cancellationToken: Token));
        Assert.Equal((CodeErrorKind.Limit, "seen\n"), (error.Kind, error.Output));
    }

    [Theory]
    [InlineData("'x'.repeat(100)", "xxxxxxxxxx", true)]
    [InlineData("Array.from({length: 100}, (_, i) => i)", "[0,1,2,3,4", true)]
    [InlineData("'short'", "short", false)]
    public async Task LongValue_IsCutWhenAskedFor(string code, string value, bool isCut)
    {
        var result = await Interpreter.ExecuteAsync(code, options: new() { CutLongValue = true, Limits = new() { MaxValueLength = 10 } }, cancellationToken: Token);
        Assert.Equal((value, isCut), (result.Value, result.IsValueCut));
    }

    [Theory]
    [InlineData("while (true) {}", CodeErrorKind.Timeout)]
    [InlineData("for (;;);", CodeErrorKind.Timeout)]
    [InlineData("(async () => { for (;;) await 0 })()", CodeErrorKind.Timeout, CodeErrorKind.Memory)]
    [InlineData("const l = () => Promise.resolve().then(l); l()", CodeErrorKind.Timeout, CodeErrorKind.Memory)]
    [InlineData("/(a+)+$/.test('a'.repeat(40) + 'b')", CodeErrorKind.Timeout)]
    [InlineData("let s = 'x'; for (;;) s += s", CodeErrorKind.Memory, CodeErrorKind.Runtime)]
    [InlineData("const a = []; for (;;) a.push(new Array(1000).fill(0))", CodeErrorKind.Memory, CodeErrorKind.Timeout)]
    [InlineData("new Array(1e9).fill(1)", CodeErrorKind.Memory)]
    [InlineData("new ArrayBuffer(2 ** 31 - 1)", CodeErrorKind.Runtime)]
    [InlineData("'x'.repeat(2 ** 30)", CodeErrorKind.Runtime)]
    [InlineData("function f() { return f() } f()", CodeErrorKind.Limit)]
    [InlineData("const t = x => t`${x}`; t(1)", CodeErrorKind.Limit, CodeErrorKind.Runtime)]
    [InlineData("const g = function* () { yield* g() }; [...g()]", CodeErrorKind.Limit)]
    [InlineData("const o = {}; o.toString = String.bind(null, o); String(o)", CodeErrorKind.Limit, CodeErrorKind.Runtime)]
    [InlineData("const p = new Proxy({}, {}); Object.setPrototypeOf(p, p); p.x", CodeErrorKind.Limit, CodeErrorKind.Runtime)]
    [InlineData("let n = []; for (let i = 0; i < 1e5; i++) n = [n]; n.toString()", CodeErrorKind.Limit, CodeErrorKind.Runtime)]
    [InlineData("let n = []; for (let i = 0; i < 1e5; i++) n = [n]; JSON.stringify(n)", CodeErrorKind.Limit, CodeErrorKind.Runtime)]
    [InlineData("let n = []; for (let i = 0; i < 1e5; i++) n = [n]; n.flat(Infinity)", CodeErrorKind.Limit, CodeErrorKind.Runtime)]
    [InlineData("let n = {}; for (let i = 0; i < 1e5; i++) n = {n}; n", CodeErrorKind.Limit, CodeErrorKind.Runtime)]
    [InlineData("let n = {}; for (let i = 0; i < 1e5; i++) n = {n}; console.log(n)", CodeErrorKind.Limit, CodeErrorKind.Runtime)]
    [InlineData("({ get a() { for (;;); } })", CodeErrorKind.Timeout)]
    public async Task Bombs_EndInAnError_AndTheSessionGoesOn(string code, params CodeErrorKind[] kinds)
    {
        // Only what ends by the clock is given a short one: a busy machine must not change the others.
        var timeout = TimeSpan.FromSeconds(kinds.Contains(CodeErrorKind.Timeout) ? 1 : 300);
        var options = new CodeSessionOptions { Limits = new() { Timeout = timeout, MaxMemory = 64 << 20 } };
        await using var session = await new JavaScriptInterpreter(new() { MaxStatements = int.MaxValue }).OpenAsync(options, Token);
        var error = await Assert.ThrowsAsync<CodeException>(() => session.ExecuteAsync(code, cancellationToken: Token));
        Assert.Contains(error.Kind, kinds);
        Assert.Equal(2L, (await session.ExecuteAsync("1 + 1", cancellationToken: Token)).Value);
    }

    [Fact]
    public async Task Statements_AreCounted() =>
        Assert.Equal(CodeErrorKind.Limit, (await Assert.ThrowsAsync<CodeException>(
            () => new JavaScriptInterpreter(new() { MaxStatements = 100 }).ExecuteAsync("for (let i = 0; i < 1000; i++) { i; }", cancellationToken: Token))).Kind);

    [Theory]
    [InlineData("typeof System + typeof importNamespace + typeof clr + typeof require + typeof process + typeof fetch + typeof Deno", "undefinedundefinedundefinedundefinedundefinedundefinedundefined")]
    [InlineData("typeof print.GetType + typeof console.GetType + typeof tool.Method + typeof tool.Target + typeof items.Length", "undefinedundefinedundefinedundefinedundefined")]
    [InlineData("try { new Function('return 1')() } catch (e) { e.message }", "String compilation has been disabled in engine options")]
    [InlineData("try { tool.constructor('return 1')() } catch (e) { e.message }", "String compilation has been disabled in engine options")]
    [InlineData("try { eval('1') } catch (e) { e.message }", "String compilation has been disabled in engine options")]
    [InlineData("Object.getOwnPropertyNames(tool).sort().join()", "length,name")]
    public async Task Escapes_FindNothing(string code, string expected)
    {
        var options = new CodeSessionOptions { Tools = [AIFunctionFactory.Create(() => 1, "tool")] };
        Assert.Equal(expected, (await Interpreter.ExecuteAsync(code, FieldMap.Of(("items", new[] { 1 })), options, Token)).Value);
    }

    [Fact]
    public async Task Modules_AreNotLoaded() =>
        await Assert.ThrowsAsync<CodeException>(() => Interpreter.ExecuteAsync("import('fs').then(x => x)", cancellationToken: Token));

    [Fact]
    public async Task PrototypePollution_StaysInItsSession_AndNeverReachesTheHost()
    {
        FieldMap? seen = null;
        var tool = AIFunctionFactory.Create((AIFunctionArguments arguments) => { seen = FieldMap.Create(arguments!); }, "tool");
        var options = new CodeSessionOptions { Tools = [tool], Outputs = ["answer"] };
        var polluted = await Interpreter.ExecuteAsync(
            "Object.prototype.isAdmin = true; Array.prototype.push = () => 0; JSON.stringify = () => 'no'; const o = JSON.parse('{\"__proto__\": {\"x\": 1}, \"answer\": 2}'); SUBMIT(o)",
            options: options, cancellationToken: Token);
        Assert.Equal(2L, polluted.Submitted!["answer"]);
        Assert.False(polluted.Submitted.ContainsKey("isAdmin"));
        Assert.Equal("undefined", (await Interpreter.ExecuteAsync("typeof {}.isAdmin", cancellationToken: Token)).Value);
        Assert.Null(seen);
    }

    [Fact]
    public async Task Cancellation_StopsTheCode()
    {
        using var source = new CancellationTokenSource();
        var started = new TaskCompletionSource();
        var tool = AIFunctionFactory.Create(started.SetResult, "started");
        await using var interpreter = new JavaScriptInterpreter(new() { MaxStatements = int.MaxValue });
        var run = interpreter.ExecuteAsync("started(); for (;;);", options: new() { Tools = [tool] }, cancellationToken: source.Token);
        await started.Task;
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    [Fact]
    public async Task TimeLimit_CountsWhatTheCodeTakes_NotTheWaitsForTools()
    {
        var time = new SteppingTime();
        var wait = AIFunctionFactory.Create(() => time.Advance(TimeSpan.FromHours(1)), "wait");
        var options = new CodeSessionOptions { Tools = [wait], Limits = new() { Timeout = TimeSpan.FromSeconds(5) } };
        await using var session = await new JavaScriptInterpreter(new() { Time = time }).OpenAsync(options, Token);
        Assert.Equal(1000L, (await session.ExecuteAsync("wait(); let n = 0; for (let i = 0; i < 1000; i++) n += 1; wait(); n", cancellationToken: Token)).Value);
        time.Step = TimeSpan.FromSeconds(1);
        var error = await Assert.ThrowsAsync<CodeException>(() => session.ExecuteAsync("for (let i = 0; i < 1000; i++) n += 1; n", cancellationToken: Token));
        Assert.Equal(CodeErrorKind.Timeout, error.Kind);
    }

    [Fact]
    public async Task ToolCalls_AreLimited_AndASessionIsNotReentered()
    {
        ICodeSession? session = null;
        var again = AIFunctionFactory.Create(async () => await session!.ExecuteAsync("1"), "again");
        await using var opened = session = await Interpreter.OpenAsync(new() { Tools = [again], Limits = new() { MaxToolCalls = 1 } }, Token);
        Assert.Contains("is running a piece of code", (await Assert.ThrowsAsync<CodeException>(() => session.ExecuteAsync("again()", cancellationToken: Token))).Message);
        var error = await Assert.ThrowsAsync<CodeException>(() => session.ExecuteAsync("for (;;) try { again() } catch {}", cancellationToken: Token));
        Assert.Equal(CodeErrorKind.Limit, error.Kind);
    }

    [Theory]
    [InlineData("class")]
    [InlineData("1a")]
    [InlineData("__proto__")]
    [InlineData("a b")]
    public async Task Names_ThatCodeCannotUse_AreRefused(string name)
    {
        await Assert.ThrowsAsync<HoneException>(() => Interpreter.ExecuteAsync("1", FieldMap.Of((name, 1)), cancellationToken: Token));
        await Assert.ThrowsAsync<HoneException>(() => Interpreter.ExecuteAsync("1", options: new() { Outputs = [name] }, cancellationToken: Token));
    }

    /// <summary>A clock that goes on by a step whenever somebody looks at it.</summary>
    private sealed class SteppingTime : TimeProvider
    {
        private long now;

        public TimeSpan Step { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => Interlocked.Add(ref now, by.Ticks);

        public override long GetTimestamp() => Interlocked.Add(ref now, Step.Ticks);
    }
}
