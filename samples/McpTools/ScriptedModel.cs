using System.Globalization;
using System.Text.RegularExpressions;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace McpTools;

/// <summary>Plays two models: that of the agent, and in the server's process that of the program.</summary>
internal static partial class ScriptedModel
{
    public static IChatClient Create() => ScriptedChatClient.By((request, _) => request.FindInput("recipe") is { } recipe
        ? ScriptedChatClient.ChatText(FieldMap.Of(("items", Items(recipe, int.Parse(request.Input("people"), CultureInfo.InvariantCulture)))))
        : Turn(request, request.ToolResults.LastOrDefault()));

    private static string Turn(ScriptedRequest request, ToolResult? last) => last switch
    {
        null => Call("Which recipes are there?", "find_recipes", ("ingredient", request.Input("with"))),
        { Name: "find_recipes" } => Names(last.Value) is [var first, ..]
            ? Call($"I take the first: {first}.", "read_recipe", ("name", first))
            : Call("There is none. Perhaps I can guess one.", "read_recipe", ("name", $"{request.Input("with")} stew")),
        { Name: "read_recipe", IsError: false } => Call("I need the amounts.", "shopping_list", ("recipe", last.Value), ("people", request.Input("guests"))),
        { Name: "shopping_list", Value: FieldMap list } => Call("All is known.", "submit", ("dish", Names(request.ToolResults[0].Value)[0]), ("to_buy", list["items"])),
        _ => Call("I have no dish.", "submit", ("dish", "nothing"), ("to_buy", Array.Empty<object>())),
    };

    // A list is text in the results of this server, as the protocol has it.
    private static string[] Names(object? result) => [.. Quoted().Matches($"{result}").Select(match => match.Groups[1].Value)];

    private static FieldMap[] Items(string recipe, int people)
    {
        var serves = int.Parse(Serves().Match(recipe).Groups[1].Value, CultureInfo.InvariantCulture);
        return [.. Ingredient().Matches(recipe).Select(match => FieldMap.Of(
            ("name", match.Groups[3].Value), ("amount", double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) * people / serves), ("unit", match.Groups[2].Value)))];
    }

    private static string Call(string thought, string tool, params (string, object?)[] arguments) => ScriptedChatClient.ToolText(thought, (tool, FieldMap.Of(arguments)));

    [GeneratedRegex("\"([^\"]+)\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"For (\d+):")]
    private static partial Regex Serves();

    [GeneratedRegex(@"(\d+) (g|l|pcs) (\w+)")]
    private static partial Regex Ingredient();
}
