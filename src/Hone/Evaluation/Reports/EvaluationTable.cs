using System.Globalization;

namespace Hone;

/// <summary>
/// An evaluation as rows and named columns: the example's fields, the prediction's fields, the score and its parts, what failed. A name that both have is
/// told apart by <c>example_</c> and <c>pred_</c>. Columns are the union over all rows, in order of first appearance.
/// </summary>
internal sealed class EvaluationTable
{
    private readonly Dictionary<string, int> positions = new(StringComparer.Ordinal);

    private EvaluationTable()
    {
    }

    public List<string> Columns { get; } = [];

    /// <summary>Canonical values by column; a column that a row lacks is absent.</summary>
    public List<FieldMap> Rows { get; } = [];

    public static EvaluationTable Of<TIn, TOut>(EvaluationResult<TIn, TOut> result, string metricName)
    {
        var table = new EvaluationTable();
        var examples = result.Rows.Select(row => ExampleFields(row.Example)).ToList();
        var predictions = result.Rows.Select(row => row.Value is null ? FieldMap.Empty : Fields(row.Value, "prediction")).ToList();
        var inExamples = examples.SelectMany(fields => fields.Keys).ToHashSet(StringComparer.Ordinal);
        var inPredictions = predictions.SelectMany(fields => fields.Keys).ToHashSet(StringComparer.Ordinal);
        for (var i = 0; i < result.Rows.Length; i++)
        {
            var cells = new List<KeyValuePair<string, object?>>();
            if (result.Rows[i].Example.Id is { } id)
                cells.Add(new("id", id));
            cells.AddRange(examples[i].Select(field => KeyValuePair.Create(inPredictions.Contains(field.Key) ? $"example_{field.Key}" : field.Key, field.Value)));
            cells.AddRange(predictions[i].Select(field => KeyValuePair.Create(inExamples.Contains(field.Key) ? $"pred_{field.Key}" : field.Key, field.Value)));
            table.Add(cells, Outcome(result.Rows[i], metricName));
        }

        table.Order(metricName);
        return table;
    }

    /// <summary>A cell on one line of text.</summary>
    public static string Text(object? value) => value switch
    {
        null => string.Empty,
        string text => text,
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        _ => JsonText.Write(value),
    };

    private static IEnumerable<KeyValuePair<string, object?>> Outcome<TIn, TOut>(EvaluationRow<TIn, TOut> row, string metricName)
    {
        yield return new(metricName, row.Score.Value);
        foreach (var (name, value) in row.Score.Parts)
            yield return new($"{metricName}.{name}", value);
        if (row.Score.Feedback is { } feedback)
            yield return new("feedback", feedback);
        if (row.Error is { } error)
            yield return new("error", $"{error.GetType().Name}: {error.Message}");
    }

    private static FieldMap ExampleFields<TIn, TOut>(Example<TIn, TOut> example)
    {
        var fields = example.Input is null ? FieldMap.Empty : Fields(example.Input, "input");
        foreach (var (name, value) in example.Expected is null ? FieldMap.Empty : Fields(example.Expected, "expected"))
            fields = fields.With(fields.ContainsKey(name) ? $"expected_{name}" : name, value);
        foreach (var (name, value) in example.Labels)
            fields = fields.With(fields.ContainsKey(name) ? $"label_{name}" : name, value);
        return fields;
    }

    private static FieldMap Fields(object value, string nameOfScalar)
    {
        if (value is FieldMap map)
            return map;
        if (value is string || !ClrReflection.CanRead(value.GetType()))
            return FieldMap.Of((nameOfScalar, $"{value}"));
        try
        {
            return ClrValues.ToCanonical(value) is var canonical && canonical is FieldMap fields ? fields : FieldMap.Of((nameOfScalar, canonical));
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // A type of the user's own that cannot be taken apart: an evaluation that was paid for must still be written.
            return FieldMap.Of((nameOfScalar, $"{value}"));
        }
    }

    // Names of the outcome stay as they are; a field of the user's that is named alike gives way.
    private void Add(List<KeyValuePair<string, object?>> cells, IEnumerable<KeyValuePair<string, object?>> outcome)
    {
        var last = outcome.ToList();
        var taken = last.Select(cell => cell.Key).Append("error").Append("feedback").ToHashSet(StringComparer.Ordinal);
        var row = FieldMap.Create([.. cells.Select(cell => taken.Contains(cell.Key) ? KeyValuePair.Create($"field_{cell.Key}", cell.Value) : cell), .. last]);
        foreach (var name in row.Keys)
        {
            if (positions.TryAdd(name, Columns.Count))
                Columns.Add(name);
        }

        Rows.Add(row);
    }

    // What the metric said stands behind the fields, even of rows that only later ones add.
    private void Order(string metricName)
    {
        int Rank(string name) => name == metricName ? 1 : name.StartsWith(metricName + ".", StringComparison.Ordinal) ? 2 : name is "feedback" ? 3 : name is "error" ? 4 : 0;
        var sorted = Columns.OrderBy(Rank).ThenBy(name => positions[name]).ToList();
        Columns.Clear();
        Columns.AddRange(sorted);
    }
}
