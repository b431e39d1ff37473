using System.Text.RegularExpressions;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace PromptSearch;

/// <summary>Two scripts, so that the sample runs without a model: one that routes tickets, one that writes instructions.</summary>
internal static partial class ScriptedModels
{
    /// <summary>Guesses, unless its instructions or a demo say how this house does it; at temperature 1 it is right now and then.</summary>
    public static LM Clerk() => new(ScriptedChatClient.By((request, _) =>
    {
        var subject = Desk.SubjectOf(request.LastText);
        var told = Array.FindIndex([.. request.Messages], message => message.Role == ChatRole.User && message.Text.Contains(subject, StringComparison.Ordinal));
        var rule = Desk.Rules.First(rule => rule.Subject == subject);
        var team = request.SystemText.Contains($"'{subject}' goes to", StringComparison.Ordinal) ? rule.Right
            : told < request.Messages.Length - 1 ? Enum.Parse<Team>(Shown().Match(request.Messages[told + 1].Text).Groups[1].Value, ignoreCase: true)
            : request.Options is HoneChatOptions { Temperature: 1, SampleId: var sample } && ((sample ?? 0) + subject.Length) % 3 == 0 ? rule.Right
            : rule.Guess;
        return ScriptedChatClient.ChatText(FieldMap.Of(("team", team.ToString())));
    }), "scripted clerk");

    /// <summary>Copies what feedback says into the instructions, as a careful reader would.</summary>
    public static LM Writer() => new(ScriptedChatClient.By((request, _) =>
    {
        var rules = Lessons().Matches(string.Concat(request.Messages.Select(message => message.Text))).Select(match => match.Value).Distinct().Order();
        var text = "Name the team that looks after the ticket.\n" + string.Join('\n', rules);
        var outputs = Outputs().Matches(request.LastText).Select(match => match.Groups[1].Value).Distinct().Where(name => name != "completed");
        return ScriptedChatClient.ChatText(FieldMap.Create(outputs.Select(name => KeyValuePair.Create<string, object?>(
            name, name == "advice" ? FieldMap.Of(("self", string.Join('\n', rules))) : text))));
    }), "scripted writer");

    [GeneratedRegex(@"'[a-z ]+' goes to \w+")]
    private static partial Regex Lessons();

    [GeneratedRegex(@"\[\[ ## team ## \]\]\s+(\w+)")]
    private static partial Regex Shown();

    [GeneratedRegex(@"`\[\[ ## (\w+) ## \]\]`")]
    private static partial Regex Outputs();
}
