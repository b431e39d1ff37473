using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Something that happened while a program was running, told to whoever streams it.</summary>
public abstract record RunEvent;

/// <summary>What a program says of its progress, through <see cref="HoneScope.ReportStatusAsync"/>.</summary>
/// <param name="Message">The text for people.</param>
public sealed record StatusMessage(string Message) : RunEvent;

/// <summary>An event of one predictor's call.</summary>
/// <param name="Path">The predictor's dotted path.</param>
/// <param name="Call">Which call of this predictor it is in the run, from 0.</param>
public abstract record PredictorEvent(string Path, int Call) : RunEvent;

/// <summary>The next characters of an output field.</summary>
/// <param name="Path">The predictor's dotted path.</param>
/// <param name="Call">Which call of this predictor it is in the run, from 0.</param>
/// <param name="Field">Name of the output.</param>
/// <param name="Text">The characters; may be empty when only the end is told.</param>
/// <param name="IsLast">True for the field's last piece.</param>
public sealed record FieldDelta(string Path, int Call, string Field, string Text, bool IsLast) : PredictorEvent(Path, Call);

/// <summary>
/// What was streamed of a field does not hold: the answer could not be read and is asked for again, or reading the whole gave another text. The
/// field starts anew.
/// </summary>
/// <param name="Path">The predictor's dotted path.</param>
/// <param name="Call">Which call of this predictor it is in the run, from 0.</param>
/// <param name="Field">Name of the output.</param>
public sealed record FieldReset(string Path, int Call, string Field) : PredictorEvent(Path, Call);

/// <summary>The next characters of a model's own thinking.</summary>
/// <param name="Path">The predictor's dotted path.</param>
/// <param name="Call">Which call of this predictor it is in the run, from 0.</param>
/// <param name="Text">The characters.</param>
public sealed record ReasoningDelta(string Path, int Call, string Text) : PredictorEvent(Path, Call);

/// <summary>The model asks for a tool.</summary>
/// <param name="Path">The predictor's dotted path.</param>
/// <param name="Call">Which call of this predictor it is in the run, from 0.</param>
/// <param name="Request">Name and arguments.</param>
public sealed record ToolCallRequested(string Path, int Call, FunctionCallContent Request) : PredictorEvent(Path, Call);

/// <summary>A tool has answered, well or not.</summary>
/// <param name="Path">Path of the predictor that asked for it.</param>
/// <param name="Call">Which call of this predictor it was in the run, from 0.</param>
/// <param name="Result">What the tool gave, as the model is told.</param>
public sealed record ToolCallCompleted(string Path, int Call, ToolResult Result) : PredictorEvent(Path, Call);

/// <summary>A model has answered; the whole record of the call, usage included.</summary>
/// <param name="Record">The call as the trace has it.</param>
public sealed record CallCompleted(PredictorCall Record) : PredictorEvent(Record.Path, Record.Ordinal);

/// <summary>The program has returned: the last event of a stream.</summary>
/// <param name="Prediction">The value with its trace.</param>
public sealed record RunCompleted<TOut>(Prediction<TOut> Prediction) : RunEvent, IRunCompleted
{
    object? IRunCompleted.Value => Prediction.Value;

    Usage IRunCompleted.Usage => Prediction.Usage;
}

/// <summary>The end of a stream, whatever its program returns.</summary>
internal interface IRunCompleted
{
    /// <summary>What the program returned.</summary>
    object? Value { get; }

    /// <summary>What the run cost.</summary>
    Usage Usage { get; }
}
