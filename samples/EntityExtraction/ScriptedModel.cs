using System.Text.RegularExpressions;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace EntityExtraction;

/// <summary>Plays the model: reads the sentence by patterns. It writes prices in words until it is told that this is no number, and now and then a marker in bold.</summary>
internal static partial class ScriptedModel
{
    public static IChatClient Create() => ScriptedChatClient.By((request, _) =>
    {
        var sentence = request.Input("sentence");
        var (price, isBillions) = (Price().Match(sentence).Groups[1].Value, sentence.Contains("billion", StringComparison.Ordinal));
        var isAskedAgain = request.LastText.Contains("could not be read", StringComparison.Ordinal);
        var names = Named().Matches(sentence).Select(match => FieldMap.Of(("name", match.Groups[1].Value), ("city", match.Groups[2].Success ? match.Groups[2].Value : null))).ToArray();
        var answer = ScriptedChatClient.ChatText(FieldMap.Of(
            ("kind", sentence.Contains("merged", StringComparison.Ordinal) ? "merger" : sentence.Contains("invested", StringComparison.Ordinal) ? "investment" : "purchase"),
            ("buyer", names.FirstOrDefault()),
            ("target", names.ElementAtOrDefault(1)),
            ("millions", !isBillions ? price : isAskedAgain ? $"{price.Replace(".", "", StringComparison.Ordinal)}00" : $"{price} billion"),
            ("people", Who().Matches(sentence).Select(match => FieldMap.Of(("name", match.Groups[2].Value), ("role", match.Groups[1].Value))).ToArray())));
        return sentence.Contains("invested", StringComparison.Ordinal) ? answer.Replace("[[ ## people ## ]]", "**[[ ## people ## ]]**", StringComparison.Ordinal) : answer;
    });

    [GeneratedRegex(@"([\d.]+) (million|billion)")]
    private static partial Regex Price();

    // A company stands first, or behind bought, with or in; its city behind "of".
    [GeneratedRegex(@"(?:^|bought |with |in )([A-Z]\w+)(?: of ([A-Z]\w+))?")]
    private static partial Regex Named();

    [GeneratedRegex(@"(chief executive|founder|chairman) ([A-Z]\w+ [A-Z]\w+)")]
    private static partial Regex Who();
}
