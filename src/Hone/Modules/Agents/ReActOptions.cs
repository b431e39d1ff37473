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
    /// How many tokens of a request the conversation, its inputs and the tools may take, by <see cref="CountTokens"/>: before a request that is estimated to be longer,
    /// the oldest turns are left out of it, one by one, up to the last. What is kept, and <see cref="AgentResult{TOut}.History"/>, stays whole. A provider that refuses a
    /// request as too long makes the agent leave out more, with or without this.
    /// </summary>
    /// <value>None by default; at least 1. Leave room for the instructions and the answer.</value>
    public int? MaxContextTokens
    {
        get;
        init
        {
            if (value is { } most)
                ArgumentOutOfRangeException.ThrowIfLessThan(most, 1, nameof(MaxContextTokens));
            field = value;
        }
    }

    /// <summary>Counts the tokens of a text for <see cref="MaxContextTokens"/>.</summary>
    /// <value>A token for every four characters by default, which fits English.</value>
    public Func<string, int> CountTokens { get; init; } = static text => (text.Length + 3) / 4;

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
    /// Required when there is such a tool. Calls of one turn are asked about one after another, in their order, before any of them runs.
    /// </summary>
    public Func<ToolCall, CancellationToken, ValueTask<bool>>? ApproveAsync { get; init; }

    /// <summary>Services for tools that ask for some.</summary>
    public IServiceProvider? Services { get; init; }
}

/// <summary>Makes tools of plain methods.</summary>
public static class AgentTools
{
    /// <summary>
    /// Each method as a tool: its name, without <c>Async</c>, and its <see cref="System.ComponentModel.DescriptionAttribute"/> are what models are shown, its parameters are
    /// the arguments. A cancellation token and services are passed by the agent.
    /// </summary>
    /// <param name="methods">Methods, e.g. <c>AgentTools.From(Add, SearchAsync)</c>.</param>
    /// <exception cref="HoneException">A method has no name that models could use, as a lambda has none.</exception>
    public static System.Collections.Immutable.ImmutableArray<AIFunction> From(params ReadOnlySpan<Delegate> methods)
    {
        var tools = System.Collections.Immutable.ImmutableArray.CreateBuilder<AIFunction>(methods.Length);
        foreach (var method in methods)
        {
            ArgumentNullException.ThrowIfNull(method, nameof(methods));
            if (method.Method.Name.AsSpan().ContainsAny('<', '>'))
                throw new HoneException(
                    $"A tool is made of a lambda or a local function, which has no name of its own ({method.Method}). Give it one with AIFunctionFactory.Create(method, name).");
            tools.Add(AIFunctionFactory.Create(method));
        }

        return tools.MoveToImmutable();
    }
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
