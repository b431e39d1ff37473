namespace Hone.Sandbox.Tests;

/// <summary>
/// Processes that are kept ready, and what becomes of those that end while they wait. In place of Deno stands a script that is ready at once and answers whatever it is
/// asked; files beside it make it fail.
/// </summary>
public sealed class PythonPoolTests : IDisposable
{
    private const string Script = """
        #!/bin/sh
        echo $$ >> started
        if [ -e refuse ]; then /bin/rm refuse; exit 1; fi
        while [ -e hold ]; do :; done
        echo '{"jsonrpc":"2.0","method":"ready","params":{}}'
        if [ -e leave ]; then /bin/rm leave; exit 0; fi
        while read -r line; do
          id="${line#*\"id\":\"}"
          echo "{\"jsonrpc\":\"2.0\",\"id\":\"${id%%\"*}\",\"result\":{\"value\":\"$$\"}}"
        done

        """;

    private readonly string folder = Directory.CreateTempSubdirectory("hone-pool-").FullName;

    public PythonPoolTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The script in place of Deno needs a shell.");
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "node_modules", "pyodide")).FullName, "pyodide.asm.wasm"), "");
        var deno = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "node_modules", "@deno", "here")).FullName, "deno");
        File.WriteAllText(deno, Script.ReplaceLineEndings("\n"));
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(deno, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Sessions_HaveProcessesOfTheirOwn()
    {
        await using var python = new PythonInterpreter(new() { Directory = folder, WarmProcesses = 2 });
        await python.WarmUpAsync(Token);
        var processes = new List<object?>();
        for (var i = 0; i < 5; i++)
        {
            await using var session = await python.OpenAsync(cancellationToken: Token);
            processes.Add((await session.ExecuteAsync("x", cancellationToken: Token)).Value);
        }

        Assert.Equal(5, processes.Distinct().Count());
    }

    /// <summary>A process that died, or never started, while nobody looked costs nobody a session.</summary>
    [Theory]
    [InlineData("leave")]
    [InlineData("refuse")]
    public async Task ReadyProcess_ThatHasEnded_IsReplaced(string how)
    {
        await using var python = new PythonInterpreter(new() { Directory = folder });
        await File.WriteAllTextAsync(Path.Combine(folder, how), "", Token);
        var error = await Record.ExceptionAsync(() => python.WarmUpAsync(Token));
        Assert.Equal(how == "refuse", error is CodeInterpreterException);

        await using var session = await python.OpenAsync(cancellationToken: Token);
        Assert.IsType<long>((await session.ExecuteAsync("x", cancellationToken: Token)).Value);
    }

    /// <summary>Whoever gives up waiting for a process leaves it to the next one.</summary>
    [Fact]
    public async Task ReadyProcess_ThatNobodyWaitsForAnyMore_IsForTheNext()
    {
        var hold = Path.Combine(folder, "hold");
        await File.WriteAllTextAsync(hold, "", Token);
        await using var python = new PythonInterpreter(new() { Directory = folder });
        var warm = python.WarmUpAsync(Token);
        using var stop = new CancellationTokenSource();
        var opening = python.OpenAsync(cancellationToken: stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening);

        File.Delete(hold);
        await warm;
        await using var session = await python.OpenAsync(cancellationToken: Token);
        var process = (long)(await session.ExecuteAsync("x", cancellationToken: Token)).Value!;
        Assert.Equal(process, long.Parse((await File.ReadAllLinesAsync(Path.Combine(folder, "started"), Token))[0], System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task WarmUp_AfterAFailure_StartsAnew()
    {
        await using var python = new PythonInterpreter(new() { Directory = folder });
        await File.WriteAllTextAsync(Path.Combine(folder, "refuse"), "", Token);
        await Assert.ThrowsAsync<CodeInterpreterException>(() => python.WarmUpAsync(Token));
        await python.WarmUpAsync(Token);
    }
}
