using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace ProgramOfThought;

/// <summary>Plays the model: knows how each kind of problem is set up, reckons badly, and now and then forgets a declaration in code.</summary>
internal static partial class ScriptedModel
{
    public static IChatClient Create() => ScriptedChatClient.By((request, _) => ScriptedChatClient.ChatText(
        request.FindInput("code_output") is { } output ? FieldMap.Of(("reasoning", "The code gave it."), ("number", JsonDocument.Parse(output).RootElement.GetProperty("number").GetDouble()))
        : request.Path is "code_generate" ? Code(Written(request.Input("text")).Replace("let count = 0;\n", "", StringComparison.Ordinal))
        : request.Path is "code_regenerate" ? Code(Written(request.Input("text")))
        : FieldMap.Of(("reasoning", "Let me reckon."), ("number", Reckoned(request.Input("text"))))));

    private static string Written(string problem) => Numbers(problem) switch
    {
        [var sum, var rate, var years] when problem.Contains("interest", StringComparison.Ordinal) =>
            $"const amount = {sum} * (1 + {rate} / 100) ** {years};\nSUBMIT(Math.round(amount * 100) / 100);",
        [var from, var to, var one, var other] => $$"""
            let count = 0;
            for (let n = {{from}}; n <= {{to}}; n++) {
                if (n % {{one}} === 0 || n % {{other}} === 0) count += 1;
            }
            SUBMIT(count);
            """,
        var numbers => $"SUBMIT({string.Join(" * ", numbers)});",
    };

    // In the head: two digits at a time, simple interest, and what can be divided by both is counted twice.
    private static double Reckoned(string problem) => Numbers(problem) switch
    {
        [var sum, var rate, var years] => sum * (1 + (rate * years / 100)),
        [_, var to, var one, var other] => Math.Floor(to / one) + Math.Floor(to / other),
        var numbers => numbers.Aggregate(1.0, (product, number) => product * TwoDigits(number)),
    };

    private static double TwoDigits(double number) => number < 100 ? number : Math.Round(number / 10) * 10;

    private static double[] Numbers(string problem) => [.. Number().Matches(problem).Select(match => double.Parse(match.Value, CultureInfo.InvariantCulture))];

    private static FieldMap Code(string code) => FieldMap.Of(("reasoning", "I write it as code."), ("generated_code", $"```javascript\n{code}\n```"));

    [GeneratedRegex(@"\d+(\.\d+)?")]
    private static partial Regex Number();
}
