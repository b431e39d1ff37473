using System.Text.RegularExpressions;
using Hone.Testing;

namespace Hone.OptimizerStudy;

/// <summary>
/// Stands for the model that writes instructions: the embedded model cannot. It picks from a list of wordings by a hash of what it is asked, so its proposals
/// are no cleverer than chance; what an optimizer makes of them is its own.
/// </summary>
internal static partial class ScriptedWriter
{
    private static readonly string[] Wordings =
    [
        "Write a short query for the next article to find.",
        "Write the name of the next article to find.",
        "Copy the name that the key facts lead to.",
        "Note the facts that help to check the claim, one sentence each.",
        "Note only names that are new.",
        "Copy the sentences that name what the claim asks for.",
        "Name the intent of the customer's message in two or three words.",
        "Answer with what the customer wants to know.",
        "Think of the claim first, then write.",
        "Do the task step by step.",
        "Be brief.",
        "Use the words of the text.",
    ];

    public static LM Create() => new(ScriptedChatClient.By((request, _) =>
    {
        var outputs = Outputs().Matches(request.LastText).Select(match => match.Groups[1].Value).Distinct().Where(name => name != "completed");
        var hash = Hash(string.Concat(request.Messages.Select(message => message.Text)) + (request.Options as HoneChatOptions)?.SampleId);
        return ScriptedChatClient.ChatText(FieldMap.Create(outputs.Select(name => KeyValuePair.Create<string, object?>(name, name == "advice"
            ? FieldMap.Of(("generate_query", Wordings[hash % 3]), ("append_notes", Wordings[3 + (hash % 3)]), ("self", Wordings[6 + (hash % 2)]))
            : Wordings[hash % (ulong)Wordings.Length]))));
    }), "scripted writer")
    { Price = ModelPrice.Free };

    // FNV-1a: the same in every process.
    private static ulong Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var character in text)
            hash = (hash ^ character) * 1099511628211UL;
        return hash ^ (hash >> 31);
    }

    [GeneratedRegex(@"`\[\[ ## (\w+) ## \]\]`")]
    private static partial Regex Outputs();
}
