using System.Text.Json;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Streaming;

/// <summary>Plays the model: its answers arrive in pieces of seven characters, which are cut without regard to words and markers.</summary>
internal static class ScriptedModel
{
    public static IChatClient Create() => ScriptedChatClient.By((request, _) => ScriptedChatClient.ChatText(request.Path == "plan"
        ? Plan(request.Input("topic"))
        : FieldMap.Of(("story", string.Concat(JsonSerializer.Deserialize<string[]>(request.Input("scenes"))!.Select(scene => $"Then {scene}. ")))))).StreamingInPiecesOf(7);

    private static FieldMap Plan(string topic) => FieldMap.Of(
        ("reasoning", "A beginning, a turn, an end."),
        ("title", $"Of {topic}"),
        ("scenes", new[] { $"{topic} came to the harbour", "a storm rose", $"{topic} lit the lamp", "all ships came home" }));
}
