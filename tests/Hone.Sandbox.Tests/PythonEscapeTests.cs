using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Hone.Sandbox.Tests;

/// <summary>Code that wants out: files, networks, the environment, processes, memory, and the JavaScript under Python.</summary>
public sealed class PythonEscapeTests(PythonFixture fixture)
{
    private const string Secret = "HONE_SANDBOX_TEST_SECRET";

    // Ways from Python to the JavaScript around it, and from there to the rights of the process.
    private static readonly string[] Attempts =
    [
        "import js\njs.Deno.readTextFileSync(path)",
        "from pyodide.code import run_js\nrun_js(f\"Deno.readTextFileSync('{path}')\")",
        "import pyodide_js\npyodide_js.constructor.constructor(f\"return Deno.readTextFileSync('{path}')\")()",
        "import pyodide_js\npyodide_js.mountNodeFS('/out', folder)\nopen('/out/secret.txt').read()",
        "import pyodide_js\npyodide_js.FS.mount(pyodide_js.FS.filesystems.NODEFS, {'root': folder}, '/home')\nopen('/home/secret.txt').read()",
        "open(path).read()",
        "open('/proc/self/environ').read()",
        "open('/etc/passwd').read()",
        "import pathlib\n[p.read_text() for p in pathlib.Path(folder).iterdir()][0]",
        "import os\nos.environ['" + Secret + "']",
        "import js\njs.Deno.env.get('" + Secret + "')",
        "import os\nos.system('id')",
        "import subprocess\nsubprocess.run(['id'], capture_output=True).stdout",
        "import os\nos.fork()",
        "import os\nos.execv('/bin/id', ['id'])",
        "import socket\ns = socket.create_connection(('127.0.0.1', port), 2)\ns.sendall(b'x')\ns.recv(1)",
        "import urllib.request\nurllib.request.urlopen(f'http://127.0.0.1:{port}/').read()",
        "import js\nawait js.fetch(f'http://127.0.0.1:{port}/')",
        "from pyodide.http import pyfetch\nawait pyfetch(f'http://127.0.0.1:{port}/')",
        "import pyodide_js\nawait pyodide_js.loadPackage('numpy')\nimport numpy",
        "import ctypes\nctypes.CDLL('libc.so.6').getpid()",
        "import threading\nt = threading.Thread(target=print)\nt.start()",
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Attempts_AllFail()
    {
        using var folder = new Folder();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Environment.SetEnvironmentVariable(Secret, "in the open");
        var variables = FieldMap.Of(
            ("path", folder.File("secret.txt", "in the open")), ("folder", folder.Path), ("port", ((IPEndPoint)listener.LocalEndpoint).Port));
        await using var session = await fixture.Python.OpenAsync(cancellationToken: Token);
        await session.ExecuteAsync("1", variables, Token);
        foreach (var attempt in Attempts)
        {
            var error = await Record.ExceptionAsync(() => session.ExecuteAsync(attempt, cancellationToken: Token)) as CodeException;
            Assert.True(error is not null, $"{attempt}\ndid not fail as code does");
            Assert.False(error.IsSessionLost, $"{attempt}\nended the session");
        }

        Assert.False(listener.Pending(), "The code reached the network.");
        var seen = await session.ExecuteAsync("import os\n[sorted(os.environ), os.getcwd(), os.listdir('.')]", cancellationToken: Token);
        Assert.Equal("[[\"HOME\"], \"/home/code\", []]", CodeValues.ToJson(seen.Value));
    }

    [Theory]
    [InlineData("import posix\nposix.system('id')")]
    [InlineData("import posix\nposix._exit(0)")]
    [InlineData("import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(n): return f(n + 1) + sum(map(f, [n]))\nf(0)")]
    public async Task Code_ThatBreaksTheInterpreter_EndsItsSessionOnly(string code)
    {
        var error = await Assert.ThrowsAsync<CodeException>(() => fixture.Python.ExecuteAsync(code, cancellationToken: Token));
        Assert.DoesNotContain(PythonInstaller.DefaultDirectory, error.Message);
    }

    [Fact]
    public async Task MemoryBombs_EndInAnError()
    {
        await using var session = await fixture.Python.OpenAsync(cancellationToken: Token);
        foreach (var code in (string[])["x = [0] * (1 << 28)", "x = []\nwhile True: x.append(bytearray(1 << 20))", "x = 'a'\nwhile True: x += x"])
        {
            var error = await Assert.ThrowsAsync<CodeException>(() => session.ExecuteAsync(code, cancellationToken: Token));
            Assert.Equal(CodeErrorKind.Memory, error.Kind);
            if (!error.IsSessionLost)
                await session.ExecuteAsync("x = None", cancellationToken: Token);
        }
    }

    [Fact]
    public async Task Files_AreCopies()
    {
        using var folder = new Folder();
        var path = folder.File("data.csv", "a,b\n1,2\n");
        _ = fixture.Python;
        await using var interpreter = new PythonInterpreter(new() { WarmProcesses = 0, Files = ImmutableDictionary<string, string>.Empty.Add("data.csv", path) });
        var result = await interpreter.ExecuteAsync(
            "import csv\nrows = list(csv.reader(open('data.csv')))\nopen('data.csv', 'w').write('changed')\nrows", cancellationToken: Token);
        Assert.Equal("[[\"a\", \"b\"], [\"1\", \"2\"]]", CodeValues.ToJson(result.Value));
        Assert.Equal("a,b\n1,2\n", await File.ReadAllTextAsync(path, Token));

        await using var outside = new PythonInterpreter(new() { WarmProcesses = 0, Files = ImmutableDictionary<string, string>.Empty.Add("../x", path) });
        await Assert.ThrowsAsync<HoneException>(() => outside.OpenAsync(cancellationToken: Token));
    }

    [Fact]
    public async Task NotInstalled_SaysHow()
    {
        using var folder = new Folder();
        var error = await Assert.ThrowsAsync<CodeInterpreterException>(() => new PythonInterpreter(new() { Directory = folder.Path }).OpenAsync(cancellationToken: Token));
        Assert.Contains(PythonInstaller.GetCommand(folder.Path), error.Message);
        Assert.StartsWith("npm install --prefix ", PythonInstaller.GetCommand());
    }

    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("hone-sandbox-").FullName;

        public string File(string name, string content)
        {
            var path = System.IO.Path.Combine(Path, name);
            System.IO.File.WriteAllText(path, content);
            return path;
        }

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
