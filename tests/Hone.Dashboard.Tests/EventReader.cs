using System.Text.Json;

namespace Hone.DashboardTests;

/// <summary>One event of a stream.</summary>
internal sealed record StreamEvent(string? Id, string Type, JsonElement Data);

/// <summary>Reads a stream of server-sent events as a browser does.</summary>
internal sealed class EventReader : IDisposable
{
    private readonly HttpResponseMessage response;
    private readonly StreamReader reader;

    private EventReader(HttpResponseMessage response, Stream stream) => (this.response, reader) = (response, new(stream));

    public static async Task<EventReader> OpenAsync(HttpClient client, string? lastId, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/events");
        if (lastId is not null)
            request.Headers.Add("Last-Event-ID", lastId);
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        return new(response, await response.Content.ReadAsStreamAsync(cancellationToken));
    }

    /// <summary>Events up to and with one of a type.</summary>
    public async Task<List<StreamEvent>> UntilAsync(Func<StreamEvent, bool> isLast, CancellationToken cancellationToken)
    {
        var all = new List<StreamEvent>();
        while (await NextAsync(cancellationToken) is { } next)
        {
            all.Add(next);
            if (isLast(next))
                return all;
        }

        throw new InvalidOperationException($"The stream ended after: {string.Join(", ", all.Select(each => each.Type))}");
    }

    public async Task<StreamEvent?> NextAsync(CancellationToken cancellationToken)
    {
        var (id, type, data) = ((string?)null, "message", (string?)null);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length == 0 && data is not null)
                return new(id, type, JsonElement.Parse(data));
            if (line.StartsWith("id: ", StringComparison.Ordinal))
                id = line[4..];
            else if (line.StartsWith("event: ", StringComparison.Ordinal))
                type = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                data = line[6..];
        }

        return null;
    }

    public void Dispose()
    {
        reader.Dispose();
        response.Dispose();
    }
}
