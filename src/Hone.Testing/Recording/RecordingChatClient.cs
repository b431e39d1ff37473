using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Hone.Testing;

/// <summary>Passes requests on and remembers them with their answers, to be replayed by <see cref="ReplayChatClient"/>.</summary>
public sealed class RecordingChatClient(IChatClient innerClient) : DelegatingChatClient(innerClient)
{
    private readonly Lock gate = new();
    private readonly List<RecordedExchange> exchanges = [];

    /// <summary>How many exchanges were recorded. Failed requests are not.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return exchanges.Count;
        }
    }

    /// <summary>Writes what was recorded, an exchange a line, ordered by request so that files can be compared; the file appears whole or not at all.</summary>
    public Task SaveAsync(string path, CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            var lines = exchanges.Select(exchange => (exchange.Key, Line: exchange.ToLine())).OrderBy(exchange => exchange.Key, StringComparer.Ordinal);
            return AtomicFile.WriteTextAsync(path, string.Concat(lines.Select(exchange => exchange.Line + "\n")), cancellationToken);
        }
    }

    /// <inheritdoc/>
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ChatMessage[] sent = [.. messages];
        var request = RecordedExchange.RequestOf(sent, options);
        var response = await base.GetResponseAsync(sent, options, cancellationToken).ConfigureAwait(false);
        Keep(request, response);
        return response;
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ChatMessage[] sent = [.. messages];
        var request = RecordedExchange.RequestOf(sent, options);
        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in base.GetStreamingResponseAsync(sent, options, cancellationToken).ConfigureAwait(false))
        {
            updates.Add(update);
            yield return update;
        }

        Keep(request, updates.ToChatResponse());
    }

    private void Keep(string request, ChatResponse response)
    {
        lock (gate)
            exchanges.Add(RecordedExchange.Of(request, response));
    }
}
