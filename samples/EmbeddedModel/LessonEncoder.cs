using System.Collections.Immutable;

namespace EmbeddedModel;

/// <summary>A lesson as tokens. The system turn is given, the user turn counts a little, the completion counts fully.</summary>
/// <param name="Tokens">Prompt, then completion with the end-of-turn token.</param>
/// <param name="UserStart">Index of the first token of the user turn.</param>
/// <param name="CompletionStart">Index of the first token of the completion.</param>
internal sealed record EncodedLesson(int[] Tokens, int UserStart, int CompletionStart);

/// <summary>Lessons as text in the chat format of the embedded model, and as tokens.</summary>
internal sealed class LessonEncoder(Adapter adapter, ChatTemplate template)
{
    /// <summary>The prompt as the engine renders it, and what the model should continue it with.</summary>
    public (string Prompt, string Completion) Render(Lesson lesson)
    {
        var messages = adapter.Render(new AdapterRequest(lesson.Signature, lesson.Inputs, ImmutableArray<Demo>.Empty));
        return (template.Render(messages, addGenerationPrompt: true), adapter.RenderOutputs(lesson.Signature, lesson.Outputs).TrimEnd());
    }

    /// <summary>The lesson as tokens.</summary>
    public EncodedLesson Encode(Lesson lesson, Tokenizer tokenizer)
    {
        var (prompt, completion) = Render(lesson);
        var promptTokens = tokenizer.Encode(prompt);
        var end = tokenizer.IdOf(template.EndOfTurnToken) ?? throw new InvalidOperationException($"The tokenizer lacks {template.EndOfTurnToken}.");
        var userStart = Array.IndexOf(promptTokens, end) + 1;
        return new([.. promptTokens, .. tokenizer.Encode(completion), end], userStart, promptTokens.Length);
    }
}
