using System.Globalization;
using Jint;
using Jint.Native;
using Jint.Native.Json;
using Jint.Runtime;
using Jint.Runtime.Interop;

namespace Hone.Sandbox.JavaScript;

/// <summary>One engine. Everything crosses its border as JSON or text, so no .NET object is ever within reach of code.</summary>
internal sealed class JavaScriptSession : ICodeSession
{
    // What recurses inside the engine is stopped before this is used up.
    private const int StackSize = 16 << 20;

    private readonly CodeSessionOptions session;
    private readonly CodeToolSet tools;
    private readonly ExecutionGuard guard;
    private readonly Engine engine;
    private readonly JavaScriptValues values;

    private OutputText output;
    private CancellationToken running;
    private int toolCalls;
    private int pieces;
    private int generators;
    private int isBusy;
    private volatile bool isDisposed;

    public JavaScriptSession(CodeSessionOptions session, JavaScriptOptions options)
    {
        (this.session, tools, guard) = (session, new(session), new(options.Time));
        output = new(session.Limits.MaxOutputLength);
        engine = new(settings => Configure(settings, session.Limits, options, guard));
        guard.Begin(session.Limits.Timeout, default);
        values = new(engine);
        LimitGenerators(options.MaxRecursion);
        Offer();
    }

    public Task<CodeResult> ExecuteAsync(string code, IReadOnlyDictionary<string, object?>? variables = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(code);
        var given = (variables ?? FieldMap.Empty).Select(entry => KeyValuePair.Create(entry.Key, CodeValues.ToJson(entry.Value))).ToArray();
        foreach (var (name, _) in given)
            CodeValues.CheckName(name, "The variable");
        return RunAsync(piece => Execute(code, given, piece), cancellationToken);
    }

    public Task<object?> ReadAsync(string name, CancellationToken cancellationToken = default)
    {
        CodeValues.CheckName(name, "The variable");
        return RunAsync(piece => Read(Leaving(engine.Evaluate(name, piece))), cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        isDisposed = true;
        return ValueTask.CompletedTask;
    }

    private static void Configure(Options settings, CodeLimits limits, JavaScriptOptions options, ExecutionGuard guard)
    {
        settings.LimitMemory(limits.MaxMemory);
        settings.MaxStatements(options.MaxStatements);
        settings.LimitRecursion(options.MaxRecursion);
        settings.MaxArraySize(10_000_000);
        settings.RegexTimeoutInterval(limits.Timeout < TimeSpan.FromSeconds(2) ? limits.Timeout : TimeSpan.FromSeconds(2));
        settings.Constraints.StackOverflowGuard = true;
        settings.Constraints.PromiseTimeout = TimeSpan.FromMilliseconds(1);
        settings.Constraint(guard);
        settings.DisableStringCompilation();
        settings.Interop.Enabled = false;
        settings.Culture = CultureInfo.InvariantCulture;
    }

    // Generators that delegate to each other recurse inside the engine, where nothing else counts them.
    private void LimitGenerators(int most)
    {
        var prototype = engine.Evaluate("Object.getPrototypeOf(function* () {}).prototype").AsObject();
        foreach (var name in (string[])["next", "return", "throw"])
        {
            var original = prototype.Get(name);
            prototype.Set(name, new ClrFunction(engine, name, (self, arguments) =>
            {
                if (++generators > most)
                    throw new InsufficientExecutionStackException();
                try
                {
                    return original.Call(self, arguments);
                }
                finally
                {
                    generators--;
                }
            }));
        }
    }

    private void Offer()
    {
        var console = new JsObject(engine);
        foreach (var name in (string[])["log", "info", "warn", "error", "debug"])
            console.Set(name, Function(name, Print));
        engine.SetValue("console", console);
        engine.SetValue("print", Function("print", Print));
        foreach (var name in tools.Names)
            engine.SetValue(name, Function(name, arguments => Call(name, arguments)));
        if (!session.Outputs.IsDefaultOrEmpty)
            engine.SetValue(CodeSessionOptions.SubmitFunction, Function(CodeSessionOptions.SubmitFunction, Submit));
    }

    private ClrFunction Function(string name, Func<JsValue[], JsValue> body) => new(engine, name, (_, arguments) => body(arguments));

    private CodeResult Execute(string code, KeyValuePair<string, string>[] variables, string piece)
    {
        foreach (var (name, json) in variables)
            engine.SetValue(name, new JsonParser(engine).Parse(json));
        FieldMap? submitted = null;
        object? value = null;
        var isCut = false;
        try
        {
            (value, isCut) = Last(engine.Evaluate(code, piece).UnwrapIfPromise());
        }
        catch (SubmitSignal signal)
        {
            submitted = signal.Outputs;
        }

        return new() { Value = value, IsValueCut = isCut, Output = output.ToString(), IsOutputCut = output.IsCut, Submitted = submitted };
    }

    // Code blocks while it runs, and so does a tool that it waits for: on a thread of its own, with a stack that is known.
    private async Task<T> RunAsync<T>(Func<string, T> work, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        if (Interlocked.Exchange(ref isBusy, 1) == 1)
            throw new CodeInterpreterException("The session is running a piece of code. Wait for it, or open another session.");
        try
        {
            (output, running, toolCalls, generators) = (new(session.Limits.MaxOutputLength), cancellationToken, 0, 0);
            var piece = string.Create(CultureInfo.InvariantCulture, $"code {++pieces}");
            var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
            var thread = new Thread(() => Work(work, piece, done), StackSize) { IsBackground = true, Name = "Hone JavaScript" };
            thread.Start();
            return await done.Task.ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref isBusy, 0);
        }
    }

    private void Work<T>(Func<string, T> work, string piece, TaskCompletionSource<T> done)
    {
        try
        {
            guard.Begin(session.Limits.Timeout, running);
            done.SetResult(work(piece));
        }
        catch (OperationCanceledException) when (running.IsCancellationRequested)
        {
            done.SetCanceled(running);
        }
        catch (Exception error)
        {
            done.SetException(JavaScriptErrors.Read(error, piece, output.ToString())
                ?? (Exception)new CodeInterpreterException($"The JavaScript engine failed: {error.GetType().Name}.", error));
        }
    }

    private JsValue Print(JsValue[] arguments)
    {
        output.AppendLine(string.Join(' ', arguments.Select(Shown)));
        return JsValue.Undefined;
    }

    private string Shown(JsValue value)
    {
        if (value is not Jint.Native.Object.ObjectInstance || value is Jint.Native.Function.Function || value is JsError)
            return TypeConverter.ToString(value);
        return values.ToJson(value) ?? "undefined";
    }

    private JsValue Call(string name, JsValue[] arguments)
    {
        if (++toolCalls > session.Limits.MaxToolCalls)
            throw new CodeException(CodeErrorKind.Limit, "LimitError", $"The code called tools more than {session.Limits.MaxToolCalls} times.");
        var positional = Leaving(new JsArray(engine, arguments))!;
        guard.Pause();
        try
        {
            // The thread is this session's own: nothing else waits for it.
            var result = tools.InvokeAsync(name, positional, null, running).GetAwaiter().GetResult();
            return new JsonParser(engine).Parse(result);
        }
        catch (CodeException error)
        {
            throw new JavaScriptException(engine.Intrinsics.Error, error.Description);
        }
        finally
        {
            guard.Resume();
        }
    }

    private JsValue Submit(JsValue[] arguments)
    {
        var names = session.Outputs;
        var given = arguments.Select(argument => Read(Leaving(argument))).ToArray();
        if (given is [FieldMap map] && (names.Length > 1 || map.ContainsKey(names[0])))
            throw new SubmitSignal(map);
        if (given.Length != names.Length)
            throw new JavaScriptException(
                engine.Intrinsics.TypeError, $"{CodeSessionOptions.SubmitFunction} takes one object with {string.Join(", ", names)}, or their values in this order.");
        throw new SubmitSignal(FieldMap.Create(names.Zip(given, KeyValuePair.Create)));
    }

    // What a model would rather see the beginning of than an error.
    private (object? Value, bool IsCut) Last(JsValue value)
    {
        var most = session.Limits.MaxValueLength;
        if (session.CutLongValue && value is JsString text && text.Length > most)
            return (text.ToString()[..most], true);
        var json = values.ToJson(value);
        return session.CutLongValue && json?.Length > most ? (json[..most], true) : (Read(Checked(json)), false);
    }

    private string? Leaving(JsValue value) => Checked(values.ToJson(value));

    private static object? Read(string? json)
    {
        try
        {
            return CodeValues.FromJson(json);
        }
        catch (System.Text.Json.JsonException error)
        {
            throw new CodeException(CodeErrorKind.Limit, "LimitError", $"A value is nested too deeply to leave the code: {error.Message}");
        }
    }

    private string? Checked(string? json)
    {
        var most = session.Limits.MaxValueLength;
        return json is null || json.Length <= most
            ? json
            : throw new CodeException(CodeErrorKind.Limit, "LimitError", string.Create(
                CultureInfo.InvariantCulture, $"A value is {json.Length:N0} characters long; {most:N0} may leave the code. Take a part of it."));
    }
}
