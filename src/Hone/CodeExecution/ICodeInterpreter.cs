namespace Hone;

/// <summary>
/// Runs code that a model wrote. Each session is a world of its own: what one leaves behind, no other sees. Disposing ends all sessions.
/// </summary>
public interface ICodeInterpreter : IAsyncDisposable
{
    /// <summary>The programming language, as it is written behind a fence: <c>python</c>, <c>javascript</c>.</summary>
    string Language { get; }

    /// <summary>What a model must know to write code for this interpreter: how values are shown, what is missing.</summary>
    string Guidance { get; }

    /// <summary>Starts a session.</summary>
    /// <param name="options">Tools, outputs and limits; the defaults when null.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="CodeInterpreterException">What the interpreter needs is not installed, or it could not start.</exception>
    /// <exception cref="HoneException">A tool or an output has a name that code cannot use.</exception>
    Task<ICodeSession> OpenAsync(CodeSessionOptions? options = null, CancellationToken cancellationToken = default);
}

/// <summary>Code run piece by piece; variables stay between the pieces. One piece at a time.</summary>
public interface ICodeSession : IAsyncDisposable
{
    /// <summary>Runs a piece of code.</summary>
    /// <param name="code">The source.</param>
    /// <param name="variables">Values that the code finds under their names; those of earlier pieces stay.</param>
    /// <param name="cancellationToken">Stops the code.</param>
    /// <returns>What it printed, the value of its last expression, what it submitted.</returns>
    /// <exception cref="CodeException">The code is at fault: a syntax error, an exception, a limit.</exception>
    /// <exception cref="CodeInterpreterException">The interpreter is at fault, or the session has ended.</exception>
    Task<CodeResult> ExecuteAsync(string code, IReadOnlyDictionary<string, object?>? variables = null, CancellationToken cancellationToken = default);

    /// <summary>The value that a variable has now.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="CodeException">There is no such variable, or its value is too long.</exception>
    Task<object?> ReadAsync(string name, CancellationToken cancellationToken = default);
}

/// <summary>What a piece of code gave.</summary>
public sealed record CodeResult
{
    /// <summary>The value of the last expression, in canonical form; null when there is none.</summary>
    public object? Value { get; init; }

    /// <summary>True when <see cref="Value"/> is the beginning of a longer text; see <see cref="CodeSessionOptions.CutLongValue"/>.</summary>
    public bool IsValueCut { get; init; }

    /// <summary>What the code printed, up to <see cref="CodeLimits.MaxOutputLength"/>.</summary>
    public string Output { get; init; } = string.Empty;

    /// <summary>True when more was printed than <see cref="Output"/> holds.</summary>
    public bool IsOutputCut { get; init; }

    /// <summary>The outputs that the code submitted; null when it did not.</summary>
    public FieldMap? Submitted { get; init; }
}

/// <summary>Runs single pieces of code.</summary>
public static class CodeInterpreterExtensions
{
    /// <summary>Runs one piece of code in a session of its own.</summary>
    /// <param name="interpreter">The interpreter.</param>
    /// <param name="code">The source.</param>
    /// <param name="variables">Values that the code finds under their names.</param>
    /// <param name="options">Tools, outputs and limits; the defaults when null.</param>
    /// <param name="cancellationToken">Stops the code.</param>
    /// <exception cref="CodeException">The code is at fault.</exception>
    /// <exception cref="CodeInterpreterException">The interpreter is at fault.</exception>
    public static async Task<CodeResult> ExecuteAsync(
        this ICodeInterpreter interpreter,
        string code,
        IReadOnlyDictionary<string, object?>? variables = null,
        CodeSessionOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(interpreter);
        var session = await interpreter.OpenAsync(options, cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
            return await session.ExecuteAsync(code, variables, cancellationToken).ConfigureAwait(false);
    }
}
