using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Hone.Testing;

/// <summary>
/// Answers from a file that <see cref="RecordingChatClient"/> wrote; no model is asked. Equal requests get their recorded answers in turn. A request that was
/// not recorded, or not so often, is an error.
/// </summary>
public sealed class ReplayChatClient : IChatClient
{
    private readonly Lock gate = new();
    private readonly string file;
    private readonly Dictionary<string, Queue<ChatResponse>> answers;

    private ReplayChatClient(string file, Dictionary<string, Queue<ChatResponse>> answers) => (this.file, this.answers) = (file, answers);

    /// <summary>How many recorded answers were not asked for yet.</summary>
    public int RemainingCount
    {
        get
        {
            lock (gate)
                return answers.Values.Sum(queue => queue.Count);
        }
    }

    /// <summary>Reads a file of exchanges.</summary>
    /// <exception cref="HoneException">A line is no exchange.</exception>
    public static async Task<ReplayChatClient> OpenAsync(string path, CancellationToken cancellationToken = default)
    {
        var answers = new Dictionary<string, Queue<ChatResponse>>(StringComparer.Ordinal);
        var number = 0;
        foreach (var line in await File.ReadAllLinesAsync(path, cancellationToken).ConfigureAwait(false))
        {
            number++;
            if (line.Length == 0)
                continue;
            var exchange = RecordedExchange.Parse(line, path, number);
            if (!answers.TryGetValue(exchange.Key, out var queue))
                answers.Add(exchange.Key, queue = new());
            queue.Enqueue(exchange.Response);
        }

        return new(path, answers);
    }

    /// <inheritdoc/>
    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ChatMessage[] sent = [.. messages];
        lock (gate)
        {
            if (!answers.TryGetValue(RecordedExchange.KeyOf(RecordedExchange.RequestOf(sent, options)), out var queue))
                throw Miss(sent, options, "was not recorded: the prompt, the options or the program changed");
            return queue.TryDequeue(out var response) ? Task.FromResult(response) : throw Miss(sent, options, "is made more often than it was recorded");
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false)).ToChatResponseUpdates())
            yield return update;
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("replay", null, "replay") : serviceType?.IsInstanceOfType(this) == true ? this : null;

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private HoneException Miss(ChatMessage[] messages, ChatOptions? options, string why)
    {
        var last = messages.Length == 0 ? string.Empty : messages[^1].Text;
        return new($"A request of '{(options as HoneChatOptions)?.Path ?? "no predictor"}' {why}. Record {file} again. Last message: {(last.Length > 300 ? last[..300] + "..." : last)}");
    }
}
