using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace MemoryAgent;

/// <summary>Plays the model: remembers statements, recalls for questions, forgets what it is told to, and knows nothing itself.</summary>
internal static class ScriptedModel
{
    public static IChatClient Create() => ScriptedChatClient.By((request, _) =>
    {
        var text = request.Input("text");
        var isQuestion = text.EndsWith('?');
        var isOrder = text.StartsWith("Forget", StringComparison.OrdinalIgnoreCase);
        return ResultsOfNow(request) switch
        {
            [] when isQuestion || isOrder => Call("What do I know of it?", "recall", ("query", text)),
            [] => Call("That may matter later.", "remember", ("text", text)),
            [{ Name: "remember" }] => Submit("I will remember that."),
            [{ Name: "recall", Value: IEnumerable<object?> found }] when found.FirstOrDefault() is FieldMap known => isOrder
                ? Call("I must drop it.", "forget", ("id", known["id"]))
                : Submit($"You told me: {known["text"]}"),
            [.., { Name: "forget", IsError: false }] => Submit("It is forgotten."),
            _ => Submit("I know nothing of that."),
        };
    });

    // Results since the last message of the user; those of earlier messages stand before it.
    private static ToolResult[] ResultsOfNow(ScriptedRequest request) =>
        [.. request.ToolResults.Reverse().TakeWhile(result => result.Name != "submit").Reverse()];

    private static string Call(string thought, string tool, params (string, object?)[] arguments) => ScriptedChatClient.ToolText(thought, (tool, FieldMap.Of(arguments)));

    private static string Submit(string answer) => Call("I can answer.", "submit", ("answer", answer));
}
