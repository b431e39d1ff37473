using System.Text.RegularExpressions;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace LongDocument;

/// <summary>What a model might do, so that the sample runs without one: it writes this code, and reads the notes that the code asks about.</summary>
internal static partial class ScriptedModel
{
    private static readonly (string Thought, string Code)[] Steps =
    [
        ("How long is it, and how does it begin?", "console.log(report.length); console.log(report.slice(0, 300))"),
        ("An entry a line. The ones with damage are few: I take them out.", """
            entries = report.trim().split('\n');
            damaged = entries.map(line => /depot (\w+)\..* Damaged: (\d+)\. Note: (.*)/.exec(line)).filter(found => found)
                .map(found => ({ depot: found[1], parcels: Number(found[2]), note: found[3] }));
            console.log(entries.length, damaged.length, damaged.slice(0, 3))
            """),
        ("No word tells water from the rest: the notes must be read, many to a prompt.", """
            size = Math.ceil(damaged.length / 20); prompts = [];
            for (let i = 0; i < damaged.length; i += size)
                prompts.push('Which of these notes tell of damage by water? Give their numbers alone, separated by commas.\n'
                    + damaged.slice(i, i + size).map((entry, j) => `${i + j}: ${entry.note}`).join('\n'));
            wet = llm_query_batched(prompts).flatMap(answer => answer.match(/\d+/g) || []).map(Number);
            console.log(prompts.length, wet.length)
            """),
        ("Now the sums.", """
            totals = {};
            for (const i of wet) totals[damaged[i].depot] = (totals[damaged[i].depot] || 0) + damaged[i].parcels;
            console.log(totals)
            """),
        ("That is the answer.", "[depot, parcels] = Object.entries(totals).sort((a, b) => b[1] - a[1])[0]; SUBMIT({ depot, parcels })"),
    ];

    public static IChatClient Create() => ScriptedChatClient.By((request, _) => request.Path == "llm_query"
        ? ScriptedChatClient.ChatText(FieldMap.Of(("answer", string.Join(", ", Notes().Matches(request.LastText)
            .Where(note => DepotReport.Wet.Contains(note.Groups[2].Value)).Select(note => note.Groups[1].Value)))))
        : Step(Steps[request.LastText.Split("=== Step ").Length - 1]));

    private static string Step((string Thought, string Code) step) => ScriptedChatClient.ChatText(FieldMap.Of(("reasoning", step.Thought), ("code", step.Code)));

    [GeneratedRegex(@"^(\d+): (.*)\.\r?$", RegexOptions.Multiline)]
    private static partial Regex Notes();
}
