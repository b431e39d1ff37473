using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// An agent: a model that calls tools, turn by turn, until it submits the outputs of its task. What <see cref="ReAct"/> and
/// <see cref="ReAct{TIn,TOut}"/> have in common. Its predictor is called <c>react</c>.
/// </summary>
/// <typeparam name="TIn">What goes in.</typeparam>
/// <typeparam name="TOut">What comes out.</typeparam>
public abstract class ReActModule<TIn, TOut> : Module<TIn, TOut>, IToolModule
{
    private readonly AgentCore core;

    private protected ReActModule(Signature task, IEnumerable<AIFunction> tools, ReActOptions? options)
    {
        core = new(task, tools, options ?? new());
        ToolBinder.CheckNames(this, core.Tools.Select(tool => new ToolBinding(tool.Name, tool)));
    }

    /// <summary>The task: inputs, outputs and instructions, without what makes it the task of an agent.</summary>
    public Signature Signature => core.Task;

    /// <summary>How the agent works.</summary>
    public ReActOptions Options => core.Options;

    ImmutableArray<AIFunction> IToolModule.Tools => core.Tools;

    ImmutableArray<string> IToolModule.ReservedToolNames => [AgentCore.Submit];

    /// <summary>Runs the agent inside the current scope and tells how it came out; unlike <c>CallAsync</c> it does not throw when there are no outputs.</summary>
    /// <param name="input">The inputs.</param>
    /// <param name="history">The conversation to go on from: <see cref="AgentResult{TOut}.History"/> of an earlier run; null starts a new one.</param>
    /// <param name="maxSteps">Most turns of this run; null takes <see cref="ReActOptions.MaxSteps"/>.</param>
    /// <param name="cancellationToken">Stops the requests and the tools.</param>
    /// <exception cref="HoneException">No model is in scope, or an input is missing.</exception>
    public Task<AgentResult<TOut>> RunAsync(TIn input, History? history = null, int? maxSteps = null, CancellationToken cancellationToken = default)
    {
        if (maxSteps is { } most)
            ArgumentOutOfRangeException.ThrowIfLessThan(most, 1, nameof(maxSteps));
        return Observation.IsOn(HoneScope.Current)
            ? ObserveAsync(input, () => WorkAsync(input, history, maxSteps, cancellationToken))
            : WorkAsync(input, history, maxSteps, cancellationToken);
    }

    /// <inheritdoc/>
    protected internal sealed override IEnumerable<KeyValuePair<string, Module>> GetChildren() => [new("react", core.React)];

    /// <inheritdoc/>
    /// <exception cref="AgentException">The agent stopped without outputs.</exception>
    protected sealed override async Task<TOut> ForwardAsync(TIn input, CancellationToken cancellationToken)
    {
        var result = await WorkAsync(input, null, null, cancellationToken).ConfigureAwait(false);
        return result.HasOutput ? result.Output : throw new AgentException(NameOf(), Signature, result.Reason, result.History, result.Steps);
    }

    private protected sealed override CallKind Kind => CallKind.Agent;

    private protected sealed override string? PathIn(HoneScope? scope) => ModulePaths.Of(scope, core.React, "react");

    private protected abstract FieldMap Write(TIn input);

    private protected abstract TOut Read(FieldMap outputs);

    private async Task<AgentResult<TOut>> WorkAsync(TIn input, History? history, int? maxSteps, CancellationToken cancellationToken)
    {
        var scope = HoneScope.Current;
        var inputs = PredictorInputs.Complete(
            NameOf(), Signature, Write(input), scope?.Logger ?? Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        var run = new AgentRun(core, core.ToolsIn(scope, this), inputs, history ?? History.Empty, maxSteps);
        var outcome = await run.RunAsync(cancellationToken).ConfigureAwait(false);
        if (outcome.Cause != AgentStopReason.Submitted)
            ModuleLog.Stopped(scope, nameof(ReAct), PathIn(scope), outcome.Steps.Length, AgentException.Describe(outcome.Cause, outcome.Reason));
        return new()
        {
            Reason = outcome.Reason,
            Cause = outcome.Cause,
            Output = outcome.Outputs is { } outputs ? Read(outputs) : default,
            Steps = outcome.Steps,
            History = outcome.History,
        };
    }

    // Known by its predictor, which is directly below it.
    private string NameOf() => HoneScope.Current?.Bindings?.GetValueOrDefault(((IPredictorModule)core.React).Predictor)?.Path ?? "react";
}

/// <summary>An agent over field maps: the dynamic lane.</summary>
public sealed class ReAct : ReActModule<FieldMap, FieldMap>
{
    /// <summary>Creates an agent.</summary>
    /// <param name="signature">Its task.</param>
    /// <param name="tools">What it can call: any <see cref="AIFunction"/>, tools of an MCP client included.</param>
    /// <param name="options">How it works; the defaults when null.</param>
    /// <exception cref="HoneException">A field or a tool has a name that the agent needs, or two tools have the same one.</exception>
    public ReAct(Signature signature, IEnumerable<AIFunction> tools, ReActOptions? options = null)
        : base(signature ?? throw new ArgumentNullException(nameof(signature)), tools, options)
    {
    }

    /// <summary>An agent from a string signature.</summary>
    /// <param name="signature">Inputs, an arrow, outputs.</param>
    /// <param name="tools">What it can call.</param>
    /// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
    /// <param name="options">How it works; the defaults when null.</param>
    /// <exception cref="HoneException">The text is not a signature, or a field or a tool has a name that the agent needs.</exception>
    public static ReAct Parse(string signature, IEnumerable<AIFunction> tools, string? instructions = null, ReActOptions? options = null) =>
        new(Signature.Parse(signature, instructions), tools, options);

    private protected override FieldMap Write(FieldMap input) => input;

    private protected override FieldMap Read(FieldMap outputs) => outputs;
}

/// <summary>An agent from a record to a record.</summary>
/// <typeparam name="TIn">A record whose properties are the inputs; a bare type is one input called <c>input</c>.</typeparam>
/// <typeparam name="TOut">A record whose properties are the outputs; a bare type is one output called <c>answer</c>.</typeparam>
public sealed class ReAct<[DynamicallyAccessedMembers(ClrReflection.Members)] TIn, [DynamicallyAccessedMembers(ClrReflection.Members)] TOut>
    : ReActModule<TIn, TOut>
{
    /// <summary>Creates an agent.</summary>
    /// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
    /// <param name="tools">What it can call: any <see cref="AIFunction"/>, tools of an MCP client included.</param>
    /// <param name="options">How it works; the defaults when null.</param>
    /// <exception cref="HoneException">A field or a tool has a name that the agent needs, or two tools have the same one.</exception>
    public ReAct(string? instructions, IEnumerable<AIFunction> tools, ReActOptions? options = null)
        : base(TypedSignature.Of<TIn, TOut>(instructions), tools, options)
    {
    }

    private protected override FieldMap Write(TIn input) => TypedSignature.InputsOf(input);

    private protected override TOut Read(FieldMap outputs) => SignatureReflector.FromFieldMap<TOut>(outputs, FieldDirection.Output);
}
