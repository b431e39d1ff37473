using System.IO.Pipelines;
using System.Text;
using System.Text.Json;

namespace Hone.Sandbox.Tests;

/// <summary>The other side of a session of Python as a script over a pair of streams: neither Deno nor Python is needed.</summary>
internal sealed class ScriptedGuest : IPythonGuest
{
    private readonly Pipe toGuest = new();
    private readonly Pipe fromGuest = new();
    private readonly MessageChannel channel;
    private readonly StreamReader requests;
    private readonly CancellationTokenSource ended = new();

    public ScriptedGuest(Func<ScriptedGuest, Task> script)
    {
        channel = new(fromGuest.Reader.AsStream(), toGuest.Writer.AsStream());
        requests = new(toGuest.Reader.AsStream(), Encoding.UTF8);
        Script = Task.Run(() => PlayAsync(script));
    }

    public Task Script { get; }

    public bool IsKilled => ended.IsCancellationRequested;

    /// <summary>The next message that the guest is sent.</summary>
    public async Task<JsonElement> ReadAsync() => JsonElement.Parse(await requests.ReadLineAsync(ended.Token) ?? throw new EndOfStreamException());

    /// <summary>Writes a line, whatever it is.</summary>
    public async Task WriteAsync(string line) => await fromGuest.Writer.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), ended.Token);

    /// <summary>Answers a request with a result.</summary>
    public Task AnswerAsync(JsonElement request, string result) =>
        WriteAsync($$"""{"jsonrpc": "2.0", "id": "{{request.GetProperty("id").GetString()}}", "result": {{result}}}""");

    public Task SendAsync(Action<Utf8JsonWriter> write, CancellationToken cancellationToken) => channel.SendAsync(write, cancellationToken);

    public Task<JsonDocument?> ReceiveAsync(CancellationToken cancellationToken) => channel.ReceiveAsync(cancellationToken);

    /// <summary>What whoever watches its memory is told.</summary>
    public bool IsLarge { get; set; }

    public bool IsTooLarge() => IsLarge;

    public void Kill() => ended.Cancel();

    public void Dispose() => Kill();

    private async Task PlayAsync(Func<ScriptedGuest, Task> script)
    {
        try
        {
            await script(this);
        }
        catch (OperationCanceledException) when (IsKilled)
        {
            return;
        }
        finally
        {
            // The process is gone: nothing more comes.
            await fromGuest.Writer.CompleteAsync();
        }
    }
}
