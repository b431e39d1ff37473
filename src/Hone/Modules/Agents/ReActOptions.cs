using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>How an agent works.</summary>
public sealed record ReActOptions
{
    /// <summary>How many turns the agent may take before it is made to submit what it has.</summary>
    /// <value>20 by default; at least 1.</value>
    public int MaxSteps
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxSteps)); field = value; }
    } = 20;

    /// <summary>How many of the tools that the model calls in one turn run at once.</summary>
    /// <value>8 by default; 1 runs them one after another.</value>
    public int MaxParallelTools
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxParallelTools)); field = value; }
    } = 8;

    /// <summary>How long a tool may take; the model is told when it took longer. <see cref="ToolExtensions.WithTimeout"/> sets a limit of one tool.</summary>
    /// <value>None by default.</value>
    public TimeSpan? ToolTimeout { get; init; }

    /// <summary>How the model is told to work.</summary>
    /// <value><see cref="AgentPrompt.ReAct"/> by default.</value>
    public AgentPrompt Prompt { get; init; } = AgentPrompt.ReAct;

    /// <summary>
    /// True gives tools as tools to a model that knows them (<see cref="ModelCapabilities.NativeTools"/>), and as text to another. False leaves it to
    /// the adapter.
    /// </summary>
    /// <value>True by default.</value>
    public bool UseNativeTools { get; init; } = true;

    /// <summary>
    /// Asked before each call of a tool that needs approval (<see cref="ApprovalRequiredAIFunction"/>); false tells the model that it may not.
    /// Required when there is such a tool.
    /// </summary>
    public Func<ToolCall, CancellationToken, ValueTask<bool>>? ApproveAsync { get; init; }

    /// <summary>Services for tools that ask for some.</summary>
    public IServiceProvider? Services { get; init; }
}

/// <summary>Prepares tools for agents.</summary>
public static class ToolExtensions
{
    /// <summary>The tool with a time limit of its own, in place of <see cref="ReActOptions.ToolTimeout"/>.</summary>
    /// <param name="tool">The tool.</param>
    /// <param name="timeout">More than zero.</param>
    public static AIFunction WithTimeout(this AIFunction tool, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(tool);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        return new TimedTool(tool, timeout);
    }

    /// <summary>
    /// Runs tools that a model has called, as an agent does: side by side, with arguments checked and mended; what goes wrong is a result that says so.
    /// </summary>
    /// <param name="calls">The calls, e.g. an output of a predictor.</param>
    /// <param name="tools">The tools that were offered.</param>
    /// <param name="options">Time limit, approval, how many at once; the defaults when null.</param>
    /// <param name="cancellationToken">Stops the tools.</param>
    /// <returns>The results, in the order of the calls.</returns>
    public static async Task<ToolResults> RunAsync(
        this ToolCalls calls, IEnumerable<AIFunction> tools, ReActOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(calls);
        ArgumentNullException.ThrowIfNull(tools);
        var runner = new ToolRunner([.. tools], options ?? new(), null);
        return new([.. await runner.RunAsync(calls.Calls, cancellationToken).ConfigureAwait(false)]);
    }
}
