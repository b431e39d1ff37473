using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Hone;

/// <summary>
/// The rows of an evaluation on disk, a line of JSON each, appended as they are done. A line that a dying process left half-written is dropped on opening.
/// </summary>
internal sealed class EvaluationRowFile<TIn, TOut> : IDisposable
{
    private const string Format = "hone.evaluation";
    private const int FormatVersion = 1;

    private readonly FileStream stream;
    private readonly IReadOnlyList<Example<TIn, TOut>> examples;

    private EvaluationRowFile(FileStream stream, IReadOnlyList<Example<TIn, TOut>> examples) => (this.stream, this.examples) = (stream, examples);

    /// <summary>Opens or creates the file of an evaluation, with the rows that it has.</summary>
    /// <exception cref="HoneException">The file is of something else: another set, another program, no evaluation at all.</exception>
    public static (EvaluationRowFile<TIn, TOut> File, EvaluationResult<TIn, TOut> Finished) Open(
        string path, Program<TIn, TOut> program, IReadOnlyList<Example<TIn, TOut>> examples)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            var file = new EvaluationRowFile<TIn, TOut>(stream, examples);
            var lines = file.ReadLines(path);
            var header = Header(program, examples.Count);
            if (lines.Count == 0)
                file.Append(header);
            else
                CheckHeader(path, lines[0], header);
            EvaluationRow<TIn, TOut>[] rows = [.. lines.Skip(1).Select((line, index) => file.Read(path, index + 2, line)).OfType<EvaluationRow<TIn, TOut>>()];
            return (file, new([.. rows], default));
        }
        catch (Exception)
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Appends a row; it outlives the process when this returns.</summary>
    public void Append(EvaluationRow<TIn, TOut> row) => Append(EvaluationRowJson.Write(row, DigestOf(row.Example)));

    public void Dispose() => stream.Dispose();

    private void Append(FieldMap line)
    {
        stream.Write(Encoding.UTF8.GetBytes(JsonText.Write(line) + "\n"));
        stream.Flush();
    }

    private List<FieldMap> ReadLines(string path)
    {
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var lines = new List<FieldMap>();
        var start = 0;
        for (var end = Array.IndexOf(bytes, (byte)'\n'); end >= 0; end = Array.IndexOf(bytes, (byte)'\n', start))
        {
            lines.Add(Parse(path, lines.Count + 1, bytes.AsMemory(start, end - start)));
            start = end + 1;
        }

        stream.SetLength(start);
        stream.Position = start;
        return lines;
    }

    // Null for a row whose value cannot be had back: its example is run again.
    private EvaluationRow<TIn, TOut>? Read(string path, int number, FieldMap line)
    {
        if (line.GetValueOrDefault("index") is not long index || index < 0 || index >= examples.Count)
            throw Damaged(path, number, "it names no example of the set");
        var example = examples[(int)index];
        if (!Equals(line.GetValueOrDefault("input"), DigestOf(example)))
            throw new HoneException(
                $"{path}, line {number} is of another input than that of the example at position {index}. Pass the set that the file was begun with, or another file.");
        return EvaluationRowJson.TryRead(line, (int)index, example);
    }

    private static FieldMap Header(Program<TIn, TOut> program, int count) => FieldMap.Of(
        ("format", Format),
        ("version", (long)FormatVersion),
        ("module", program.Module.GetType().Name),
        ("program", Digest(ProgramFileWriter.Write(program, null))),
        ("examples", (long)count));

    private static void CheckHeader(string path, FieldMap found, FieldMap wanted)
    {
        foreach (var (name, value) in wanted)
        {
            if (!FieldMap.ValuesEqual(found.GetValueOrDefault(name), value))
                throw new HoneException(name switch
                {
                    "format" or "version" => $"{path} is no file of rows that this version writes. Give the evaluation a file of its own.",
                    "examples" => $"{path} was begun with {found.GetValueOrDefault(name)} examples, and the set has {value}. Pass the same set, or another file.",
                    _ => $"{path} was begun with another program: its module, state or model is not this one's. Give each program a file of its own.",
                });
        }
    }

    private static FieldMap Parse(string path, int number, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return JsonValues.FromElement(document.RootElement) as FieldMap ?? throw Damaged(path, number, "it is no object");
        }
        catch (JsonException error)
        {
            throw Damaged(path, number, error.Message, error);
        }
    }

    private static HoneException Damaged(string path, int number, string why, Exception? cause = null) =>
        new($"{path}, line {number} cannot be read: {why}. Remove the line, or the file.", cause);

    private static string DigestOf(Example<TIn, TOut> example) => Digest($"{ValueText.Of(example.Input)}\n{ValueText.Of(example.Expected)}");

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
}

/// <summary>A row of an evaluation as an object in JSON.</summary>
internal static class EvaluationRowJson
{
    public static FieldMap Write<TIn, TOut>(EvaluationRow<TIn, TOut> row, string input)
    {
        var fields = new List<KeyValuePair<string, object?>>
        {
            new("index", (long)row.Index),
            new("id", row.Example.Id),
            new("input", input),
            new("score", Number(row.Score.Value)),
        };
        if (!row.Score.Parts.IsEmpty)
            fields.Add(new("parts", FieldMap.Create(row.Score.Parts.Select(part => KeyValuePair.Create(part.Key, Number(part.Value))))));
        if (row.Score.Feedback is { } feedback)
            fields.Add(new("feedback", feedback));
        if (!row.Score.PredictorFeedback.IsEmpty)
            fields.Add(new("predictor_feedback", FieldMap.Create(row.Score.PredictorFeedback.Select(each => KeyValuePair.Create(each.Key, (object?)each.Value)))));
        if (row.Error is { } error)
            fields.Add(new("error", $"{error.GetType().Name}: {error.Message}"));
        else if (ValueOf(row.Value) is var (isKnown, value) && isKnown)
            fields.Add(new("value", value));
        fields.Add(new("usage", FieldMap.Of(
            ("calls", row.Usage.Calls),
            ("input_tokens", row.Usage.InputTokens),
            ("output_tokens", row.Usage.OutputTokens),
            ("cached_input_tokens", row.Usage.CachedInputTokens),
            ("reasoning_tokens", row.Usage.ReasoningTokens),
            ("cost", row.Usage.Cost))));
        fields.Add(new("format_failures", (long)row.FormatFailureCount));
        fields.Add(new("seconds", row.Duration.TotalSeconds));
        return FieldMap.Create(fields);
    }

    /// <summary>The row; null when it failed or its value cannot be had back.</summary>
    public static EvaluationRow<TIn, TOut>? TryRead<TIn, TOut>(FieldMap line, int index, Example<TIn, TOut> example)
    {
        if (!line.TryGetValue("value", out var raw) || Double(line.GetValueOrDefault("score")) is not { } score || !TryValue<TOut>(raw, out var value))
            return null;
        var usage = line.GetValueOrDefault("usage") as FieldMap ?? FieldMap.Empty;
        return new(index, example, value, new(score)
        {
            Parts = ImmutableSortedDictionary.CreateRange(
                StringComparer.Ordinal, Entries(line, "parts").Select(part => KeyValuePair.Create(part.Key, Double(part.Value) ?? double.NaN))),
            Feedback = line.GetValueOrDefault("feedback") as string,
            PredictorFeedback = ImmutableSortedDictionary.CreateRange(
                StringComparer.Ordinal, Entries(line, "predictor_feedback").Select(each => KeyValuePair.Create(each.Key, each.Value as string ?? string.Empty))),
        }, Trace.Empty, null)
        {
            Usage = new(Count(usage, "calls"), Count(usage, "input_tokens"), Count(usage, "output_tokens"))
            {
                CachedInputTokens = Count(usage, "cached_input_tokens"),
                ReasoningTokens = Count(usage, "reasoning_tokens"),
                Cost = usage.GetValueOrDefault("cost") is { } cost && Double(cost) is { } dollars ? (decimal)dollars : 0,
            },
            FormatFailureCount = (int)Count(line, "format_failures"),
            Duration = TimeSpan.FromSeconds(Double(line.GetValueOrDefault("seconds")) ?? 0),
        };
    }

    private static (bool IsKnown, object? Value) ValueOf(object? value)
    {
        try
        {
            return (true, EvaluationExports.Finite(ClrValues.ToCanonical(value)));
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // A type of the user's own that cannot be taken apart: the row is kept, its value is not.
            return (false, null);
        }
    }

    private static bool TryValue<TOut>(object? raw, out TOut? value)
    {
        value = default;
        if (raw is TOut same)
        {
            value = same;
            return true;
        }

        try
        {
            var failure = default(CoercionFailure);
            if (!ValueCoercer.TryCoerceJson(raw, ClrTypes.Of(typeof(TOut)), out var canonical, ref failure))
                return false;
            value = (TOut?)ClrValues.FromCanonical(canonical, typeof(TOut), "value");
            return value is not null;
        }
        catch (HoneException)
        {
            return false;
        }
    }

    private static IEnumerable<KeyValuePair<string, object?>> Entries(FieldMap line, string name) => line.GetValueOrDefault(name) as FieldMap ?? FieldMap.Empty;

    private static object? Number(double value) => EvaluationExports.Finite(value);

    private static long Count(FieldMap fields, string name) => fields.GetValueOrDefault(name) is long number ? number : 0;

    private static double? Double(object? value) => value switch
    {
        double number => number,
        long number => number,
        decimal number => (double)number,
        string text when double.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var number) => number,
        _ => null,
    };
}
