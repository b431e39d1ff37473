using System.ComponentModel;
using System.Reflection;
using System.Text;

namespace Hone.Optimizers;

/// <summary>A program in words, in place of its source: modules, predictors, fields, instructions.</summary>
internal static class ProgramOutline
{
    /// <param name="program">The program.</param>
    /// <param name="notes">What its author says of it; null when nothing.</param>
    public static string Of<TIn, TOut>(Program<TIn, TOut> program, string? notes)
    {
        var text = new StringBuilder();
        if (!string.IsNullOrWhiteSpace(notes))
            text.AppendLine(notes.Trim()).AppendLine();
        AppendModule(text, program.Module, NameOf(program.Module), 0);
        foreach (var (path, signature) in program.Predictors)
        {
            text.AppendLine().AppendLine($"Predictor {path}: {signature}").AppendLine($"  Instructions: {signature.Instructions}");
            foreach (var field in signature.Fields.Where(field => field.Description is not null))
                text.AppendLine($"  {field.Name}: {field.Description}");
        }

        return text.ToString().ReplaceLineEndings("\n").Trim();
    }

    /// <summary>A predictor in a line.</summary>
    public static string Module(string path, Signature signature) => $"{path} ({signature.Shape})";

    private static void AppendModule(StringBuilder text, Module module, string name, int depth)
    {
        text.Append(' ', 2 * depth).AppendLine(name);
        if (module is IPredictorModule)
            return;
        foreach (var (child, part) in module.GetChildren())
            AppendModule(text, part, $"{child}: {NameOf(part)}", depth + 1);
    }

    // Predict<Question, Answer> without the mark of its generic arity, and what a module's author wrote on it.
    private static string NameOf(Module module)
    {
        var type = module.GetType();
        var name = type.Name.Split('`')[0];
        return type.GetCustomAttribute<DescriptionAttribute>() is { Description.Length: > 0 } described ? $"{name}: {described.Description}" : name;
    }
}
