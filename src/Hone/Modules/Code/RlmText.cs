using System.Globalization;
using System.Text;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>What the model of a run is told: its variables, what it can call, its steps. Everything is bounded.</summary>
internal static class RlmText
{
    /// <summary>Type, length, beginning and end of each input.</summary>
    public static string Variables(Signature task, FieldMap inputs, int previewLength)
    {
        var text = new StringBuilder();
        foreach (var input in task.Inputs)
        {
            var value = inputs.GetValueOrDefault(input.Name);
            var shown = value as string ?? CodeValues.ToJson(value);
            text.Append(text.Length > 0 ? "\n\n" : string.Empty);
            text.Append(CultureInfo.InvariantCulture, $"Variable `{input.Name}` of your code: {TypeNames.Of(input.Type)}{Items(value)}, {shown.Length:N0} characters{(value is string ? string.Empty : " as JSON")}.");
            if (!string.IsNullOrEmpty(input.Description))
                text.Append(' ').Append(input.Description);
            if (!input.Constraints.IsEmpty)
                text.Append("\nConstraints: ").Append(FieldConstraints.Describe(input.Constraints));
            if (previewLength > 0)
                text.Append('\n').Append(Fenced(Ends(shown, previewLength, "…"), string.Empty));
        }

        return text.Length == 0 ? "none" : text.ToString();
    }

    /// <summary>What the code can call: the functions of the run, the tools, and the one that ends it.</summary>
    public static string Functions(IEnumerable<AIFunction> functions, Signature task)
    {
        var text = new StringBuilder(CodeText.Tools(functions));
        text.Append("\n- `").Append(CodeSessionOptions.SubmitFunction).Append("(…)`: ends the task with its outputs, as one object or dictionary with these names, or in this order:");
        foreach (var output in task.Outputs)
        {
            text.Append("\n  - `").Append(output.Name).Append("` (").Append(TypeNames.Of(output.Type)).Append(')');
            if (!string.IsNullOrEmpty(output.Description))
                text.Append(": ").Append(output.Description);
            if (TypeHints.For(output.Type) is { } hint)
                text.Append("; ").Append(hint);
            if (!output.Constraints.IsEmpty)
                text.Append("; ").Append(FieldConstraints.Describe(output.Constraints));
        }

        return text.ToString();
    }

    /// <summary>The steps from one on; of each, what it gave up to a length.</summary>
    public static string Steps(IReadOnlyList<RlmStep> steps, int shownFrom, string language, int maxOutputLength)
    {
        if (steps.Count == 0)
            return "No step has been taken yet.";
        var text = new StringBuilder();
        if (shownFrom > 0)
            text.Append(CultureInfo.InvariantCulture, $"[Steps 1 to {shownFrom} are left out. Their variables are there.]\n\n");
        for (var i = shownFrom; i < steps.Count; i++)
        {
            var step = steps[i];
            text.Append(CultureInfo.InvariantCulture, $"{(i > shownFrom ? "\n\n" : string.Empty)}=== Step {i + 1} ===\n");
            if (step.Reasoning is not null)
                text.Append("Reasoning: ").Append(step.Reasoning).Append('\n');
            text.Append("Code:\n").Append(Fenced(step.Code, language)).Append('\n');
            text.Append(CultureInfo.InvariantCulture, $"{(step.IsError ? "Output and error" : "Output")} ({step.Output.Length:N0} characters):\n");
            text.Append(Ends(step.Output, maxOutputLength, null));
        }

        return text.ToString();
    }

    /// <summary>The beginning and the end of a long text, with a mark between them: the given one, or how many characters are missing.</summary>
    public static string Ends(string text, int length, string? mark)
    {
        if (text.Length <= length)
            return text;
        var (head, tail) = ((length + 1) / 2, text.Length - (length / 2));

        // Half a character is none.
        if (head > 0 && char.IsHighSurrogate(text[head - 1]))
            head--;
        if (tail < text.Length && char.IsLowSurrogate(text[tail]))
            tail++;
        mark ??= string.Create(CultureInfo.InvariantCulture, $"\n[… {tail - head:N0} characters are left out …]\n");
        return string.Concat(text.AsSpan(0, head), mark, text.AsSpan(tail));
    }

    private static string Items(object? value) => value switch
    {
        string => string.Empty,
        FieldMap map => string.Create(CultureInfo.InvariantCulture, $" with {map.Count:N0} entries"),
        IReadOnlyCollection<object?> items => string.Create(CultureInfo.InvariantCulture, $" with {items.Count:N0} items"),
        _ => string.Empty,
    };

    // A fence that the text does not hold: what stands in it cannot leave it.
    private static string Fenced(string text, string language)
    {
        var fence = "```";
        while (text.Contains(fence, StringComparison.Ordinal))
            fence += "`";
        return $"{fence}{language}\n{text}\n{fence}";
    }
}
