using System.Text.RegularExpressions;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Classification;

/// <summary>Plays the model: takes the category whose name shares most words with the message, unless an example in the prompt shares more.</summary>
internal static partial class ScriptedModel
{
    public static IChatClient Create() => ScriptedChatClient.By((request, _) =>
    {
        var words = WordEmbeddings.Words(request.Input("text")).ToHashSet();
        var named = Choices().Match(request.SystemText).Groups[1].Value.Split("; ").Select(category => (Text: category.Replace('_', ' '), Category: category));
        var shown = request.Messages.Where(message => message.Role == ChatRole.User).Zip(
            request.Messages.Where(message => message.Role == ChatRole.Assistant),
            (question, answer) => (question.Text, Category: answer.Text.Split('\n')[1]));
        var (_, category) = named.Concat(shown).MaxBy(choice => WordEmbeddings.Words(choice.Text).Count(words.Contains));
        return ScriptedChatClient.ChatText(FieldMap.Of(("category", category)));
    });

    [GeneratedRegex("must be exactly one of: (.+)")]
    private static partial Regex Choices();
}
