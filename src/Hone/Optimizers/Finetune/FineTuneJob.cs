using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone.Optimizers;

/// <summary>An answer to learn: the prompt as the program sends it, and what a good run answered.</summary>
/// <param name="Predictor">The predictor's path.</param>
/// <param name="Prompt">The messages.</param>
/// <param name="Completion">The answer in the program's format.</param>
public sealed record FineTuneRow(string Predictor, IReadOnlyList<ChatMessage> Prompt, string Completion);

/// <summary>What is to be tuned, and on what.</summary>
/// <param name="Name">A name for files and for the tuned model, e.g. <c>all</c> or the predictor's path.</param>
/// <param name="Model">The model to start from; it stays as it is.</param>
/// <param name="Rows">What to learn.</param>
public sealed record FineTuneJob(string Name, LM Model, IReadOnlyList<FineTuneRow> Rows)
{
    /// <summary>Where the provider may keep what it needs to go on after an interruption; null for runs in memory.</summary>
    public string? Directory { get; init; }

    /// <summary>Tells the listeners how the job gets on.</summary>
    public Action<string>? Report { get; init; }
}

/// <summary>Tunes models on answers: in process, or by a service.</summary>
public interface IFineTuneProvider
{
    /// <summary>How many jobs may run at once.</summary>
    int MaxParallelJobs { get; }

    /// <summary>Refuses a model that cannot be tuned, before anything is spent.</summary>
    /// <exception cref="HoneException">The model cannot be tuned here.</exception>
    void Check(LM model);

    /// <summary>Tunes a model.</summary>
    /// <exception cref="HoneException">The job failed.</exception>
    Task<LM> TuneAsync(FineTuneJob job, CancellationToken cancellationToken = default);
}

/// <summary>Rows as the JSON lines that fine-tuning services take: <c>{"messages": [{"role", "content"}, …]}</c>.</summary>
public static class FineTuneData
{
    private static readonly JsonWriterOptions Lines = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a file.</summary>
    /// <exception cref="HoneException">A prompt holds something else than text.</exception>
    public static Task WriteAsync(string path, IReadOnlyList<FineTuneRow> rows, CancellationToken cancellationToken = default) =>
        AtomicFile.WriteAsync(path, (stream, token) => stream.WriteAsync(ToBytes(rows), token).AsTask(), cancellationToken);

    /// <summary>The lines as UTF-8.</summary>
    /// <exception cref="HoneException">A prompt holds something else than text.</exception>
    public static byte[] ToBytes(IReadOnlyList<FineTuneRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        using var stream = new MemoryStream();
        for (var i = 0; i < rows.Count; i++)
        {
            using (var writer = new Utf8JsonWriter(stream, Lines))
            {
                writer.WriteStartObject();
                writer.WriteStartArray("messages");
                foreach (var message in rows[i].Prompt)
                    Write(writer, message, i);
                Write(writer, new(ChatRole.Assistant, rows[i].Completion), i);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            stream.WriteByte((byte)'\n');
        }

        return stream.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, ChatMessage message, int row)
    {
        if (message.Contents.FirstOrDefault(content => content is not TextContent) is { } other)
            throw new HoneException($"Row {row} holds {other.GetType().Name}: only text can be learned from here.");
        writer.WriteStartObject();
        writer.WriteString("role", message.Role.Value);
        writer.WriteString("content", message.Text);
        writer.WriteEndObject();
    }
}
