using System.Text.Json;
using System.Text.RegularExpressions;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace MultiHopRag;

/// <summary>Plays the model: follows the last name of its notes until a number is in them.</summary>
internal static partial class ScriptedModel
{
    public static IChatClient Create() => ScriptedChatClient.By((request, _) => ScriptedChatClient.ChatText(request.Path switch
    {
        "plan" => Plan(request.Input("question"), Texts(request.Input("notes"))),
        "take_note" => FieldMap.Of(("note", Note(request.Input("query"), Texts(request.Input("passages"))))),
        _ => FieldMap.Of(("answer", Texts(request.Input("notes")) is [.., var last] && Number().Match(last) is { Success: true } year ? year.Value : "unknown")),
    }));

    private static FieldMap Plan(string question, string[] notes)
    {
        var name = Names().Matches(notes.LastOrDefault() ?? question).LastOrDefault()?.Value ?? question;
        return notes is [.., var last] && Number().IsMatch(last)
            ? FieldMap.Of(("reasoning", "The last note has the year."), ("is_enough", true), ("query", ""))
            : FieldMap.Of(("reasoning", $"I need to know more of {name}."), ("is_enough", false), ("query", name));
    }

    // A sentence with a number or with a name other than the query's; of the page that was looked for, if it was found.
    private static string Note(string query, string[] passages) => passages
        .OrderByDescending(passage => passage.StartsWith(query, StringComparison.Ordinal))
        .SelectMany(passage => passage.TrimEnd('.').Split(". "))
        .FirstOrDefault(sentence => Number().IsMatch(sentence) || Names().Matches(sentence).Any(match => match.Value != query)) ?? $"Nothing on {query}.";

    private static string[] Texts(string json) => JsonSerializer.Deserialize<string[]>(json)!;

    [GeneratedRegex(@"\d{4}")]
    private static partial Regex Number();

    [GeneratedRegex(@"\b(?!She|He|It\b)[A-Z]\w+(?: (?:at )?[A-Z]\w+)*")]
    private static partial Regex Names();
}
