using System.Text.Json;

namespace Hone.Sandbox;

/// <summary>The other side of a session of Python: what takes its requests, answers them and asks for tools.</summary>
internal interface IPythonGuest : IDisposable
{
    /// <summary>Sends one message.</summary>
    Task SendAsync(Action<Utf8JsonWriter> write, CancellationToken cancellationToken);

    /// <summary>The next message; null when the other side has ended or talks nonsense.</summary>
    Task<JsonDocument?> ReceiveAsync(CancellationToken cancellationToken);

    /// <summary>True when it holds more memory than it may, however it got it.</summary>
    bool IsTooLarge();

    /// <summary>Ends it, whatever it is doing.</summary>
    void Kill();
}

/// <summary>Messages as lines of JSON over a pair of streams.</summary>
/// <param name="input">What the other side writes.</param>
/// <param name="output">What it reads.</param>
internal sealed class MessageChannel(Stream input, Stream output)
{
    private const int MaxStrayLines = 100;
    private const int MaxLine = 64 << 20;

    private readonly LineReader lines = new(input, MaxLine);

    /// <summary>Sends one message.</summary>
    public async Task SendAsync(Action<Utf8JsonWriter> write, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
            write(json);
        buffer.WriteByte((byte)'\n');
        buffer.Position = 0;
        await buffer.CopyToAsync(output, cancellationToken).ConfigureAwait(false);
        await output.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The next message; null when the other side has ended or talks nonsense.</summary>
    public async Task<JsonDocument?> ReceiveAsync(CancellationToken cancellationToken)
    {
        for (var stray = 0; stray < MaxStrayLines; stray++)
        {
            var line = await lines.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (line is not { } bytes)
                return null;
            try
            {
                var document = JsonDocument.Parse(bytes.ToArray(), new() { MaxDepth = 256 });
                if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("jsonrpc", out _))
                    return document;
                document.Dispose();
            }
            catch (JsonException)
            {
                continue; // Whatever else writes into the stream is passed over, up to a limit.
            }
        }

        return null;
    }
}
