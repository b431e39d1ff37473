using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>What one predictor did on one training example, and what the metric said.</summary>
/// <param name="Example">The example's name, or its position.</param>
/// <param name="Inputs">What the predictor was given.</param>
/// <param name="Score">The score of the whole run.</param>
/// <param name="Feedback">What was right or wrong, in words.</param>
public sealed record ReflectionRecord(string Example, FieldMap Inputs, double Score, string Feedback)
{
    /// <summary>What it answered; null when the answer could not be read.</summary>
    public FieldMap? Outputs { get; init; }

    /// <summary>The answer that could not be read; null when it could.</summary>
    public string? RawText { get; init; }

    /// <summary>What the other predictors of the run did, by path, in order; empty unless asked for.</summary>
    public ImmutableArray<KeyValuePair<string, FieldMap>> OtherSteps { get; init; } = [];
}

/// <summary>The records of one text that is to be changed.</summary>
/// <param name="Component">The text's name: a predictor's path, or <c>tool:PATH#description</c>, <c>tool:PATH#arg.ARGUMENT</c>.</param>
/// <param name="CurrentText">The text in effect.</param>
/// <param name="Records">What happened under it.</param>
public sealed record ReflectionData(string Component, string CurrentText, ImmutableArray<ReflectionRecord> Records)
{
    /// <summary>The tool that the text belongs to; null for the instructions of a predictor. The records then show what the tool's agent did.</summary>
    public ReflectedTool? Tool { get; init; }
}

/// <summary>A tool whose words are to be changed, and its neighbours.</summary>
/// <param name="Path">Its path: a key of <see cref="ProgramState.Tools"/>.</param>
/// <param name="Argument">The argument that the text describes; null when it describes the tool.</param>
/// <param name="Definition">Name, description and arguments as models are shown them.</param>
/// <param name="OtherTools">The same of the agent's other tools.</param>
public sealed record ReflectedTool(string Path, string? Argument, string Definition, string OtherTools);
