namespace Hone.Engine;

/// <summary>A prompt leaves no room in the model's context.</summary>
public sealed class ContextLengthExceededException : ContextWindowExceededException
{
    internal ContextLengthExceededException(int promptTokens, int newTokens, int maxContext)
        : base($"The prompt has {promptTokens} tokens and at least {newTokens} more must fit, but the context holds {maxContext}. " +
            $"Shorten the prompt, or raise {nameof(EngineOptions)}.{nameof(EngineOptions.MaxContext)} if the model allows it.") =>
        (PromptTokens, MaxContext) = (promptTokens, maxContext);

    /// <summary>Length of the prompt in tokens.</summary>
    public int PromptTokens { get; }

    /// <summary>Longest prompt plus completion in tokens.</summary>
    public int MaxContext { get; }
}
