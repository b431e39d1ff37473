using System.Collections.Immutable;

namespace Hone;

/// <summary>Why a run of <see cref="Rlm"/> ended.</summary>
public enum RlmStopReason
{
    /// <summary>The code submitted outputs that fit.</summary>
    Submitted,

    /// <summary>The steps were used up; the outputs were drawn from them.</summary>
    MaxSteps,

    /// <summary>The model calls were used up, which ends a run inside another; the outputs were drawn from its steps.</summary>
    MaxModelCalls,

    /// <summary>A step could not be read, or was declined or cut off; the outputs were drawn from those before.</summary>
    UnreadableStep,

    /// <summary>The steps are longer than the model's context, even when only the last is shown; the outputs were drawn from it.</summary>
    ContextWindowExceeded,
}

/// <summary>One step of a run.</summary>
/// <param name="Reasoning">What the model thought; null when it did not say.</param>
/// <param name="Code">The code that it wrote.</param>
/// <param name="Output">What the code printed and gave, up to <see cref="CodeLimits.MaxOutputLength"/>; after it, what went wrong.</param>
/// <param name="IsError">True when the code failed or what it submitted did not fit, whatever it printed.</param>
public sealed record RlmStep(string? Reasoning, string Code, string Output, bool IsError);

/// <summary>How a run of <see cref="Rlm"/> came out.</summary>
/// <typeparam name="TOut">What comes out.</typeparam>
public sealed record RlmResult<TOut>
{
    /// <summary>The outputs.</summary>
    public required TOut Output { get; init; }

    /// <summary>Why the run ended.</summary>
    public required RlmStopReason Reason { get; init; }

    /// <summary>True when the code submitted the outputs; false when a model drew them from the steps.</summary>
    public bool IsSubmitted => Reason == RlmStopReason.Submitted;

    /// <summary>The steps, all of them, whatever had to be left out of a request.</summary>
    public ImmutableArray<RlmStep> Steps { get; init; } = [];

    /// <summary>How many of <see cref="RlmOptions.MaxModelCalls"/> were used.</summary>
    public int ModelCalls { get; init; }
}
