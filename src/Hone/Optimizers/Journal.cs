using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Hone.Optimizers;

/// <summary>An append-only file of JSON lines. A line is on disk when its append returns; a half-written last line is dropped on opening.</summary>
internal sealed class Journal : IDisposable
{
    private static readonly JsonWriterOptions Lines = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly FileStream stream;
    private readonly ArrayBufferWriter<byte> buffer = new(4096);
    private readonly Utf8JsonWriter writer;

    private Journal(FileStream stream)
    {
        this.stream = stream;
        writer = new(buffer, Lines);
    }

    /// <summary>Opens or creates a journal and reads its whole lines; anything after them is cut off.</summary>
    public static (Journal Journal, IReadOnlyList<JsonElement> Entries) Open(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var entries = new List<JsonElement>();
        var start = 0;
        for (var end = Array.IndexOf(bytes, (byte)'\n'); end >= 0; end = Array.IndexOf(bytes, (byte)'\n', start))
        {
            entries.Add(Parse(path, entries.Count, bytes.AsMemory(start, end - start)));
            start = end + 1;
        }

        stream.SetLength(start);
        stream.Position = start;
        return (new(stream), entries);
    }

    public void Append<T>(T entry, JsonTypeInfo<T> type)
    {
        stream.Write(JsonSerializer.SerializeToUtf8Bytes(entry, type));
        stream.WriteByte((byte)'\n');
        stream.Flush(flushToDisk: true);
    }

    /// <summary>Appends a line that is the operating system's when this returns: it outlives the process. <see cref="Flush"/> makes it outlive the machine.</summary>
    /// <param name="members">Writes the members of the line's object; the writer and its buffer are the journal's and used again.</param>
    public void Append(Action<Utf8JsonWriter> members)
    {
        buffer.ResetWrittenCount();
        writer.Reset();
        writer.WriteStartObject();
        members(writer);
        writer.WriteEndObject();
        writer.Flush();
        buffer.Write("\n"u8);
        stream.Write(buffer.WrittenSpan);
        stream.Flush();
    }

    /// <summary>Forces what was appended onto the disk.</summary>
    public void Flush() => stream.Flush(flushToDisk: true);

    /// <summary>Replaces the content by the given lines: what a resumed run keeps.</summary>
    public void Rewrite(IEnumerable<JsonElement> entries)
    {
        stream.SetLength(0);
        foreach (var entry in entries)
            stream.Write(Encoding.UTF8.GetBytes(entry.GetRawText() + "\n"));
        stream.Flush(flushToDisk: true);
    }

    public void Dispose()
    {
        writer.Dispose();
        stream.Dispose();
    }

    private static JsonElement Parse(string path, int line, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.Clone();
        }
        catch (JsonException error)
        {
            throw new HoneException($"{path}, line {line + 1} is not JSON: {error.Message} Remove the run directory or restore the line.", error);
        }
    }
}
