using System.Text.Json;
using System.Text.RegularExpressions;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Rag;

/// <summary>Plays the model: of the sentences with a name or a number that the question lacks, takes the one that shares most words with it.</summary>
internal static partial class ScriptedModel
{
    public static IChatClient Create() => ScriptedChatClient.By((request, _) =>
    {
        var question = request.Input("question");
        var asked = Words(question).ToHashSet();
        var candidates =
            from passage in JsonSerializer.Deserialize<string[]>(request.Input("passages"))!
            let parts = passage.Split(" | ")
            from sentence in parts[1].TrimEnd('.').Split(". ")
            let answer = Names().Matches(sentence).LastOrDefault(match => !question.Contains(match.Value, StringComparison.Ordinal))
            where answer is not null
            select (Title: parts[0], Sentence: sentence, Answer: answer.Value);
        var best = candidates.DefaultIfEmpty((Title: "none", Sentence: "nothing", Answer: "unknown")).MaxBy(found => Words($"{found.Title} {found.Sentence}").Distinct().Count(asked.Contains));
        return ScriptedChatClient.ChatText(FieldMap.Of(
            ("reasoning", $"The page '{best.Title}' says: {best.Sentence}."), ("answer", best.Answer), ("sources", new[] { best.Title })));
    });

    private static IEnumerable<string> Words(string text) => Word().Matches(text.ToLowerInvariant()).Select(match => match.Value);

    [GeneratedRegex(@"\w{4,}")]
    private static partial Regex Word();

    // A name that does not begin the sentence, or a number with its unit.
    [GeneratedRegex(@"(?<= )(?:[A-Z]\w+(?: [A-Z]\w+)*|[\d,]*\d(?: [a-z]{3,})?)")]
    private static partial Regex Names();
}
