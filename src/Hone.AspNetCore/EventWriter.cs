using System.Text;
using System.Text.Json;

namespace Hone.AspNetCore;

/// <summary>What happens in a run as server-sent events: the name of an event says what its JSON holds. Each is sent at once.</summary>
internal sealed class EventWriter(Stream body)
{
    /// <summary>Sends an event of a run; those for programmers alone (the record of a call) are left out.</summary>
    public ValueTask WriteAsync(RunEvent happened, CancellationToken cancellationToken) => happened switch
    {
        StatusMessage status => WriteAsync("status", writer => Object(writer, null, () => writer.WriteString("message", status.Message)), cancellationToken),
        FieldDelta delta => WriteAsync(
            "delta",
            writer => Object(writer, delta, () =>
            {
                writer.WriteString("field", delta.Field);
                writer.WriteString("text", delta.Text);
                writer.WriteBoolean("last", delta.IsLast);
            }),
            cancellationToken),
        FieldReset reset => WriteAsync("reset", writer => Object(writer, reset, () => writer.WriteString("field", reset.Field)), cancellationToken),
        ReasoningDelta thought => WriteAsync("reasoning", writer => Object(writer, thought, () => writer.WriteString("text", thought.Text)), cancellationToken),
        ToolCallRequested asked => WriteAsync("tool_call", writer => Object(writer, asked, () => writer.WriteString("name", asked.Request.Name)), cancellationToken),
        ToolCallCompleted answered => WriteAsync(
            "tool_result",
            writer => Object(writer, answered, () =>
            {
                writer.WriteString("name", answered.Result.Name);
                writer.WriteBoolean("is_error", answered.Result.IsError);
            }),
            cancellationToken),
        _ => ValueTask.CompletedTask,
    };

    /// <summary>Sends an event.</summary>
    public async ValueTask WriteAsync(string name, Action<Utf8JsonWriter> write, CancellationToken cancellationToken)
    {
        // JSON has no line breaks of its own, so that it is one line of data.
        await body.WriteAsync(Encoding.UTF8.GetBytes($"event: {name}\ndata: "), cancellationToken).ConfigureAwait(false);
        await body.WriteAsync(JsonAnswer.ToBytes(write), cancellationToken).ConfigureAwait(false);
        await body.WriteAsync("\n\n"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        await body.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private static void Object(Utf8JsonWriter writer, PredictorEvent? of, Action properties)
    {
        writer.WriteStartObject();
        if (of is not null)
        {
            writer.WriteString("path", of.Path);
            writer.WriteNumber("call", of.Call);
        }

        properties();
        writer.WriteEndObject();
    }
}
