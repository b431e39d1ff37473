using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>How <see cref="ProgramOfThought"/> works.</summary>
public sealed record ProgramOfThoughtOptions
{
    /// <summary>How many pieces of code the model may write until one runs.</summary>
    /// <value>3 by default; at least 1.</value>
    public int MaxAttempts
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxAttempts)); field = value; }
    } = 3;

    /// <summary>What each piece of code may use up.</summary>
    public CodeLimits Limits { get; init; } = new();
}

/// <summary>How <see cref="CodeAct"/> works.</summary>
public sealed record CodeActOptions
{
    /// <summary>How many pieces of code the model may write before it must answer.</summary>
    /// <value>5 by default; at least 1.</value>
    public int MaxSteps
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxSteps)); field = value; }
    } = 5;

    /// <summary>What each piece of code may use up.</summary>
    public CodeLimits Limits { get; init; } = new();

    /// <summary>How long a tool may take.</summary>
    /// <value>None by default; more than zero.</value>
    public TimeSpan? ToolTimeout
    {
        get;
        init
        {
            if (value is { } limit)
                ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero, nameof(ToolTimeout));
            field = value;
        }
    }

    /// <summary>
    /// Asked before each call of a tool that needs approval (<see cref="ApprovalRequiredAIFunction"/>); false tells the code that it may not. Required when
    /// there is such a tool.
    /// </summary>
    public Func<ToolCall, CancellationToken, ValueTask<bool>>? ApproveAsync { get; init; }

    /// <summary>Services for tools that ask for some.</summary>
    public IServiceProvider? Services { get; init; }
}
