using System.Text.RegularExpressions;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace ConversationHistory;

/// <summary>Plays the model: knows what stands in the messages that it is sent, and nothing else.</summary>
internal static partial class ScriptedModel
{
    public static IChatClient Create() => ScriptedChatClient.By((request, _) =>
    {
        var text = request.Input("text");
        var answer = Told().Match(text) is { Success: true } told ? $"I see: your {told.Groups[1].Value} is {told.Groups[2].Value}."
            : Asked().Match(text) is { Success: true } asked ? Answer(request, asked.Groups[1].Value)
            : "Tell me something, like: My name is Ada.";
        return ScriptedChatClient.ChatText(FieldMap.Of(("answer", answer)));
    });

    // A model's own answers tell as much as the user's messages do.
    private static string Answer(ScriptedRequest request, string thing) => request.Messages
        .Where(message => message.Role != ChatRole.System)
        .SelectMany(message => Told().Matches(message.Text))
        .LastOrDefault(told => told.Groups[1].Value == thing) is { } known
            ? $"Your {thing} is {known.Groups[2].Value}."
            : $"I do not know your {thing}.";

    [GeneratedRegex(@"\b(?:[Mm]y|[Yy]our) (\w+) is (\w+)")]
    private static partial Regex Told();

    [GeneratedRegex(@"^What is my (\w+)\?")]
    private static partial Regex Asked();
}
