using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Hone.Optimizers;

/// <summary>Tells one page what happens (server-sent events), from where it left off.</summary>
internal sealed class EventStream(IRunSource source, HelloMessage hello, TimeProvider time)
{
    // Progress comes by the thousand; nobody sees more than this.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(80);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private const int QuietBeats = 15;

    public async Task WriteAsync(HttpContext context, CancellationToken cancellationToken = default)
    {
        var response = context.Response;
        response.ContentType = "text/event-stream; charset=utf-8";
        var seen = LastSeen(context.Request);
        StatusMessage? told = null;
        var quiet = 0;
        await WriteAsync(response, null, "hello", JsonSerializer.SerializeToUtf8Bytes(hello, DashboardJson.Default.HelloMessage), cancellationToken).ConfigureAwait(false);
        while (true)
        {
            var (entries, changed, isClosed) = source.Feed.Read(seen);
            foreach (var entry in entries)
            {
                await WriteAsync(response, $"{hello.Run}-{entry.Id}", entry.Type, entry.Json, cancellationToken).ConfigureAwait(false);
                seen = entry.Id;
            }

            var status = source.Status;
            if (status with { Elapsed = 0 } != told)
            {
                told = status with { Elapsed = 0 };
                await WriteAsync(response, null, "status", JsonSerializer.SerializeToUtf8Bytes(status, DashboardJson.Default.StatusMessage), cancellationToken).ConfigureAwait(false);
                quiet = 0;
            }
            else if (++quiet >= QuietBeats)
            {
                // Shows the connection to be alive, and finds out when it is not.
                await response.Body.WriteAsync(": \n\n"u8.ToArray(), cancellationToken).ConfigureAwait(false);
                quiet = 0;
            }

            if (isClosed)
                await WriteAsync(response, null, "closed", "{}"u8.ToArray(), cancellationToken).ConfigureAwait(false);
            await response.Body.FlushAsync(cancellationToken).ConfigureAwait(false);
            if (isClosed)
                return;
            await Task.WhenAny(changed, Task.Delay(Patience, time, cancellationToken)).ConfigureAwait(false);
            await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    // A number of another run says nothing about this one: then everything is told.
    private long LastSeen(HttpRequest request)
    {
        string? id = request.Headers["Last-Event-ID"];
        if (string.IsNullOrEmpty(id))
            id = request.Query["after"];
        return id is not null && id.StartsWith(hello.Run + "-", StringComparison.Ordinal)
            && long.TryParse(id.AsSpan(hello.Run.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var seen) ? seen : 0;
    }

    private static async Task WriteAsync(HttpResponse response, string? id, string type, byte[] json, CancellationToken cancellationToken)
    {
        // JSON is on one line: no line of it can be taken for a field of the stream.
        await response.Body.WriteAsync(Encoding.UTF8.GetBytes($"{(id is null ? "" : $"id: {id}\n")}event: {type}\ndata: "), cancellationToken).ConfigureAwait(false);
        await response.Body.WriteAsync(json, cancellationToken).ConfigureAwait(false);
        await response.Body.WriteAsync("\n\n"u8.ToArray(), cancellationToken).ConfigureAwait(false);
    }
}
