using System.Text.RegularExpressions;

namespace Hone;

/// <summary>Rows of GSM8K and MATH: the answer is inside of a worked solution.</summary>
internal static partial class MathRows
{
    private const string AnswerMark = "####";

    public static Example<FieldMap, FieldMap> FromGsm8k(DataRow row)
    {
        var text = row.Text("answer");
        var mark = text.LastIndexOf(AnswerMark, StringComparison.Ordinal);
        if (mark < 0)
            throw new DataFileException($"the answer should end in '{AnswerMark}' and a number", row.Place);
        return new(
            FieldMap.Of(("question", row.Text("question"))),
            FieldMap.Of(("answer", text[(mark + AnswerMark.Length)..].Trim().Replace(",", "", StringComparison.Ordinal))))
        {
            Labels = FieldMap.Of(("gold_reasoning", Calculation().Replace(text[..mark], "").Trim())),
            Id = CorpusRows.Id(row, "id"),
        };
    }

    public static Example<FieldMap, FieldMap> FromMath(DataRow row)
    {
        var solution = row.Text("solution");
        var answer = Boxed(solution) ?? throw new DataFileException(@"the solution should have its answer in a \boxed{}", row.Place);
        var labels = FieldMap.Of(("gold_reasoning", solution));
        foreach (var name in (string[])["level", "type"])
        {
            if (row.Fields.TryGetValue(name, out var value))
                labels = labels.With(name, value);
        }

        return new(FieldMap.Of(("question", row.Text("problem"))), FieldMap.Of(("answer", answer))) { Labels = labels, Id = CorpusRows.Id(row, "unique_id", "id") };
    }

    /// <summary>What the last box of a solution holds; null without a box that ends.</summary>
    public static string? Boxed(string solution)
    {
        var start = Math.Max(solution.LastIndexOf(@"\boxed", StringComparison.Ordinal), solution.LastIndexOf(@"\fbox", StringComparison.Ordinal));
        if (start < 0)
            return null;
        var open = start + (solution[start + 1] == 'b' ? @"\boxed".Length : @"\fbox".Length);
        while (open < solution.Length && solution[open] == ' ')
            open++;
        if (open >= solution.Length)
            return null;
        if (solution[open] != '{')
            return solution[open..].Split([' ', '$', '\n', '.', ','], 2)[0];
        var depth = 0;
        for (var i = open; i < solution.Length; i++)
        {
            if (solution[i] == '\\')
                i++;
            else if (solution[i] == '{')
                depth++;
            else if (solution[i] == '}' && --depth == 0)
                return solution[(open + 1)..i].Trim();
        }

        return null;
    }

    // The set's calculator annotations: <<16-3-4=9>>.
    [GeneratedRegex("<<[^>]*>>")]
    private static partial Regex Calculation();
}
