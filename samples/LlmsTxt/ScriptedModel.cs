using System.Text.Json;
using System.Text.RegularExpressions;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace LlmsTxt;

/// <summary>Plays the model: the first sentence of a file describes it, and paths say what files are.</summary>
internal static partial class ScriptedModel
{
    public static IChatClient Create() => ScriptedChatClient.By((request, _) => ScriptedChatClient.ChatText(request.FindInput("files") is { } files
        ? FieldMap.Of(("reasoning", "The first file says it."), ("text", JsonSerializer.Deserialize<string[]>(files)![0].Split(": ", 2)[1]))
        : request.SystemText.Contains("how to begin", StringComparison.Ordinal) ? FieldMap.Of(("steps", Command().Matches(request.Input("text")).Select(match => match.Value).Take(3).ToArray()))
        : Describe(request, request.Input("path"), request.Input("text"))));

    private static FieldMap Describe(ScriptedRequest request, string path, string text)
    {
        var sentence = text.Split('\n').Select(line => line.TrimStart('/', '<', '!', '-', ' ')).FirstOrDefault(line => line is [not ('#' or '{' or '\r'), ..]) ?? "No words.";

        // Told that it was too long, it takes the part before the first comma, or as much as fits.
        if (request.Messages.Count(message => message.Role == ChatRole.User) > 1)
            sentence = string.Concat(sentence.Split(',')[0].Take(79)) + ".";
        return FieldMap.Of(
            ("section", path.EndsWith(".md", StringComparison.Ordinal) ? "Docs" : path.StartsWith("src/", StringComparison.Ordinal) ? "Source" : "Optional"), ("description", sentence));
    }

    [GeneratedRegex("`[^`\n]+`")]
    private static partial Regex Command();
}
