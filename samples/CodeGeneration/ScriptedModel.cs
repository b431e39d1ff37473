using System.Text.Json;
using System.Text.RegularExpressions;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace CodeGeneration;

/// <summary>Plays the model: writes what it is used to from other libraries, and looks at its notes when that fails.</summary>
internal static partial class ScriptedModel
{
    private static readonly (string Word, string Habit)[] Habits = [("add", "add"), ("remove", "remove"), ("list", "keys"), ("total", "sum")];

    public static IChatClient Create() => ScriptedChatClient.By((request, _) => ScriptedChatClient.ChatText(
        request.FindInput("documentation") is { } documentation ? FieldMap.Of(("notes", Notes(JsonSerializer.Deserialize<string[]>(documentation)!)))
        : request.FindInput("previous") is { } previous && previous.Contains("function") ? Code(Mended(previous, request.Input("failure"), request.Input("notes")))
        : Code(Draft(request.Input("wanted")))));

    private static FieldMap[] Notes(string[] documentation) =>
        [.. documentation.Select(line => Page().Match(line)).Where(page => page.Success).Select(page => FieldMap.Of(("name", page.Groups[1].Value), ("purpose", page.Groups[2].Value)))];

    private static string Draft(string wanted) => $$"""
        {{wanted["A ".Length..(wanted.IndexOf(')') + 1)]}} {
            const tally = openTally();
            for (const [label, price] of Object.entries(prices)) tally.add(label, price);{{(wanted.Contains("remove", StringComparison.Ordinal) ? "\n    tally.remove(name);" : "")}}
            return tally.{{(wanted.Contains("list", StringComparison.Ordinal) ? "keys" : "sum")}}();
        }
        """;

    private static string Mended(string code, string failure, string notes) => failure.Contains("cents", StringComparison.Ordinal)
        ? code.Replace("price);", "Math.round(price * 100));", StringComparison.Ordinal).Replace("tally.worth()", "tally.worth() / 100", StringComparison.Ordinal)
        : Habits.Aggregate(code, (text, habit) => text.Replace(
            $"tally.{habit.Habit}(",
            JsonSerializer.Deserialize<JsonElement[]>(notes)!.First(note => note.GetProperty("purpose").GetString()!.Contains(habit.Word, StringComparison.Ordinal)).GetProperty("name").GetString() + "(",
            StringComparison.Ordinal));

    private static FieldMap Code(string code) => FieldMap.Of(("reasoning", "I call the library function by function."), ("code", $"```javascript\n{code}\n```"));

    [GeneratedRegex(@"^`(tally\.\w+)\([^)]*\)` (.+)$")]
    private static partial Regex Page();
}
