using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>One call whose answer is told while it arrives. What was told is set right in the end, so that it always equals what was parsed.</summary>
internal sealed class StreamedCall(ChannelWriter<RunEvent> events, string path, int ordinal, FieldStreamReader? reader)
{
    private readonly Dictionary<string, StringBuilder> told = new(StringComparer.Ordinal);
    private readonly HashSet<string> ended = new(StringComparer.Ordinal);
    private readonly List<FieldChunk> chunks = [];

    /// <summary>Reads the whole stream and tells its fields; gives the assembled response.</summary>
    public async Task<ChatResponse> ReadAsync(IAsyncEnumerable<ChatResponseUpdate> updates, CancellationToken cancellationToken)
    {
        var all = new List<ChatResponseUpdate>();
        await foreach (var update in updates.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            all.Add(update);
            foreach (var content in update.Contents)
                await TellAsync(content, cancellationToken).ConfigureAwait(false);
        }

        reader?.Complete(chunks);
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        return all.ToChatResponse();
    }

    /// <summary>The answer could not be read: everything told of it is taken back.</summary>
    public async ValueTask TakeBackAsync(CancellationToken cancellationToken)
    {
        foreach (var field in told.Keys)
            await events.WriteAsync(new FieldReset(path, ordinal, field), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The answer was read: fields that were told otherwise, or not to the end, or not at all, are told as they were read.</summary>
    public async ValueTask SettleAsync(Signature signature, FieldMap outputs, CancellationToken cancellationToken)
    {
        foreach (var field in signature.Outputs)
        {
            if (!outputs.TryGetValue(field.Name, out var value))
                continue;
            var isTold = told.TryGetValue(field.Name, out var text);
            if (isTold && ended.Contains(field.Name) && Says(text!, field, value))
                continue;
            if (isTold)
                await events.WriteAsync(new FieldReset(path, ordinal, field.Name), cancellationToken).ConfigureAwait(false);
            if (value is null && !isTold)
                continue;
            var formatted = ValueFormatter.Format(value, field.Type);
            await events.WriteAsync(new FieldDelta(path, ordinal, field.Name, formatted, IsLast: true), cancellationToken).ConfigureAwait(false);
        }
    }

    // What was told of a text is the text itself; of other values it is what the value is read from.
    private bool Says(StringBuilder text, SignatureField field, object? value) => value is string whole ? text.Equals(whole)
        : (value is null && text.Length == 0)
            || (reader!.TryRead(field, text.ToString(), out var read) && (FieldMap.ValuesEqual(read, value) || JsonText.Write(read) == JsonText.Write(value)));

    private async ValueTask TellAsync(AIContent content, CancellationToken cancellationToken)
    {
        switch (content)
        {
            case TextReasoningContent { Text.Length: > 0 } thought:
                await events.WriteAsync(new ReasoningDelta(path, ordinal, thought.Text), cancellationToken).ConfigureAwait(false);
                break;
            case FunctionCallContent request:
                await events.WriteAsync(new ToolCallRequested(path, ordinal, request), cancellationToken).ConfigureAwait(false);
                break;
            case TextContent { Text.Length: > 0 } text when reader is not null:
                reader.Append(text.Text, chunks);
                await FlushAsync(cancellationToken).ConfigureAwait(false);
                break;
            default:
                break;
        }
    }

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        foreach (var chunk in chunks)
        {
            if (!told.TryGetValue(chunk.Field, out var text))
                told.Add(chunk.Field, text = new());
            text.Append(chunk.Text);
            if (chunk.IsLast)
                ended.Add(chunk.Field);
            await events.WriteAsync(new FieldDelta(path, ordinal, chunk.Field, chunk.Text, chunk.IsLast), cancellationToken).ConfigureAwait(false);
        }

        chunks.Clear();
    }
}
