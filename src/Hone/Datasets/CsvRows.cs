using System.Runtime.CompilerServices;
using System.Text;

namespace Hone;

/// <summary>Records of CSV as RFC 4180 has them; line ends of every kind, quoted line breaks, a byte order mark.</summary>
internal sealed class CsvRows
{
    private readonly TextReader reader;
    private readonly string name;
    private readonly char delimiter;
    private readonly char[] buffer = new char[1 << 14];
    private readonly StringBuilder cell = new();
    private int position;
    private int length;
    private long line = 1;
    private int column;
    private bool skipsNewLine;

    private CsvRows(TextReader reader, string name, char delimiter) => (this.reader, this.name, this.delimiter) = (reader, name, delimiter);

    public static async IAsyncEnumerable<DataRow> ReadAsync(
        TextReader reader, string name, CsvOptions options, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var file = new CsvRows(reader, name, options.Delimiter);
        string[]? header = options.Columns.IsDefaultOrEmpty ? null : [.. options.Columns];
        while (true)
        {
            var place = new DataPlace(name, file.CurrentLine);
            if (await file.RecordAsync(cancellationToken).ConfigureAwait(false) is not { } cells)
                yield break;
            if (header is null)
                header = Header(cells, place);
            else if (cells is not [""] || header.Length == 1)
                yield return new(Row(header, cells, place), place);
        }
    }

    private long CurrentLine => line;

    private static string[] Header(List<string> cells, DataPlace place)
    {
        var header = cells.Select(name => name.TrimStart('\uFEFF').Trim()).ToArray();
        if (header.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new DataFileException($"the header has the column '{twice.Key}' twice", place);
        return header;
    }

    private static FieldMap Row(string[] header, List<string> cells, DataPlace place)
    {
        if (cells.Count != header.Length)
            throw new DataFileException($"the record has {cells.Count} cells, and the header {header.Length} columns", place);
        var pairs = new KeyValuePair<string, object?>[header.Length];
        for (var i = 0; i < pairs.Length; i++)
            pairs[i] = new(header[i], cells[i]);
        return FieldMap.Adopt(pairs);
    }

    // Null at the end of the file.
    private async ValueTask<List<string>?> RecordAsync(CancellationToken cancellationToken)
    {
        var next = await NextAsync(cancellationToken).ConfigureAwait(false);
        if (next < 0)
            return null;
        var cells = new List<string>();
        while (true)
        {
            cell.Clear();
            if (next == '"')
                next = await QuotedAsync(cancellationToken).ConfigureAwait(false);
            else
            {
                while (next >= 0 && next != delimiter && next is not ('\n' or '\r'))
                {
                    cell.Append((char)next);
                    next = await NextAsync(cancellationToken).ConfigureAwait(false);
                }
            }

            cells.Add(cell.ToString());
            if (next != delimiter)
            {
                EndLine(next);
                return cells;
            }

            next = await NextAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    // Behind the opening quote; returns what follows the closing one.
    private async ValueTask<int> QuotedAsync(CancellationToken cancellationToken)
    {
        var (place, start) = (new DataPlace(name, line), column);
        while (true)
        {
            var next = await NextAsync(cancellationToken).ConfigureAwait(false);
            if (next < 0)
                throw new DataFileException("the quote that opens here does not end", place, start);
            if (next != '"')
            {
                cell.Append((char)next);
                if (next == '\n')
                    (line, column) = (line + 1, 0);
                continue;
            }

            next = await NextAsync(cancellationToken).ConfigureAwait(false);
            if (next < 0 || next == delimiter || next is '\n' or '\r')
                return next;
            if (next != '"')
                throw new DataFileException("behind a closing quote should be a delimiter or the end of the line; a quote inside a quoted cell is written twice", new(name, line), column);
            cell.Append('"');
        }
    }

    private void EndLine(int next)
    {
        if (next < 0)
            return;
        skipsNewLine = next == '\r';
        (line, column) = (line + 1, 0);
    }

    private async ValueTask<int> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (position == length)
            {
                length = await reader.ReadAsync(buffer.AsMemory(), cancellationToken).ConfigureAwait(false);
                position = 0;
                if (length == 0)
                    return -1;
            }

            var next = buffer[position++];
            if (skipsNewLine)
            {
                skipsNewLine = false;
                if (next == '\n')
                    continue;
            }

            column++;
            return next;
        }
    }
}
