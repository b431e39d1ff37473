using System.Text.Json;
using System.Text.RegularExpressions;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace QuestionAnswering;

/// <summary>Plays the model: takes the sentence that shares most words with the question, and of it what the question word asks for.</summary>
internal static partial class ScriptedModel
{
    public static IChatClient Create() => ScriptedChatClient.By((request, _) =>
    {
        var question = request.Input("question");
        var sentences = JsonSerializer.Deserialize<string[]>(request.Input("context"))!;
        var asked = Words(question);
        var sentence = sentences.MaxBy(sentence => Words(sentence).Count(asked.Contains)) ?? "";
        return ScriptedChatClient.ChatText(FieldMap.Of(("reasoning", $"The context says: {sentence}"), ("answer", AnswerOf(question, sentence))));
    });

    private static string AnswerOf(string question, string sentence) => (question.Split(' ') switch
    {
        ["Who", ..] => Name(),
        ["When", ..] => Year(),
        ["How", ..] => Measure(),
        ["Where", ..] => Place(),
        _ => Rest(),
    }).Match(sentence) is { Success: true } found ? found.Value : sentence;

    private static HashSet<string> Words(string text) => [.. Word().Matches(text.ToLowerInvariant()).Select(match => match.Value).Where(word => word.Length > 3)];

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();

    [GeneratedRegex(@"[A-Z]\w+ [A-Z]\w+")]
    private static partial Regex Name();

    [GeneratedRegex(@"\b\d{4}\b")]
    private static partial Regex Year();

    [GeneratedRegex(@"\d+ \w+")]
    private static partial Regex Measure();

    [GeneratedRegex(@"(?<= (on|in|at) )[^.]+")]
    private static partial Regex Place();

    [GeneratedRegex(@"(?<= by )[^.]+")]
    private static partial Regex Rest();
}
