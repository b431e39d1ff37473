using System.Collections;
using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using Parquet;
using Parquet.Serialization;

namespace Hone;

/// <summary>Reads rows of Parquet files, one row group in memory at a time; nested columns become lists and maps.</summary>
public sealed class ParquetRows : IRowReader
{
    private static readonly ParquetOptions Options = new();

    private ParquetRows()
    {
    }

    /// <summary>The reader, to be passed to <see cref="DataFiles.ReadAsync"/> and <see cref="HubDataset.Open"/>.</summary>
    public static IRowReader Reader { get; } = new ParquetRows();

    /// <inheritdoc/>
    public bool CanRead(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return path.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<DataRow> ReadAsync(string path, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, useAsync: true);
        await using (stream.ConfigureAwait(false))
        {
            var (groups, columns) = await LayoutAsync(stream, path, cancellationToken).ConfigureAwait(false);
            long number = 0;
            for (var group = 0; group < groups; group++)
            {
                stream.Position = 0;
                foreach (var row in await GroupAsync(stream, path, group, number + 1, cancellationToken).ConfigureAwait(false))
                    yield return new(Row(row, columns), new(path, ++number, IsRecord: true));
            }
        }
    }

    private static async Task<(int Groups, string[] Columns)> LayoutAsync(Stream stream, string path, CancellationToken cancellationToken)
    {
        try
        {
            var reader = await ParquetReader.CreateAsync(stream, Options, leaveStreamOpen: true, cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
                return (reader.RowGroupCount, [.. reader.Schema.Fields.Select(field => field.Name)]);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            throw new DataFileException($"this is no Parquet file that can be read ({error.Message.TrimEnd('.')})", new(path, 1, IsRecord: true), 0, error);
        }
    }

    private static async Task<IEnumerable<IDictionary<string, object?>>> GroupAsync(
        Stream stream, string path, int group, long first, CancellationToken cancellationToken)
    {
        try
        {
            var rows = await ParquetSerializer.DeserializeUntypedAsync(stream, Options, group, cancellationToken).ConfigureAwait(false);
            return rows.Data!;
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            throw new DataFileException($"row group {group} cannot be read ({error.Message.TrimEnd('.')})", new(path, first, IsRecord: true), 0, error);
        }
    }

    // The library leaves nulls out; a row has all columns, in the file's order.
    private static FieldMap Row(IDictionary<string, object?> row, string[] columns) =>
        FieldMap.Create([.. columns.Select(column => KeyValuePair.Create(column, Canonical(row.TryGetValue(column, out var value) ? value : null)))]);

    private static FieldMap Fields(IEnumerable<KeyValuePair<string, object?>> row) => FieldMap.Create([.. row.Select(cell => KeyValuePair.Create(cell.Key, Canonical(cell.Value)))]);

    private static object? Canonical(object? value) => value switch
    {
        null or string or bool or long or double or decimal or BigInteger or byte[] or DateOnly or TimeOnly or TimeSpan or Guid => value,
        sbyte or byte or short or ushort or int or uint => Convert.ToInt64(value, CultureInfo.InvariantCulture),
        ulong number => number <= long.MaxValue ? (object)(long)number : new BigInteger(number),
        float number => double.Parse(number.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
        DateTime time => new DateTimeOffset(time.Kind == DateTimeKind.Unspecified ? DateTime.SpecifyKind(time, DateTimeKind.Utc) : time),
        ReadOnlyMemory<char> text => text.ToString(),
        ReadOnlyMemory<byte> bytes => bytes.ToArray(),
        IDictionary<string, object?> map => Fields(map),
        IDictionary map => FieldMap.Create([.. map.Cast<DictionaryEntry>().Select(entry => KeyValuePair.Create($"{entry.Key}", Canonical(entry.Value)))]),
        IEnumerable list => list.Cast<object?>().Select(Canonical).ToImmutableArray(),
        _ => value.ToString(),
    };
}
