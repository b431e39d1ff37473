using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace ReActAgent;

/// <summary>What a model might do, turn by turn, so that the sample runs without one.</summary>
internal static class ScriptedModel
{
    public static IChatClient Create() => ScriptedChatClient.InSequence(
        Turn("I need the trains from Berlin to Prague.", ("find_trains", FieldMap.Of(("from", "Berlin"), ("to", "Prague")))),
        Turn("Two fit the budget of 50 euros. Are there seats?", ("seats", FieldMap.Of(("train", "Elbe Valley"))), ("seats", FieldMap.Of(("train", "Nite Owl")))),
        Turn("Elbe Valley is full, and I misspelt the other one.", ("seats", FieldMap.Of(("train", "Night Owl")))),
        Turn("Night Owl has seats: I book it.", ("book", FieldMap.Of(("train", "Night Owl")))),
        Turn("All is arranged.", ("submit", FieldMap.Of(("train", "Night Owl"), ("price", 29), ("message", "You leave at 22:50, in seat 4A.")))));

    private static string Turn(string thought, params (string Tool, FieldMap Arguments)[] calls) => ScriptedChatClient.ChatText(FieldMap.Of(
        ("next_thought", thought),
        ("tool_calls", FieldMap.Of(("tool_calls", calls.Select(call => FieldMap.Of(("name", call.Tool), ("args", call.Arguments))).ToArray())))));
}
