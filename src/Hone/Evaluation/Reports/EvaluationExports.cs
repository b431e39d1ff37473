using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace Hone;

/// <summary>Evaluations as text tables, CSV, JSON, Markdown and HTML. Files appear whole or not at all.</summary>
public static class EvaluationExports
{
    private const string DefaultMetricName = "score";
    private const string RunFields = "run";

    /// <summary>Writes a table and, under it, mean, interval and failures.</summary>
    public static void WriteTable<TIn, TOut>(this EvaluationResult<TIn, TOut> result, TextWriter writer, EvaluationTableOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(result);
        ArgumentNullException.ThrowIfNull(writer);
        options ??= new();
        ConsoleTable.Write(writer, EvaluationTable.Of(result, options.MetricName), options);
        writer.WriteLine();
        writer.WriteLine(result.ToString());
    }

    /// <summary>Writes rows as CSV (RFC 4180, UTF-8). Columns are the union over all rows, so that a failed first row loses nothing.</summary>
    public static Task SaveCsvAsync<TIn, TOut>(
        this EvaluationResult<TIn, TOut> result, string path, string metricName = DefaultMetricName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(result);
        var table = EvaluationTable.Of(result, metricName);
        var text = new StringBuilder();
        CsvWriter.AppendLine(text, table.Columns);
        foreach (var row in table.Rows)
            CsvWriter.AppendLine(text, table.Columns.Select(column => row.TryGetValue(column, out var value) ? EvaluationTable.Text(value) : string.Empty));
        return AtomicFile.WriteTextAsync(path, text.ToString(), cancellationToken);
    }

    /// <summary>Writes mean, interval, usage, cost and time, and the rows with their values, the same of each under <c>run</c>, as JSON.</summary>
    public static Task SaveJsonAsync<TIn, TOut>(
        this EvaluationResult<TIn, TOut> result, string path, string metricName = DefaultMetricName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(result);
        var table = EvaluationTable.Of(result, metricName);
        return AtomicFile.WriteAsync(
            path,
            async (stream, token) =>
            {
                var writer = new Utf8JsonWriter(stream, new() { Indented = true });
                await using (writer.ConfigureAwait(false))
                {
                    WriteJson(writer, result, table);
                    await writer.FlushAsync(token).ConfigureAwait(false);
                }
            },
            cancellationToken);
    }

    /// <summary>Writes a summary and a table of rows as Markdown, e.g. for a pull request. Markup in what models wrote is escaped.</summary>
    public static Task SaveMarkdownAsync<TIn, TOut>(
        this EvaluationResult<TIn, TOut> result, string path, string title = "Evaluation", EvaluationTableOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(result);
        ArgumentNullException.ThrowIfNull(title);
        return AtomicFile.WriteTextAsync(path, EvaluationMarkdown.Of(result, title, options ?? new()), cancellationToken);
    }

    /// <summary>Writes both means, the gain and its interval, and a table of the examples that changed, losses first, as Markdown.</summary>
    public static Task SaveMarkdownAsync<TIn, TOut>(
        this ProgramComparison<TIn, TOut> comparison, string path, string title = "Comparison", EvaluationTableOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(comparison);
        ArgumentNullException.ThrowIfNull(title);
        return AtomicFile.WriteTextAsync(path, EvaluationMarkdown.Of(comparison, title, options ?? new()), cancellationToken);
    }

    /// <summary>Writes a page that needs no other file: means, the spread of scores, every row, with what went wrong.</summary>
    public static Task SaveHtmlAsync<TIn, TOut>(
        this EvaluationResult<TIn, TOut> result, string path, string title = "Evaluation", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(result);
        ArgumentNullException.ThrowIfNull(title);
        return AtomicFile.WriteTextAsync(path, EvaluationPage.Of(result, title), cancellationToken);
    }

    /// <summary>Writes a page that needs no other file: both means, the gain and its interval, and the examples that changed.</summary>
    public static Task SaveHtmlAsync<TIn, TOut>(
        this ProgramComparison<TIn, TOut> comparison, string path, string title = "Comparison", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(comparison);
        ArgumentNullException.ThrowIfNull(title);
        return AtomicFile.WriteTextAsync(path, EvaluationPage.Of(comparison, title), cancellationToken);
    }

    private static void WriteJson<TIn, TOut>(Utf8JsonWriter writer, EvaluationResult<TIn, TOut> result, EvaluationTable table)
    {
        writer.WriteStartObject();
        WriteNumber(writer, "mean", result.Mean);
        writer.WriteStartArray("interval");
        WriteValue(writer, result.Interval.Low);
        WriteValue(writer, result.Interval.High);
        writer.WriteEndArray();
        writer.WriteNumber("count", result.Rows.Length);
        writer.WriteNumber("failures", result.FailureCount);
        writer.WriteNumber("format_failures", result.FormatFailureCount);
        writer.WriteNumber("calls", result.Usage.Calls);
        writer.WriteNumber("tokens", result.Usage.TotalTokens);
        writer.WriteNumber("cost", result.Usage.Cost);
        writer.WriteNumber("seconds", result.Rows.Sum(row => row.Duration.TotalSeconds));
        writer.WriteStartObject("parts");
        foreach (var (name, mean) in result.PartMeans)
            WriteNumber(writer, name, mean);
        writer.WriteEndObject();
        writer.WriteStartArray("rows");
        for (var i = 0; i < table.Rows.Count; i++)
            WriteRow(writer, result.Rows[i], table.Rows[i]);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    // Fields are the user's own names; what the run took has names of its own beside them.
    private static void WriteRow<TIn, TOut>(Utf8JsonWriter writer, EvaluationRow<TIn, TOut> row, FieldMap fields)
    {
        var taken = FieldMap.Of(("calls", row.Usage.Calls), ("tokens", row.Usage.TotalTokens), ("cost", row.Usage.Cost), ("seconds", row.Duration.TotalSeconds));
        writer.WriteRawValue(JsonText.Write(Finite(fields.With(fields.ContainsKey(RunFields) ? $"{RunFields}_" : RunFields, taken))));
    }

    /// <summary>A value that JSON can hold: of numbers that it does not know the text, since an evaluation that was paid for must not be lost over one.</summary>
    internal static object? Finite(object? value) => value switch
    {
        double number when !double.IsFinite(number) => EvaluationTable.Text(number),
        ImmutableArray<object?> list => ImmutableArray.CreateRange(list, Finite),
        FieldMap map => FieldMap.Create(map.Select(field => KeyValuePair.Create(field.Key, Finite(field.Value)))),
        _ => value,
    };

    private static void WriteNumber(Utf8JsonWriter writer, string name, double value)
    {
        writer.WritePropertyName(name);
        WriteValue(writer, value);
    }

    private static void WriteValue(Utf8JsonWriter writer, double value)
    {
        if (double.IsFinite(value))
            writer.WriteNumberValue(value);
        else
            writer.WriteNullValue();
    }
}
