using System.Collections.Immutable;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Sandbox.Tests;

/// <summary>Steps of a scripted model, and parts that fail on purpose.</summary>
internal static class RlmScript
{
    /// <summary>A step with a piece of code.</summary>
    public static string Step(string code) => Says(("reasoning", "thinking"), ("code", code));

    public static string Says(params ReadOnlySpan<(string Name, object? Value)> outputs) => ScriptedChatClient.ChatText(FieldMap.Of(outputs));

    /// <summary>Writes the given pieces of code in turn, and answers what code asks with a function of the prompt.</summary>
    public static ScriptedChatClient Client(Func<string, string> answer, params string[] pieces)
    {
        var (gate, next) = (new Lock(), 0);
        return ScriptedChatClient.By((request, _) =>
        {
            if (request.Path!.EndsWith("llm_query", StringComparison.Ordinal))
                return Says(("answer", answer(PromptOf(request))));
            if (request.Path.EndsWith("extract", StringComparison.Ordinal))
                return Says(("answer", "extracted"));
            lock (gate)
                return Step(pieces[next++]);
        });
    }

    /// <summary>Runs the module in a program, and tells how it came out. Its predictors are below <c>rlm</c>.</summary>
    public static Task<RlmResult<TOut>> RunAsync<TIn, TOut>(this RlmModule<TIn, TOut> module, IChatClient client, TIn input) =>
        new Told<TIn, TOut>(module).WithModel(client).CallAsync(input, TestContext.Current.CancellationToken);

    /// <summary>The prompt that code has asked.</summary>
    public static string PromptOf(ScriptedRequest request)
    {
        const string Header = "[[ ## prompt ## ]]\n";
        var text = request.LastText[(request.LastText.IndexOf(Header, StringComparison.Ordinal) + Header.Length)..];
        return text[..text.IndexOf("\n\n", StringComparison.Ordinal)];
    }

    /// <summary>All that a model was sent.</summary>
    public static string TextOf(ScriptedRequest request) => string.Join("\n", request.Messages.Select(message => message.Text));
}

internal sealed class Told<TIn, TOut>(RlmModule<TIn, TOut> rlm) : Module<TIn, RlmResult<TOut>>
{
    private readonly RlmModule<TIn, TOut> rlm = rlm;

    protected override Task<RlmResult<TOut>> ForwardAsync(TIn input, CancellationToken cancellationToken) => rlm.RunAsync(input, cancellationToken);
}

/// <summary>JavaScript whose sessions are counted, and break when code says <c>BREAK</c>.</summary>
internal sealed class FragileInterpreter(int breaks = int.MaxValue) : ICodeInterpreter
{
    private readonly JavaScriptInterpreter inner = new();
    private int left = breaks;
    private int open;

    public string Language => inner.Language;

    public string Guidance => inner.Guidance;

    /// <summary>Sessions that were opened and not disposed.</summary>
    public int OpenSessions => Volatile.Read(ref open);

    /// <summary>Sessions in all, with the variables that each piece of code was given.</summary>
    public List<ImmutableArray<int>> Given { get; } = [];

    public async Task<ICodeSession> OpenAsync(CodeSessionOptions? options = null, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref open);
        lock (Given)
            Given.Add([]);
        return new Session(this, await inner.OpenAsync(options, cancellationToken), Given.Count - 1);
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private sealed class Session(FragileInterpreter owner, ICodeSession session, int number) : ICodeSession
    {
        private int isDisposed;

        public Task<CodeResult> ExecuteAsync(string code, IReadOnlyDictionary<string, object?>? variables = null, CancellationToken cancellationToken = default)
        {
            lock (owner.Given)
                owner.Given[number] = owner.Given[number].Add(variables?.Count ?? 0);
            return code.Contains("BREAK", StringComparison.Ordinal) && owner.left-- > 0
                ? throw new CodeInterpreterException("The process of the session has ended.")
                : session.ExecuteAsync(code, variables, cancellationToken);
        }

        public Task<object?> ReadAsync(string name, CancellationToken cancellationToken = default) => session.ReadAsync(name, cancellationToken);

        public ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref isDisposed, 1) == 0)
                Interlocked.Decrement(ref owner.open);
            return session.DisposeAsync();
        }
    }
}
