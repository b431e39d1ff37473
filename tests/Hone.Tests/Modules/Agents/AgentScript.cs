using System.ComponentModel;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Modules.Agents;

/// <summary>Turns of a scripted model, as text and in the provider's own form, and a few tools.</summary>
internal static class AgentScript
{
    public static readonly ModelCapabilities Native = new() { NativeTools = true, ParallelTools = true };

    public static AIFunction Add { get; } = AIFunctionFactory.Create(
        [Description("Adds two numbers.")] (int a, int b = 2) => a + b, "add");

    public static AIFunction Fail { get; } = AIFunctionFactory.Create(
        string (string x) => throw new InvalidOperationException($"no luck with {x}"), "fail", "Always fails.");

    /// <summary>A turn as text in the chat format.</summary>
    public static string Turn(string thought, params (string Name, string Arguments)[] calls) =>
        $$"""
        [[ ## next_thought ## ]]
        {{thought}}

        [[ ## tool_calls ## ]]
        {"tool_calls": [{{string.Join(", ", calls.Select(call => $"{{\"name\": \"{call.Name}\", \"args\": {call.Arguments}}}"))}}]}

        [[ ## completed ## ]]
        """;

    /// <summary>A turn in the provider's own form.</summary>
    public static ChatResponse Calls(params (string Name, object? Arguments)[] calls) => new(new ChatMessage(
        ChatRole.Assistant,
        [
            .. calls.Select((call, index) => new FunctionCallContent(
                $"id{index}", call.Name, call.Arguments?.GetType().GetProperties().ToDictionary(property => property.Name, property => property.GetValue(call.Arguments)))),
        ]))
    {
        FinishReason = ChatFinishReason.ToolCalls,
    };

    /// <summary>A model that knows tools and answers turn by turn.</summary>
    public static (ScriptedChatClient Client, LM Model) NativeModel(params ChatResponse[] turns)
    {
        var client = ScriptedChatClient.ByAsync((_, index, _) => Task.FromResult(turns[index]));
        return (client, new LM(client) { Capabilities = Native });
    }
}
