using System.Text.Encodings.Web;
using System.Text.Json;

namespace Hone.Optimizers;

/// <summary>Appends what happens in optimizer runs to a file, a JSON object a line: the time, the kind of event, what it says.</summary>
/// <remarks>A line is in the file when the event has been taken. Several runs, one after the other, may share a file.</remarks>
public sealed class JsonLinesTracker : IOptimizationTracker
{
    private static readonly JsonWriterOptions Lines = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string path;
    private readonly TimeProvider time;

    /// <summary>Creates a tracker.</summary>
    /// <param name="path">The file; it and its directory are made when they are not there.</param>
    /// <param name="time">The clock of the lines; the system's by default.</param>
    public JsonLinesTracker(string path, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        (this.path, this.time) = (Path.GetFullPath(path), time ?? TimeProvider.System);
    }

    /// <inheritdoc/>
    public async ValueTask RecordAsync(OptimizerEvent happened, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(happened);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Lines))
        {
            json.WriteStartObject();
            json.WriteString("time", time.GetUtcNow());
            EventJson.Write(json, happened);
            json.WriteEndObject();
        }

        buffer.WriteByte((byte)'\n');
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
        await using (file.ConfigureAwait(false))
            await file.WriteAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), cancellationToken).ConfigureAwait(false);
    }
}
