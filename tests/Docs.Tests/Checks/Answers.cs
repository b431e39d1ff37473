using Hone;
using Hone.Testing;

namespace Docs.Tests.Checks;

/// <summary>What scripted models say in the examples.</summary>
internal static class Answers
{
    /// <summary>The chat format's text of an answer.</summary>
    public static string Of(params ReadOnlySpan<(string Name, object? Value)> outputs) => ScriptedChatClient.ChatText(FieldMap.Of(outputs));

    /// <summary>A client that gives one answer to every request.</summary>
    public static ScriptedChatClient Always(params ReadOnlySpan<(string Name, object? Value)> outputs)
    {
        var text = Of(outputs);
        return ScriptedChatClient.By((_, _) => text);
    }
}
