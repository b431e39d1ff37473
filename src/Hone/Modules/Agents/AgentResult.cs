using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Hone;

/// <summary>Why an agent stopped.</summary>
public enum AgentStopReason
{
    /// <summary>The model submitted the outputs.</summary>
    Submitted,

    /// <summary>The model submitted the outputs when it was made to, after one of the reasons below.</summary>
    ForcedSubmit,

    /// <summary>The turns were used up.</summary>
    MaxSteps,

    /// <summary>A turn could not be read, or was declined or cut off.</summary>
    UnreadableTurn,

    /// <summary>The model called no tool.</summary>
    NoToolCalls,

    /// <summary>The conversation is longer than the model's context, even without its older turns.</summary>
    ContextWindowExceeded,
}

/// <summary>One turn of an agent.</summary>
/// <param name="Thought">What the model thought; null when it did not say.</param>
/// <param name="Calls">The tools it called.</param>
/// <param name="Results">What they gave, in the order of the calls.</param>
public sealed record AgentStep(string? Thought, ToolCalls Calls, ToolResults Results);

/// <summary>How an agent's run came out. Check <see cref="HasOutput"/>: an agent may stop without an answer.</summary>
/// <typeparam name="TOut">What comes out.</typeparam>
public sealed record AgentResult<TOut>
{
    /// <summary>Why the agent stopped.</summary>
    public required AgentStopReason Reason { get; init; }

    /// <summary>What it came upon before it was made to submit; the same as <see cref="Reason"/> otherwise.</summary>
    public required AgentStopReason Cause { get; init; }

    /// <summary>The outputs; the type's default when there are none.</summary>
    public TOut? Output { get; init; }

    /// <summary>True when the model submitted the outputs.</summary>
    [MemberNotNullWhen(true, nameof(Output))]
    public bool HasOutput => Reason is AgentStopReason.Submitted or AgentStopReason.ForcedSubmit;

    /// <summary>The turns of this run, all of them, whatever had to be left out of a request.</summary>
    public ImmutableArray<AgentStep> Steps { get; init; } = [];

    /// <summary>The conversation with the turns of this run: pass it to the next run to go on from here.</summary>
    public History History { get; init; } = History.Empty;
}

/// <summary>An agent stopped without outputs.</summary>
public sealed class AgentException : HoneException
{
    internal AgentException(string agent, Signature task, AgentStopReason reason, History history, ImmutableArray<AgentStep> steps)
        : base($"The agent {agent} ({task.Shape}) stopped without outputs after {steps.Length} turn{(steps.Length == 1 ? string.Empty : "s")}: {Explain(reason)}")
    {
        (Reason, History, Steps) = (reason, history, steps);
    }

    /// <summary>Another run may end better.</summary>
    public override bool IsRetryable => Reason is not AgentStopReason.ContextWindowExceeded;

    /// <summary>Why it stopped.</summary>
    public AgentStopReason Reason { get; }

    /// <summary>The conversation up to then.</summary>
    public History History { get; }

    /// <summary>The turns up to then.</summary>
    public ImmutableArray<AgentStep> Steps { get; }

    /// <summary>Why an agent stopped, and what became of it, in a few words for a log.</summary>
    internal static string Describe(AgentStopReason cause, AgentStopReason reason)
    {
        var why = cause switch
        {
            AgentStopReason.MaxSteps => "its turns were used up",
            AgentStopReason.UnreadableTurn => "a turn could not be read",
            AgentStopReason.NoToolCalls => "the model called no tool",
            _ => "the conversation is longer than the model's context",
        };
        return reason == AgentStopReason.ForcedSubmit ? $"{why}, so it was made to submit, and did" : $"{why}, and it did not submit when it was made to";
    }

    private static string Explain(AgentStopReason reason) => reason switch
    {
        AgentStopReason.MaxSteps => "the turns were used up. Raise ReActOptions.MaxSteps, or give tools that need fewer.",
        AgentStopReason.UnreadableTurn => "a turn could not be read. Give the model another adapter, or look at the trace.",
        AgentStopReason.NoToolCalls => "the model called no tool, not even `submit`. Say in the instructions that it must.",
        AgentStopReason.ContextWindowExceeded => "the conversation is longer than the model's context. Let tools give less, or take another model.",
        _ => "it was made to submit and did not. Look at the trace.",
    } + " ReAct.RunAsync gives the turns without throwing.";
}
