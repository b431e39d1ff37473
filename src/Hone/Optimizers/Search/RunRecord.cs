using System.Collections.Immutable;
using System.Text.Json;

namespace Hone.Optimizers;

/// <summary>Why a run of the program earned no score of its own.</summary>
internal enum RunFault
{
    None,

    /// <summary>An answer could not be read.</summary>
    Unreadable,

    /// <summary>The program threw.</summary>
    Crashed,

    /// <summary>The metric threw, or gave no number.</summary>
    Metric,
}

/// <summary>What a predictor was given and answered in a run.</summary>
/// <param name="Path">The predictor's path.</param>
/// <param name="Inputs">Its inputs.</param>
/// <param name="Outputs">Its outputs; null when the answer could not be read.</param>
internal sealed record StepRecord(string Path, FieldMap Inputs, FieldMap? Outputs)
{
    /// <summary>Why the answer could not be read.</summary>
    public string? Failure { get; init; }

    /// <summary>The unreadable answer.</summary>
    public string? RawText { get; init; }

    /// <summary>What could be read of it.</summary>
    public FieldMap? Partial { get; init; }
}

/// <summary>A run of the program on one example, scored.</summary>
/// <param name="Score">What the metric said, or the failure score.</param>
internal sealed record RunRecord(Score Score)
{
    /// <summary>What the program returned, as text; empty when it failed.</summary>
    public string Output { get; init; } = string.Empty;

    public RunFault Fault { get; init; }

    /// <summary>Why it failed.</summary>
    public string? Error { get; init; }

    /// <summary>What the predictors did, in order of their start; empty for sets whose steps nobody looks at.</summary>
    public ImmutableArray<StepRecord> Steps { get; init; } = [];

    public ImmutableSortedDictionary<string, Usage> UsageByRole { get; init; } = ImmutableSortedDictionary<string, Usage>.Empty;

    public Usage Usage => UsageByRole.Values.Aggregate(default(Usage), (sum, usage) => sum + usage);

    /// <summary>One step a call: the answer that could be read in the end, else the first that could not. Tools are code and no part of a record.</summary>
    public static ImmutableArray<StepRecord> StepsOf(Trace trace) =>
    [
        .. trace.Calls.GroupBy(call => (call.Path, call.Ordinal)).Select(call =>
        {
            var told = call.LastOrDefault(attempt => attempt.Outputs is not null) ?? call.First();
            return told.Outputs is not null
                ? new StepRecord(told.Path, WithoutTools(told.Inputs), told.Outputs)
                : new StepRecord(told.Path, WithoutTools(told.Inputs), null) { Failure = told.Failure?.Reason, RawText = told.Text, Partial = told.Failure?.Parsed };
        }),
    ];

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("score", Score.Value);
        json.WriteString("output", Output);
        if (!Score.Parts.IsEmpty)
        {
            json.WriteStartObject("parts");
            foreach (var (name, value) in Score.Parts)
                json.WriteNumber(name, value);
            json.WriteEndObject();
        }

        if (Score.Feedback is not null)
            json.WriteString("feedback", Score.Feedback);
        if (!Score.PredictorFeedback.IsEmpty)
        {
            json.WriteStartObject("predictorFeedback");
            foreach (var (path, text) in Score.PredictorFeedback)
                json.WriteString(path, text);
            json.WriteEndObject();
        }

        if (Fault != RunFault.None)
        {
            json.WriteString("fault", $"{Fault}");
            json.WriteString("error", Error);
        }

        if (!Steps.IsEmpty)
        {
            json.WriteStartArray("steps");
            foreach (var step in Steps)
                WriteStep(json, step);
            json.WriteEndArray();
        }

        UsageJson.Write(json, "usage", UsageByRole);
        json.WriteEndObject();
    }

    /// <param name="json">What <see cref="Write"/> gave.</param>
    /// <param name="signatureOf">The signature of a predictor: types of the values.</param>
    public static RunRecord Read(JsonElement json, Func<string, Signature> signatureOf) => new(new Score(json.GetProperty("score").GetDouble())
    {
        Parts = json.TryGetProperty("parts", out var parts)
            ? parts.EnumerateObject().ToImmutableSortedDictionary(part => part.Name, part => part.Value.GetDouble())
            : ImmutableSortedDictionary<string, double>.Empty,
        Feedback = Text(json, "feedback"),
        PredictorFeedback = json.TryGetProperty("predictorFeedback", out var feedback)
            ? feedback.EnumerateObject().ToImmutableSortedDictionary(entry => entry.Name, entry => entry.Value.GetString()!)
            : ImmutableSortedDictionary<string, string>.Empty,
    })
    {
        Output = json.GetProperty("output").GetString()!,
        Fault = Text(json, "fault") is { } fault ? Enum.Parse<RunFault>(fault) : RunFault.None,
        Error = Text(json, "error"),
        Steps = json.TryGetProperty("steps", out var steps) ? [.. steps.EnumerateArray().Select(step => ReadStep(step, signatureOf))] : [],
        UsageByRole = json.TryGetProperty("usage", out var usage) ? UsageJson.Read(usage) : ImmutableSortedDictionary<string, Usage>.Empty,
    };

    private static FieldMap WithoutTools(FieldMap inputs) =>
        inputs.Any(input => ProgramFileWriter.HoldsTools(input.Value)) ? FieldMap.Create(inputs.Where(input => !ProgramFileWriter.HoldsTools(input.Value))) : inputs;

    private static void WriteStep(Utf8JsonWriter json, StepRecord step)
    {
        json.WriteStartObject();
        json.WriteString("path", step.Path);
        CanonicalJson.Write(json, "in", step.Inputs);
        if (step.Outputs is not null)
            CanonicalJson.Write(json, "out", step.Outputs);
        if (step.Failure is not null)
            json.WriteString("failure", step.Failure);
        if (step.RawText is not null)
            json.WriteString("text", step.RawText);
        if (step.Partial is { Count: > 0 })
            CanonicalJson.Write(json, "partial", step.Partial);
        json.WriteEndObject();
    }

    private static StepRecord ReadStep(JsonElement json, Func<string, Signature> signatureOf)
    {
        var path = json.GetProperty("path").GetString()!;
        var signature = signatureOf(path);
        return new(path, Fields(json.GetProperty("in"), signature), json.TryGetProperty("out", out var outputs) ? Fields(outputs, signature) : null)
        {
            Failure = Text(json, "failure"),
            RawText = Text(json, "text"),
            Partial = json.TryGetProperty("partial", out var partial) ? Fields(partial, signature) : null,
        };
    }

    private static FieldMap Fields(JsonElement json, Signature signature) => FieldMap.Create(json.EnumerateObject().Select(value =>
    {
        var field = signature.Find(value.Name)
            ?? throw new HoneException($"The journal has a value for '{value.Name}', which is no field of {signature.Shape}. Remove the run directory.");
        return KeyValuePair.Create(value.Name, Value(value.Value, field));
    }));

    private static object? Value(JsonElement value, SignatureField field)
    {
        if (value.ValueKind == JsonValueKind.Null)
            return null;
        var failure = default(CoercionFailure);
        return ValueCoercer.TryCoerceJson(JsonValues.FromElement(value), field.Type, out var read, ref failure)
            ? read
            : throw new HoneException($"The journal's value of '{field.Name}' cannot be read: {failure.ToException().Message} Remove the run directory.");
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetString() : null;
}
