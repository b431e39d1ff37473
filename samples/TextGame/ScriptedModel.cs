using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace TextGame;

/// <summary>Plays the player: takes everything, uses it where something is in the way, and walks where it has gone least.</summary>
internal static class ScriptedModel
{
    public static IChatClient Create() => ScriptedChatClient.By((request, _) =>
    {
        string[] told = [.. request.ToolResults.Select(result => $"{result.Value}")];
        if (told is [])
            return Call("Where am I?", "look");
        if (told[^1] == "You have the treasure.")
            return Call("That is the end.", "submit", ("story", "I found the treasure."));
        if (request.LastText.Contains("the last turn", StringComparison.Ordinal))
            return Call("No more turns.", "submit", ("story", $"I had to stop. {told[^1]}"));

        var place = told.Last(text => text.Contains("You are in", StringComparison.Ordinal));
        var room = After(place, "You are in the ");
        var mine = told.Select(text => After(text, "You have the ")).ToArray();
        if (After(place, "Here: ").Split(", ").FirstOrDefault(thing => thing is not ("" or "nothing") && !mine.Contains(thing)) is { } found)
            return Call($"A {found}!", "take", ("thing", found));
        if (told[^1].Contains("dark", StringComparison.Ordinal) && mine.Contains("lamp"))
            return Call("I have a lamp.", "use", ("thing", "lamp"));
        if (told[^1] == "The door is locked." && mine.Contains("key"))
            return Call("I have a key.", "use", ("thing", "key"));
        if (told[^1] == "The door to the east is open.")
            return Call("In!", "go", ("direction", "east"));

        // Which exits were taken stands in what it called before.
        var direction = After(place, "Exits: ").Split(", ").Reverse().MinBy(exit => Went(request, room, exit))!;
        return Call($"I go {direction} from the {room}.", "go", ("direction", direction));
    });

    private static int Went(ScriptedRequest request, string room, string exit) =>
        request.Messages.Count(message => message.Role == ChatRole.Assistant && message.Text.Contains($"I go {exit} from the {room}.", StringComparison.Ordinal));

    private static string Call(string thought, string tool, params (string, object?)[] arguments) => ScriptedChatClient.ToolText(thought, (tool, FieldMap.Of(arguments)));

    private static string After(string text, string words) => text.Contains(words, StringComparison.Ordinal) ? text.Split(words)[^1].Split('.')[0] : "";
}
