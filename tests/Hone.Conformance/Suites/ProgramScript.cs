using System.Text.Json;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Conformance;

/// <summary>What a recorded model says, call by call: a text, several completions of one call, or an error (<c>!context</c>).</summary>
internal static class ProgramScript
{
    /// <summary>As the reference recovers: no second asking, then JSON.</summary>
    public static RecoveryPolicy Recovery { get; } = new() { ReAsks = 0 };

    /// <summary>The completions in order; those of one call one after another.</summary>
    public static string[] Lines(JsonElement recorded, string name) =>
        [.. recorded.Items(name).SelectMany(item => item.ValueKind == JsonValueKind.Array ? item.EnumerateArray().Select(each => each.GetString()!) : [item.GetString()!])];

    public static ScriptedChatClient Client(IReadOnlyList<string> lines) => ScriptedChatClient.ByAsync((_, index, _) => Task.FromResult(Answer(lines, index)));

    /// <summary>Samples that are drawn side by side: each has its own line, whoever comes first; what is asked for again gets the lines behind those.</summary>
    public static ScriptedChatClient BySample(IReadOnlyList<string> lines, int samples)
    {
        var asked = new System.Collections.Concurrent.ConcurrentDictionary<long, bool>();
        var further = samples - 1;
        return ScriptedChatClient.ByAsync((request, _, _) =>
        {
            var sample = (request.Options as HoneChatOptions)?.SampleId ?? 0;
            return Task.FromResult(Answer(lines, asked.TryAdd(sample, true) ? (int)sample : Interlocked.Increment(ref further)));
        });
    }

    public static LM Model(ScriptedChatClient client) => new(client) { Retry = null };

    private static ChatResponse Answer(IReadOnlyList<string> lines, int index) => index >= lines.Count
        ? throw new InvalidOperationException($"the script holds {lines.Count} answers and was asked for one more")
        : lines[index] switch
        {
            "!context" => throw new ContextWindowExceededException("scripted"),
            ['!', ..] error => throw new InvalidOperationException(error),
            var text => ScriptedChatClient.Respond(text),
        };
}
