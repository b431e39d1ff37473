using Hone;

namespace ConversationHistory;

/// <summary>What the user says now, and what was said before.</summary>
public sealed record Message(History History, string Text);

/// <summary>What the model says.</summary>
public sealed record Reply(string Answer);

/// <summary>What the user says when nobody types.</summary>
internal static class Conversation
{
    public static readonly string[] Lines =
    [
        "My name is Ada.",
        "My dog is Rex.",
        "What is my dog?",
        "What is my name?",
        "My name is Ada.",
        "What is my name?",
    ];
}
