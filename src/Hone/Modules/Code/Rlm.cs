using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hone;

/// <summary>
/// A recursive language model (Zhang, Kraska and Khattab 2025, arXiv 2512.24601): its inputs are variables of an interpreter, of which the model is shown types, lengths
/// and ends. It writes code, piece by piece, that looks into them and asks models about parts of them, until it submits the outputs. Inputs may be far longer
/// than any context. Its predictors are <c>generate_action</c>, <c>extract</c> (when the code did not submit) and <c>llm_query</c>; those of runs inside the run
/// are below <c>rlm_query</c>.
/// </summary>
/// <typeparam name="TIn">What goes in.</typeparam>
/// <typeparam name="TOut">What comes out.</typeparam>
public abstract class RlmModule<TIn, TOut> : Module<TIn, TOut>, IToolModule
{
    private readonly RlmCore core;

    private protected RlmModule(Signature task, ICodeInterpreter interpreter, IEnumerable<AIFunction>? tools, RlmOptions? options)
    {
        core = new(task, interpreter, tools ?? [], options ?? new());
        ToolBinder.CheckNames(this, core.Tools.Select(tool => new ToolBinding(tool.Name, tool)));
    }

    /// <summary>The task: inputs, outputs and instructions.</summary>
    public Signature Signature => core.Task;

    /// <summary>How the module works.</summary>
    public RlmOptions Options => core.Options;

    ImmutableArray<AIFunction> IToolModule.Tools => core.Tools;

    ImmutableArray<string> IToolModule.ReservedToolNames => [CodeSessionOptions.SubmitFunction, .. RlmFunction.Names];

    /// <summary>Runs the module inside the current scope and tells how it came out: the steps, and whether the code submitted the outputs.</summary>
    /// <param name="input">The inputs.</param>
    /// <param name="cancellationToken">Stops the code, the requests and the tools.</param>
    /// <exception cref="HoneException">No model is in scope, or an input is missing.</exception>
    /// <exception cref="CodeInterpreterException">The interpreter is not installed, or breaks again and again.</exception>
    /// <exception cref="AdapterParseException">The code did not submit, and the outputs could not be drawn from its steps.</exception>
    public Task<RlmResult<TOut>> RunAsync(TIn input, CancellationToken cancellationToken = default) => Observation.IsOn(HoneScope.Current)
        ? ObserveAsync(input, () => WorkAsync(input, cancellationToken))
        : WorkAsync(input, cancellationToken);

    /// <inheritdoc/>
    protected internal sealed override IEnumerable<KeyValuePair<string, Module>> GetChildren()
    {
        yield return new("generate_action", core.Act);
        yield return new("extract", core.Extract);
        if (core.Asks)
            yield return new(RlmFunction.Query, core.Query);
        if (core.Inner is { } inner)
            yield return new(RlmFunction.Run, inner);
    }

    internal sealed override LM? ModelOf(string child) => child is RlmFunction.Query or RlmFunction.Run ? core.Options.SubModel : null;

    /// <inheritdoc/>
    protected sealed override async Task<TOut> ForwardAsync(TIn input, CancellationToken cancellationToken) =>
        (await WorkAsync(input, cancellationToken).ConfigureAwait(false)).Output;

    private protected sealed override string? PathIn(HoneScope? scope) => ModulePaths.Of(scope, core.Act, "generate_action");

    private protected abstract FieldMap Write(TIn input);

    private protected abstract TOut Read(FieldMap outputs);

    /// <summary>A run inside another, under what that one may still spend.</summary>
    internal Task<RlmOutcome> RunInsideAsync(FieldMap inputs, CallQuota quota, CancellationToken cancellationToken) => Observation.IsOn(HoneScope.Current)
        ? ObserveAsync(inputs, () => StartAsync(inputs, quota, isInner: true, cancellationToken))
        : StartAsync(inputs, quota, isInner: true, cancellationToken);

    private static string Describe(RlmStopReason reason) => reason switch
    {
        RlmStopReason.MaxSteps => "its steps were used up",
        RlmStopReason.MaxModelCalls => "its model calls were used up",
        RlmStopReason.UnreadableStep => "a step could not be read",
        _ => "its steps are longer than the model's context",
    } + ", so the outputs are drawn from what there is";

    private async Task<RlmResult<TOut>> WorkAsync(TIn input, CancellationToken cancellationToken)
    {
        var quota = new CallQuota(core.Options.MaxModelCalls);
        var outcome = await StartAsync(Write(input), quota, isInner: false, cancellationToken).ConfigureAwait(false);
        return new() { Output = Read(outcome.Outputs), Reason = outcome.Reason, Steps = outcome.Steps, ModelCalls = quota.Limit - quota.Left };
    }

    private async Task<RlmOutcome> StartAsync(FieldMap given, CallQuota quota, bool isInner, CancellationToken cancellationToken)
    {
        var scope = HoneScope.Current;
        var inputs = PredictorInputs.Complete(nameof(Rlm), Signature, given, scope?.Logger ?? NullLogger.Instance);
        var tools = scope?.Tools?.TryGetValue(this, out var bound) == true ? [.. bound.Select(tool => tool.Function)] : core.Tools;
        var outcome = await new RlmRun(core, tools, inputs, quota, isInner).RunAsync(cancellationToken).ConfigureAwait(false);
        if (outcome.Reason != RlmStopReason.Submitted)
            ModuleLog.Stopped(scope, nameof(Rlm), PathIn(scope), outcome.Steps.Length, Describe(outcome.Reason));
        return outcome;
    }
}

/// <summary>A recursive language model over field maps: the dynamic lane.</summary>
public sealed class Rlm : RlmModule<FieldMap, FieldMap>
{
    /// <summary>Creates the module.</summary>
    /// <param name="signature">Its task. Names of inputs and outputs are names in the code.</param>
    /// <param name="interpreter">What runs the code; it stays the caller's.</param>
    /// <param name="tools">What the code can call beside models; none when null.</param>
    /// <param name="options">How it works; the defaults when null.</param>
    /// <exception cref="HoneException">A field or a tool has a name or a type that cannot be.</exception>
    public Rlm(Signature signature, ICodeInterpreter interpreter, IEnumerable<AIFunction>? tools = null, RlmOptions? options = null)
        : base(signature ?? throw new ArgumentNullException(nameof(signature)), interpreter, tools, options)
    {
    }

    /// <summary>A module from a string signature.</summary>
    /// <param name="signature">Inputs, an arrow, outputs.</param>
    /// <param name="interpreter">What runs the code; it stays the caller's.</param>
    /// <param name="tools">What the code can call beside models; none when null.</param>
    /// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
    /// <param name="options">How it works; the defaults when null.</param>
    /// <exception cref="HoneException">The text is not a signature, or a field or a tool has a name or a type that cannot be.</exception>
    public static Rlm Parse(
        string signature, ICodeInterpreter interpreter, IEnumerable<AIFunction>? tools = null, string? instructions = null, RlmOptions? options = null) =>
        new(Signature.Parse(signature, instructions), interpreter, tools, options);

    private protected override FieldMap Write(FieldMap input) => input;

    private protected override FieldMap Read(FieldMap outputs) => outputs;
}

/// <summary>A recursive language model from a record to a record.</summary>
/// <typeparam name="TIn">A record whose properties are the inputs; a bare type is one input called <c>input</c>.</typeparam>
/// <typeparam name="TOut">A record whose properties are the outputs; a bare type is one output called <c>answer</c>.</typeparam>
public sealed class Rlm<[DynamicallyAccessedMembers(ClrReflection.Members)] TIn, [DynamicallyAccessedMembers(ClrReflection.Members)] TOut>
    : RlmModule<TIn, TOut>
{
    /// <summary>Creates the module.</summary>
    /// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
    /// <param name="interpreter">What runs the code; it stays the caller's.</param>
    /// <param name="tools">What the code can call beside models; none when null.</param>
    /// <param name="options">How it works; the defaults when null.</param>
    /// <exception cref="HoneException">A field or a tool has a name or a type that cannot be.</exception>
    public Rlm(string? instructions, ICodeInterpreter interpreter, IEnumerable<AIFunction>? tools = null, RlmOptions? options = null)
        : base(TypedSignature.Of<TIn, TOut>(instructions), interpreter, tools, options)
    {
    }

    private protected override FieldMap Write(TIn input) => TypedSignature.InputsOf(input);

    private protected override TOut Read(FieldMap outputs) => SignatureReflector.FromFieldMap<TOut>(outputs, FieldDirection.Output);
}
