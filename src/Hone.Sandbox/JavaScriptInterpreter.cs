using Hone.Sandbox.JavaScript;

namespace Hone.Sandbox;

/// <summary>
/// JavaScript in this process: starts at once and needs nothing installed. Code sees its variables and tools, and nothing of .NET, files or networks. It
/// shares this process's memory and processor, so it is a fence for the code of models, not a wall against attackers.
/// </summary>
/// <param name="options">Limits of the language; the defaults when null.</param>
public sealed class JavaScriptInterpreter(JavaScriptOptions? options = null) : ICodeInterpreter
{
    private readonly JavaScriptOptions options = options ?? new();
    private volatile bool isDisposed;

    /// <inheritdoc/>
    public string Language => "javascript";

    /// <inheritdoc/>
    public string Guidance =>
        "The code is JavaScript (ECMAScript, sloppy mode) without modules, timers, files, network and packages. `console.log(…)` shows values, and so does the last "
        + "expression. Functions that are given to you return at once: do not await them. What is declared at the top level stays for the next piece of code; do "
        + "not declare it again with `let` or `const`.";

    /// <inheritdoc/>
    public Task<ICodeSession> OpenAsync(CodeSessionOptions? options = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult<ICodeSession>(new JavaScriptSession(options ?? new(), this.options));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        isDisposed = true;
        return ValueTask.CompletedTask;
    }
}

/// <summary>Limits of the language, beside those of a session.</summary>
public sealed record JavaScriptOptions
{
    /// <summary>How many statements a piece of code may run.</summary>
    /// <value>10 million by default.</value>
    public int MaxStatements
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxStatements)); field = value; }
    } = 10_000_000;

    /// <summary>How deep functions may call each other.</summary>
    /// <value>500 by default.</value>
    public int MaxRecursion
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxRecursion)); field = value; }
    } = 500;

    /// <summary>The clock of the time limit.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
