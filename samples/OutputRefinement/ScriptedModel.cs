using System.Text.Json;
using System.Text.RegularExpressions;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace OutputRefinement;

/// <summary>Plays two models: a writer who is wordy, forgets terms, and follows advice; an adviser who passes on what the reward says.</summary>
internal static partial class ScriptedModel
{
    private static readonly string[] Drafts = ["The very best {0} that you will ever find in your life", "Simply {0}, {1}", "{0}: {1} for everyone"];

    public static IChatClient Create() => ScriptedChatClient.By((request, _) => ScriptedChatClient.ChatText(
        request.FindInput("reward") is { } reward ? Advice(request, reward) : FieldMap.Of(("text", Write(request)))));

    private static string Write(ScriptedRequest request)
    {
        var (product, terms) = (request.Input("product"), JsonSerializer.Deserialize<string[]>(request.Input("terms"))!);
        if (request.FindInput("hint_") is not { } hint)
            return string.Format(null, Drafts[(request.Options as HoneChatOptions)?.SampleId % Drafts.Length ?? 0], product, terms.FirstOrDefault());
        var wanted = Quoted().Matches(hint).Select(match => match.Groups[1].Value);
        return $"{product}: {string.Join(", ", terms.Take(1).Concat(wanted).Distinct())}";
    }

    private static FieldMap Advice(ScriptedRequest request, string reward)
    {
        var faults = Faults().Matches(reward).Select(match => match.Value.Replace("is missing", "must be in it", StringComparison.Ordinal));
        var module = JsonSerializer.Deserialize<string[]>(request.Input("modules"))![0];
        return FieldMap.Of(("discussion", "The writer does not count."), ("advice", FieldMap.Of((module, string.Join(' ', faults)))));
    }

    [GeneratedRegex("'([^']+)'")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"'[^']+' is missing\.|It has [^.]+\.")]
    private static partial Regex Faults();
}
