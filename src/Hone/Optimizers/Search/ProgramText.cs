using System.Text;

namespace Hone.Optimizers;

/// <summary>Programs, examples and runs in words, for models that write prompts.</summary>
internal static class ProgramText
{
    /// <summary>What stands for what was cut out of a long text.</summary>
    public const string CutMark = "… [cut]";

    /// <summary>The modules of a program: path, fields, instructions.</summary>
    public static string Of<TIn, TOut>(Program<TIn, TOut> program)
    {
        var text = new StringBuilder($"Program {program.Module.GetType().Name}");
        foreach (var (path, signature) in program.Predictors)
            text.Append($"\n\nModule {path}: {signature.Shape}\nInstructions:\n{Indent(signature.Instructions)}");
        return text.ToString();
    }

    /// <summary>What the modules did in a run, and what came out.</summary>
    public static string Of(RunRecord run, int limit)
    {
        var text = new StringBuilder();
        foreach (var step in run.Steps)
        {
            text.Append($"Module {step.Path}\n{Indent(Lines(step.Inputs, limit))}\n");
            text.Append(step.Outputs is not null ? $"  gave\n{Indent(Lines(step.Outputs, limit))}\n" : $"  gave no readable answer: {step.Failure}\n{Indent(Cut(step.RawText ?? "", limit))}\n");
        }

        text.Append(run.Error is not null ? $"The run failed: {run.Error}" : $"Result:\n{Indent(Cut(run.Output, limit))}");
        return text.ToString();
    }

    /// <summary>A line a field.</summary>
    public static string Lines(FieldMap fields, int limit) =>
        string.Join('\n', fields.Select(field => $"{field.Key}: {Cut(field.Value as string ?? JsonText.Write(field.Value), limit)}"));

    /// <summary>The text, cut and marked when it is longer.</summary>
    public static string Cut(string text, int limit) => text.Length <= limit ? text : text[..limit] + CutMark;

    /// <summary>A score in words.</summary>
    public static string Of(Score score) => FormattableString.Invariant($"{score.Value:0.###}") + (score.Feedback is { } feedback ? $" ({feedback})" : "");

    private static string Indent(string text) => "  " + text.Replace("\n", "\n  ", StringComparison.Ordinal);
}
