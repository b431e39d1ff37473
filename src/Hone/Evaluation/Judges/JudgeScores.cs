using System.Collections.Immutable;

namespace Hone;

/// <summary>What judges have in common: their model, harmonic means, fields of the dynamic lane.</summary>
internal static class JudgeScores
{
    public const string Role = "judge";

    /// <summary>The model as a judge, unless it has a role of its own: budgets and reports keep roles apart.</summary>
    public static LM AsJudge(LM model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Role == LM.TaskRole ? model with { Role = Role } : model;
    }

    /// <summary>Harmonic mean of two fractions after both are brought into 0 to 1; 0 when both are 0.</summary>
    public static double F1(double precision, double recall)
    {
        precision = Fraction(precision);
        recall = Fraction(recall);
        return precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
    }

    public static Score Of(JudgeOptions options, (string Name, double Value) first, (string Name, double Value) second, string feedback)
    {
        var f1 = F1(first.Value, second.Value);
        return new(!options.PassOrFail ? f1 : f1 >= options.Threshold ? 1 : 0)
        {
            Parts = ImmutableSortedDictionary<string, double>.Empty
                .Add(first.Name, Fraction(first.Value)).Add(second.Name, Fraction(second.Value)).Add("f1", f1),
            Feedback = feedback,
        };
    }

    /// <summary>A field of the dynamic lane as text; lists of texts as numbered passages.</summary>
    public static string Text(FieldMap fields, string name) => fields[name] switch
    {
        string text => text,
        ImmutableArray<object?> list => string.Join("\n\n", list.Select((item, index) => $"[{index + 1}] {item as string ?? JsonText.Write(item)}")),
        null => throw new HoneException($"The judge needs a text in the field '{name}', found none."),
        var other => JsonText.Write(other),
    };

    public static string Words(double value) => FormattableString.Invariant($"{Fraction(value):0.00}");

    private static double Fraction(double value) => double.IsNaN(value) ? 0 : Math.Clamp(value, 0, 1);
}
