using System.Globalization;
using System.Text;

namespace Hone;

/// <summary>A table of an evaluation as text: columns side by side, long cells cut.</summary>
internal static class ConsoleTable
{
    public static void Write(TextWriter writer, EvaluationTable table, EvaluationTableOptions options)
    {
        var shown = Math.Min(table.Rows.Count, options.MaxRows);
        string[] columns = [.. table.Columns.Where(column => column is not "feedback" || options.ShowFeedback)];
        var lines = new List<string[]> { columns };
        lines.AddRange(table.Rows.Take(shown).Select(row => columns.Select(column => Cell(row, column, options)).ToArray()));
        int[] widths = [.. columns.Select((_, index) => lines.Max(line => Width(line[index])))];
        WriteLine(writer, lines[0], widths);
        writer.WriteLine(string.Join("  ", widths.Select(width => new string('-', width))));
        foreach (var line in lines.Skip(1))
            WriteLine(writer, line, widths);
        if (shown < table.Rows.Count)
            writer.WriteLine(FormattableString.Invariant($"... {table.Rows.Count - shown} more rows"));
    }

    /// <summary>The value of a column in words, cut as the options say; empty where the row has none.</summary>
    public static string Cell(FieldMap row, string column, EvaluationTableOptions options)
    {
        if (!row.TryGetValue(column, out var value))
            return string.Empty;
        if (value is double score && (column == options.MetricName || column.StartsWith(options.MetricName + ".", StringComparison.Ordinal)))
            return score.ToString("0.000", CultureInfo.InvariantCulture);
        return Cut(EvaluationTable.Text(value), options);
    }

    /// <summary>A text on one line, cut as the options say.</summary>
    public static string Cut(string text, EvaluationTableOptions options)
    {
        var words = text.Split((char[]?)null, options.MaxWords + 1, StringSplitOptions.RemoveEmptyEntries);
        var isCut = words.Length > options.MaxWords;
        var cell = string.Join(' ', isCut ? words[..options.MaxWords] : words);
        var elements = StringInfo.ParseCombiningCharacters(cell);
        if (elements.Length > options.MaxWidth)
            return cell[..elements[options.MaxWidth]] + "...";
        return isCut ? cell + "..." : cell;
    }

    private static void WriteLine(TextWriter writer, string[] cells, int[] widths)
    {
        var line = new StringBuilder();
        for (var i = 0; i < cells.Length; i++)
            line.Append(i == 0 ? "" : "  ").Append(cells[i]).Append(' ', widths[i] - Width(cells[i]));
        writer.WriteLine(line.ToString().TrimEnd());
    }

    private static int Width(string text) => new StringInfo(text).LengthInTextElements;
}
