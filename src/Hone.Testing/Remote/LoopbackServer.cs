using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Hone.Testing;

/// <summary>A request as it came in.</summary>
internal sealed record LoopbackRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body);

/// <summary>What is answered.</summary>
internal sealed record LoopbackReply(int Status, string Body)
{
    /// <summary>Nothing is sent until the caller goes.</summary>
    public bool Hangs { get; init; }

    /// <summary>The connection ends in the middle of the body.</summary>
    public bool IsCut { get; init; }
}

/// <summary>
/// A small HTTP/1.1 server on the loopback address. Of its own, because a reference to ASP.NET Core would force its runtime on every test project
/// that uses this library, and HttpListener neither picks a free port nor leaves control over broken connections.
/// </summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private const int MaxHeadLength = 1 << 16;

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Func<LoopbackRequest, LoopbackReply> answer;
    private readonly List<Task> connections = [];
    private readonly Lock gate = new();
    private readonly Task accepting;

    public LoopbackServer(Func<LoopbackRequest, LoopbackReply> answer)
    {
        this.answer = answer;
        listener.Start();
        Address = new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture)}/");
        accepting = AcceptAsync();
    }

    public Uri Address { get; }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync().ConfigureAwait(false);
        listener.Stop();
        await accepting.ConfigureAwait(false);
        Task[] open;
        lock (gate)
            open = [.. connections];
        await Task.WhenAll(open).ConfigureAwait(false);
        listener.Dispose();
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var socket = await listener.AcceptSocketAsync(stop.Token).ConfigureAwait(false);
                socket.NoDelay = true;
                lock (gate)
                {
                    connections.RemoveAll(connection => connection.IsCompleted);
                    connections.Add(ServeAsync(socket));
                }
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return; // stopped
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        var stream = new NetworkStream(socket, ownsSocket: true);
        await using (stream.ConfigureAwait(false))
        {
            var reader = new RequestReader(stream);
            try
            {
                while (await reader.ReadAsync(stop.Token).ConfigureAwait(false) is { } request)
                {
                    if (!await AnswerAsync(stream, answer(request)).ConfigureAwait(false))
                    {
                        socket.Close(0); // a reset, as of a process that died
                        return;
                    }
                }
            }
            catch (Exception error) when (error is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
            {
                return; // the server stops, or the caller has gone
            }
        }
    }

    // False when the connection must end.
    private async Task<bool> AnswerAsync(NetworkStream stream, LoopbackReply reply)
    {
        if (reply.Hangs)
        {
            await stream.ReadAsync(new byte[1], stop.Token).ConfigureAwait(false);
            return false;
        }

        var body = Encoding.UTF8.GetBytes(reply.Body);
        var head = string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {reply.Status} {(HttpStatusCode)reply.Status}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), stop.Token).ConfigureAwait(false);
        await stream.WriteAsync(reply.IsCut ? body.AsMemory(0, body.Length / 2) : body, stop.Token).ConfigureAwait(false);
        return !reply.IsCut;
    }

    /// <summary>Reads one request after the other from a connection.</summary>
    private sealed class RequestReader(Stream stream)
    {
        private readonly byte[] chunk = new byte[1 << 14];
        private readonly List<byte> buffer = [];

        /// <summary>The next request; null at the end of the connection.</summary>
        public async Task<LoopbackRequest?> ReadAsync(CancellationToken cancellationToken)
        {
            int end;
            while ((end = EndOfHead()) < 0)
            {
                if (buffer.Count > MaxHeadLength || !await FillAsync(cancellationToken).ConfigureAwait(false))
                    return null;
            }

            var lines = Encoding.ASCII.GetString([.. buffer[..end]]).Split("\r\n");
            buffer.RemoveRange(0, end + 4);
            var headers = lines.Skip(1).Select(line => line.Split(':', 2)).Where(pair => pair.Length == 2)
                .ToDictionary(pair => pair[0].Trim(), pair => pair[1].Trim(), StringComparer.OrdinalIgnoreCase);
            var first = lines[0].Split(' ');
            var body = headers.TryGetValue("Transfer-Encoding", out var coding) && coding.Contains("chunked", StringComparison.OrdinalIgnoreCase)
                ? await ReadChunksAsync(cancellationToken).ConfigureAwait(false)
                : await TakeAsync(headers.TryGetValue("Content-Length", out var length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0, cancellationToken).ConfigureAwait(false);
            return new(first[0], first[1], headers, Encoding.UTF8.GetString(body));
        }

        private int EndOfHead()
        {
            for (var i = 3; i < buffer.Count; i++)
            {
                if (buffer[i] == '\n' && buffer[i - 1] == '\r' && buffer[i - 2] == '\n' && buffer[i - 3] == '\r')
                    return i - 3;
            }

            return -1;
        }

        private async Task<byte[]> ReadChunksAsync(CancellationToken cancellationToken)
        {
            var body = new List<byte>();
            while (true)
            {
                var size = int.Parse((await LineAsync(cancellationToken).ConfigureAwait(false)).Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                body.AddRange(await TakeAsync(size, cancellationToken).ConfigureAwait(false));
                await LineAsync(cancellationToken).ConfigureAwait(false);
                if (size == 0)
                    return [.. body];
            }
        }

        private async Task<string> LineAsync(CancellationToken cancellationToken)
        {
            int end;
            while ((end = buffer.IndexOf((byte)'\n')) < 0)
                await NeedAsync(cancellationToken).ConfigureAwait(false);
            var line = Encoding.ASCII.GetString([.. buffer[..end]]).TrimEnd('\r');
            buffer.RemoveRange(0, end + 1);
            return line;
        }

        private async Task<byte[]> TakeAsync(int count, CancellationToken cancellationToken)
        {
            while (buffer.Count < count)
                await NeedAsync(cancellationToken).ConfigureAwait(false);
            byte[] taken = [.. buffer[..count]];
            buffer.RemoveRange(0, count);
            return taken;
        }

        private async Task NeedAsync(CancellationToken cancellationToken)
        {
            if (!await FillAsync(cancellationToken).ConfigureAwait(false))
                throw new IOException("The connection ended within a request.");
        }

        private async Task<bool> FillAsync(CancellationToken cancellationToken)
        {
            var read = await stream.ReadAsync(chunk, cancellationToken).ConfigureAwait(false);
            buffer.AddRange(chunk.AsSpan(0, read));
            return read > 0;
        }
    }
}
