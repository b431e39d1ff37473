using System.Collections.Immutable;
using System.IO.Compression;
using System.Runtime.CompilerServices;

namespace Hone;

/// <summary>
/// Reads rows of files as a stream: JSON Lines, CSV and TSV, JSON arrays; each also as <c>.gz</c>. Nothing is kept, so that files may be larger than memory.
/// </summary>
public static class DataFiles
{
    private static readonly CsvOptions Tabs = new() { Delimiter = '\t' };

    /// <summary>The rows of a file; the format follows from its name.</summary>
    /// <param name="path">The file.</param>
    /// <param name="readers">Readers of further formats, asked first.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="HoneException">The format is not known.</exception>
    /// <exception cref="DataFileException">The file is broken; the message says where.</exception>
    public static IAsyncEnumerable<DataRow> ReadAsync(string path, ImmutableArray<IRowReader> readers = default, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!readers.IsDefault && readers.FirstOrDefault(reader => reader.CanRead(path)) is { } own)
            return own.ReadAsync(path, cancellationToken);
        return FormatOf(path) switch
        {
            ".jsonl" or ".ndjson" => ReadJsonLinesAsync(path, cancellationToken),
            ".csv" => ReadCsvAsync(path, null, cancellationToken),
            ".tsv" => ReadCsvAsync(path, Tabs, cancellationToken),
            ".json" => ReadJsonAsync(path, cancellationToken),
            ".parquet" => throw new HoneException($"{path} is a Parquet file: pass ParquetRows.Reader of the package Hone.Datasets.Parquet."),
            ".arrow" => throw new HoneException($"{path} is an Arrow file, which has no reader here: export it as Parquet or JSON Lines."),
            var other => throw new HoneException($"{path} ends in '{other}'. Formats: .jsonl, .ndjson, .csv, .tsv, .json, each also with .gz, and those of readers that are passed."),
        };
    }

    /// <summary>The objects of a file with one in each line; empty lines are skipped.</summary>
    /// <exception cref="DataFileException">A line is not a JSON object; the message has line and column.</exception>
    public static async IAsyncEnumerable<DataRow> ReadJsonLinesAsync(string path, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var reader = new StreamReader(Open(path));
        await foreach (var row in JsonRows.ReadLinesAsync(reader, path, cancellationToken).ConfigureAwait(false))
            yield return row;
    }

    /// <summary>The objects of a file with one array of them.</summary>
    /// <exception cref="DataFileException">The file is not an array of objects; the message has line and column.</exception>
    public static async IAsyncEnumerable<DataRow> ReadJsonAsync(string path, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var stream = Open(path);
        await using (stream.ConfigureAwait(false))
        {
            await foreach (var row in JsonRows.ReadArrayAsync(stream, path, cancellationToken).ConfigureAwait(false))
                yield return row;
        }
    }

    /// <summary>The records of a CSV file (RFC 4180); all values are texts.</summary>
    /// <exception cref="DataFileException">A quote does not end, or a record has too few or too many cells; the message has line and column.</exception>
    public static async IAsyncEnumerable<DataRow> ReadCsvAsync(
        string path, CsvOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var reader = new StreamReader(Open(path));
        await foreach (var row in CsvRows.ReadAsync(reader, path, options ?? new(), cancellationToken).ConfigureAwait(false))
            yield return row;
    }

    /// <summary>As <see cref="ReadCsvAsync(string, CsvOptions?, CancellationToken)"/>, from any text.</summary>
    /// <param name="reader">The text; it is not disposed.</param>
    /// <param name="name">What errors call it.</param>
    /// <param name="options">Delimiter and columns.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    public static IAsyncEnumerable<DataRow> ReadCsvAsync(TextReader reader, string name, CsvOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return CsvRows.ReadAsync(reader, name, options ?? new(), cancellationToken);
    }

    /// <summary>As <see cref="ReadJsonLinesAsync(string, CancellationToken)"/>, from any text.</summary>
    /// <param name="reader">The text; it is not disposed.</param>
    /// <param name="name">What errors call it.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    public static IAsyncEnumerable<DataRow> ReadJsonLinesAsync(TextReader reader, string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return JsonRows.ReadLinesAsync(reader, name, cancellationToken);
    }

    /// <summary>Writes rows as JSON Lines; the file appears whole or not at all.</summary>
    public static Task WriteJsonLinesAsync(string path, IEnumerable<FieldMap> rows, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return AtomicFile.WriteAsync(
            path,
            async (stream, token) =>
            {
                var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
                await using (writer.ConfigureAwait(false))
                {
                    foreach (var row in rows)
                        await writer.WriteLineAsync(JsonText.Write(row).AsMemory(), token).ConfigureAwait(false);
                }
            },
            cancellationToken);
    }

    internal static string FormatOf(string path)
    {
        var ending = Path.GetExtension(path).ToLowerInvariant();
        return ending == ".gz" ? Path.GetExtension(Path.GetFileNameWithoutExtension(path)).ToLowerInvariant() : ending;
    }

    private static Stream Open(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, useAsync: true);
        return path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : file;
    }
}
