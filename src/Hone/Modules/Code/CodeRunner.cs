namespace Hone;

/// <summary>The session behind a run of a module. One that is lost with its code is replaced, and whoever writes the code is told.</summary>
internal sealed class CodeRunner(ICodeInterpreter interpreter, CodeSessionOptions options, FieldMap variables) : IAsyncDisposable
{
    private ICodeSession? session;
    private bool isFresh = true;
    private bool hasBroken;

    /// <summary>Runs a piece of code.</summary>
    /// <exception cref="CodeException">The code is at fault.</exception>
    /// <exception cref="CodeInterpreterException">The interpreter is at fault.</exception>
    public Task<CodeResult> RunAsync(string code, CancellationToken cancellationToken) => Observation.IsOn(HoneScope.Current)
        ? Observation.RunAsync(CallKind.Code, interpreter.Language, code, () => WorkAsync(code, cancellationToken))
        : WorkAsync(code, cancellationToken);

    public ValueTask DisposeAsync() => session?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<CodeResult> WorkAsync(string code, CancellationToken cancellationToken)
    {
        session ??= await interpreter.OpenAsync(options, cancellationToken).ConfigureAwait(false);
        try
        {
            // Once: what the code makes of its variables stays.
            var given = isFresh ? variables : FieldMap.Empty;
            isFresh = false;
            var result = await session.ExecuteAsync(code, given, cancellationToken).ConfigureAwait(false);
            hasBroken = false;
            return result;
        }
        catch (CodeException error)
        {
            hasBroken = false;
            if (error.IsSessionLost)
                await DropAsync(session).ConfigureAwait(false);
            throw;
        }
        catch (CodeInterpreterException error)
        {
            // Whatever the code did to it may not happen again; what breaks twice in a row is broken.
            await DropAsync(session).ConfigureAwait(false);
            if (hasBroken)
                throw;
            hasBroken = true;
            throw new CodeException(CodeErrorKind.Runtime, "InterpreterError", $"The interpreter broke while it ran this code: {error.Message} Its variables are lost.")
            {
                IsSessionLost = true,
            };
        }
    }

    private ValueTask DropAsync(ICodeSession lost)
    {
        (session, isFresh) = (null, true);
        return lost.DisposeAsync();
    }
}
