using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Text.Json;

namespace Hone.Engine;

/// <summary>Where a tensor lies in a safetensors file.</summary>
internal sealed record SafetensorsEntry(string Name, WeightFormat Format, int[] Shape, long Offset, long Bytes)
{
    public long Length => Shape.Aggregate(1L, (product, size) => product * size);

    public string ShapeText => $"[{string.Join(", ", Shape)}]";
}

/// <summary>A safetensors file, memory-mapped for reading: an 8-byte length, a JSON header, then the tensors' bytes (little-endian).</summary>
internal sealed unsafe class SafetensorsFile : IDisposable
{
    private const long MaxHeaderBytes = 100_000_000;

    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly UnmanagedMemoryStream? _memory;
    private readonly byte* _data;

    private SafetensorsFile(string path)
    {
        Path = path;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        Entries = ReadHeader(stream);
        var start = stream.Position;
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _data);
        _data += _view.PointerOffset + start;
    }

    private SafetensorsFile(UnmanagedMemoryStream memory, string name)
    {
        (Path, _memory) = (name, memory);
        Entries = ReadHeader(memory);
        _data = memory.PositionPointer;
    }

    public string Path { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries { get; }

    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is not a safetensors file, or a tensor has a format other than F32, F16 and BF16.</exception>
    public static SafetensorsFile Open(string path) => new(path);

    /// <summary>Reads from memory that lies still, such as an embedded resource; disposes the stream at the end.</summary>
    /// <exception cref="InvalidDataException">It is not in the safetensors format.</exception>
    public static SafetensorsFile Open(UnmanagedMemoryStream memory, string name) => new(memory, name);

    /// <summary>Converts a tensor to float32.</summary>
    public void Read(string name, Span<float> target)
    {
        if (!Entries.TryGetValue(name, out var entry)) throw Error($"there is no tensor '{name}'");
        if (entry.Length != target.Length) throw Error($"tensor '{name}' has shape {entry.ShapeText}; expected {target.Length} values");
        StoredRows.Convert(_data + entry.Offset, entry.Format, target);
    }

    /// <summary>Where a tensor's bytes lie; they stay there until the file is disposed.</summary>
    public byte* Pointer(SafetensorsEntry entry) => _data + entry.Offset;

    public void Dispose()
    {
        _view?.SafeMemoryMappedViewHandle.ReleasePointer();
        _view?.Dispose();
        _file?.Dispose();
        _memory?.Dispose();
    }

    // Leaves the stream at the first tensor.
    private Dictionary<string, SafetensorsEntry> ReadHeader(Stream stream)
    {
        Span<byte> prefix = stackalloc byte[8];
        if (stream.ReadAtLeast(prefix, 8, throwOnEndOfStream: false) < 8) throw Error("the file is shorter than 8 bytes");
        var headerLength = BinaryPrimitives.ReadInt64LittleEndian(prefix);
        if (prefix.SequenceEqual("version "u8)) throw Error("it is a Git LFS pointer and not the file itself; fetch it with 'git lfs pull'");
        if (headerLength < 2 || headerLength > MaxHeaderBytes || headerLength > stream.Length - 8)
            throw Error($"the header claims {headerLength} bytes in a file of {stream.Length}");
        var header = new byte[headerLength];
        stream.ReadExactly(header);
        return ParseHeader(header, stream.Length - 8 - headerLength);
    }

    private Dictionary<string, SafetensorsEntry> ParseHeader(byte[] header, long dataLength)
    {
        var entries = new Dictionary<string, SafetensorsEntry>(StringComparer.Ordinal);
        try
        {
            using var document = JsonDocument.Parse(header);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.Name == "__metadata__") continue;
                entries[property.Name] = ParseEntry(property.Name, property.Value, dataLength);
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"'{Path}' is not a safetensors file: {error.Message}", error);
        }

        return entries;
    }

    private SafetensorsEntry ParseEntry(string name, JsonElement element, long dataLength)
    {
        var (format, size) = Required(name, element, "dtype", JsonValueKind.String).GetString() switch
        {
            "F32" => (WeightFormat.Float32, 4),
            "F16" => (WeightFormat.Float16, 2),
            "BF16" => (WeightFormat.BFloat16, 2),
            var other => throw Error($"tensor '{name}' has dtype {other}; expected F32, F16 or BF16 (quantized models are not supported)"),
        };
        int[] shape = [.. Required(name, element, "shape", JsonValueKind.Array).EnumerateArray().Select(item => (int)Whole(name, "shape", item, int.MaxValue))];
        var offsets = Required(name, element, "data_offsets", JsonValueKind.Array);
        if (offsets.GetArrayLength() != 2) throw Error($"tensor '{name}' has {offsets.GetArrayLength()} data_offsets; expected 2");
        var (start, end) = (Whole(name, "data_offsets", offsets[0], long.MaxValue), Whole(name, "data_offsets", offsets[1], long.MaxValue));
        var entry = new SafetensorsEntry(name, format, shape, start, end - start);
        if (end > dataLength || entry.Bytes != entry.Length * size)
            throw Error($"tensor '{name}' {entry.ShapeText} claims the bytes {start} … {end} of {dataLength}; is the file complete?");
        return entry;
    }

    private JsonElement Required(string tensor, JsonElement element, string key, JsonValueKind kind)
    {
        if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(key, out var value))
            throw Error($"tensor '{tensor}' lacks the key '{key}' in the header; expected dtype, shape and data_offsets");
        return value.ValueKind == kind ? value
            : throw Error($"tensor '{tensor}', key '{key}': {value.GetRawText()} is not {(kind == JsonValueKind.Array ? "a list" : "a string")}");
    }

    private long Whole(string tensor, string key, JsonElement value, long most) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= 0 && number <= most ? number
            : throw Error($"tensor '{tensor}', key '{key}': {value.GetRawText()} is not a whole number from 0 to {most}");

    private InvalidDataException Error(string problem) => new($"'{Path}': {problem}.");
}
