using Hone;

namespace SampleCommon;

/// <summary>The turns of an agent in print.</summary>
public static class Transcript
{
    /// <summary>A line for each thought and each call with its result, but for the submitted outputs.</summary>
    public static IEnumerable<string> Lines(IEnumerable<AgentStep> steps)
    {
        foreach (var step in steps)
        {
            if (step.Thought is { } thought)
                yield return $"  {thought}";
            foreach (var (call, result) in step.Calls.Calls.Zip(step.Results.Results).Where(pair => pair.First.Name != "submit"))
                yield return $"    {call.Name}({Text(call.Arguments)}) {(result.IsError ? "error:" : "=")} {Text(result.Value)}";
        }
    }

    /// <summary>A value in one line: records and lists by what is in them.</summary>
    public static string Text(object? value) => value switch
    {
        FieldMap fields => string.Join(", ", fields.Values.Select(Text)),
        IEnumerable<object?> items => string.Join("; ", items.Select(Text)),
        IFormattable number => number.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => $"{value}".ReplaceLineEndings(" "),
    };
}
