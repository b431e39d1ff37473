using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hone;

/// <summary>
/// An agent that acts by code: step by step a model writes a piece, which may call tools, and sees what it gave; then the outputs are drawn from all of it. Its
/// predictors are <c>codeact</c> and <c>extractor</c>.
/// </summary>
/// <typeparam name="TIn">What goes in.</typeparam>
/// <typeparam name="TOut">What comes out.</typeparam>
public abstract class CodeActModule<TIn, TOut> : Module<TIn, TOut>, IToolModule
{
    private const string Trajectory = "trajectory";
    private const string ToolInput = "tools";
    private const string Written = "generated_code";
    private const string Finished = "finished";

    private readonly ICodeInterpreter interpreter;
    private readonly ImmutableArray<AIFunction> tools;
    private readonly Predict act;
    private readonly ChainOfThought extract;

    private protected CodeActModule(Signature task, ICodeInterpreter interpreter, IEnumerable<AIFunction> tools, CodeActOptions? options)
    {
        ArgumentNullException.ThrowIfNull(interpreter);
        ArgumentNullException.ThrowIfNull(tools);
        (Signature, this.interpreter, this.tools, Options) = (task, interpreter, [.. tools], options ?? new());
        Check();
        var trajectory = new SignatureField(Trajectory, FieldType.String, FieldDirection.Input) { Description = "The code so far, and what it gave" };
        act = new(new(
            [
                .. task.Inputs,
                new(ToolInput, FieldType.String, FieldDirection.Input) { Description = "Functions that the code can call" },
                trajectory,
                new(Written, FieldType.CodeIn(interpreter.Language), FieldDirection.Output) { Description = "The next piece of code" },
                new(Finished, FieldType.Boolean, FieldDirection.Output) { Description = "Whether this piece completes what the outputs need" },
            ],
            ($"{task.Instructions}\n\nYou solve this task by code, step by step. In each step write one piece of code; you are shown what it gives before the next. "
            + $"{interpreter.Guidance}{CodeText.VariablesIn(task)} Collect what is needed for {CodeText.Names(task.Outputs.Select(output => output.Name))}, and show it. "
            + $"Set `{Finished}` to true with the piece after which nothing is missing.").TrimStart(),
            task.Name));
        extract = new(new(
            [.. task.Inputs, trajectory, .. task.Outputs],
            $"{task.Instructions}\n\nCode was run for this, step by step. Give {CodeText.Names(task.Outputs.Select(output => output.Name))} by what it gave.".TrimStart(),
            task.Name));
    }

    /// <summary>The task: inputs, outputs and instructions.</summary>
    public Signature Signature { get; }

    /// <summary>How the module works.</summary>
    public CodeActOptions Options { get; }

    ImmutableArray<AIFunction> IToolModule.Tools => tools;

    ImmutableArray<string> IToolModule.ReservedToolNames => [CodeSessionOptions.SubmitFunction];

    /// <inheritdoc/>
    protected internal sealed override IEnumerable<KeyValuePair<string, Module>> GetChildren() => [new("codeact", act), new("extractor", extract)];

    /// <inheritdoc/>
    protected sealed override async Task<TOut> ForwardAsync(TIn input, CancellationToken cancellationToken)
    {
        var scope = HoneScope.Current;
        var inputs = PredictorInputs.Complete(nameof(CodeAct), Signature, Write(input), scope?.Logger ?? NullLogger.Instance);
        ImmutableArray<AIFunction> offered = scope?.Tools?.TryGetValue(this, out var bound) == true ? [.. bound.Select(tool => tool.Function)] : tools;
        var session = new CodeSessionOptions { Tools = [.. offered.Select(tool => new ToolInCode(tool, Options))], Limits = Options.Limits, Services = Options.Services };
        var runner = new CodeRunner(interpreter, session, CodeText.VariablesOf(Signature, inputs));
        var steps = new CodeSteps();
        string? unfinished = "its steps were used up";
        await using (runner.ConfigureAwait(false))
        {
            while (unfinished is not null && steps.Count < Options.MaxSteps)
            {
                FieldMap written;
                try
                {
                    written = await AskAsync(act, inputs.With(ToolInput, CodeText.Tools(offered)), steps, cancellationToken).ConfigureAwait(false);
                }
                catch (ContextWindowExceededException) when (steps.Count > 0)
                {
                    unfinished = "its steps are longer than the model's context";
                    break;
                }

                var code = written[Written] as string ?? string.Empty;
                var (given, ran) = await RunAsync(runner, code, cancellationToken).ConfigureAwait(false);
                steps.Add(code, given);

                // Whoever thought to be done and sees an error is not.
                if (ran && written[Finished] is true)
                    unfinished = null;
            }
        }

        if (unfinished is not null)
            ModuleLog.Stopped(scope, nameof(CodeAct), PathIn(scope), steps.Count, $"{unfinished}, so the outputs are drawn from what there is");
        return Read(await AskAsync(extract, inputs, steps, cancellationToken).ConfigureAwait(false));
    }

    private protected sealed override CallKind Kind => CallKind.Agent;

    private protected sealed override string? PathIn(HoneScope? scope) => ModulePaths.Of(scope, act, "codeact");

    private protected abstract FieldMap Write(TIn input);

    private protected abstract TOut Read(FieldMap outputs);

    // What does not fit is left out of the request; what the code has done stays done.
    private static async Task<FieldMap> AskAsync(Module<FieldMap, FieldMap> predictor, FieldMap asked, CodeSteps steps, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await predictor.CallAsync(asked.With(Trajectory, steps.ToString()), cancellationToken).ConfigureAwait(false);
            }
            catch (ContextWindowExceededException)
            {
                if (!steps.ShowLess())
                    throw;
            }
        }
    }

    private async Task<(string Given, bool Ran)> RunAsync(CodeRunner runner, string code, CancellationToken cancellationToken)
    {
        try
        {
            return (CodeText.Shown(await runner.RunAsync(code, cancellationToken).ConfigureAwait(false), Options.Limits), true);
        }
        catch (CodeException error)
        {
            return (CodeText.Shown(error), false);
        }
    }

    private void Check()
    {
        foreach (var field in Signature.Fields)
        {
            if (field.Name is Trajectory or ToolInput or Written or Finished)
                throw new HoneException($"The field '{field.Name}' of {Signature.Shape} has a name that {nameof(CodeAct)} needs for itself. Call it something else.");
        }

        foreach (var tool in tools)
        {
            if (tool is null)
                throw new HoneException($"A tool of {nameof(CodeAct)} {Signature.Shape} is null.");
            CodeValues.CheckName(tool.Name, "The tool");
            if (tool.GetService<ApprovalRequiredAIFunction>() is not null && Options.ApproveAsync is null)
                throw new HoneException($"The tool '{tool.Name}' needs approval, but nobody is asked. Set {nameof(CodeActOptions)}.{nameof(CodeActOptions.ApproveAsync)}.");
            if (Signature.Inputs.Any(input => input.Name == tool.Name))
                throw new HoneException($"The tool '{tool.Name}' and an input of {Signature.Shape} have the same name. Rename one.");
        }

        ToolBinder.CheckNames(this, tools.Select(tool => new ToolBinding(tool.Name, tool)));
    }
}

/// <summary>An agent by code over field maps: the dynamic lane.</summary>
public sealed class CodeAct : CodeActModule<FieldMap, FieldMap>
{
    /// <summary>Creates the module.</summary>
    /// <param name="signature">Its task.</param>
    /// <param name="interpreter">What runs the code; it stays the caller's.</param>
    /// <param name="tools">What the code can call.</param>
    /// <param name="options">How it works; the defaults when null.</param>
    /// <exception cref="HoneException">A field or a tool has a name that cannot be.</exception>
    public CodeAct(Signature signature, ICodeInterpreter interpreter, IEnumerable<AIFunction> tools, CodeActOptions? options = null)
        : base(signature ?? throw new ArgumentNullException(nameof(signature)), interpreter, tools, options)
    {
    }

    /// <summary>A module from a string signature.</summary>
    /// <param name="signature">Inputs, an arrow, outputs.</param>
    /// <param name="interpreter">What runs the code; it stays the caller's.</param>
    /// <param name="tools">What the code can call.</param>
    /// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
    /// <param name="options">How it works; the defaults when null.</param>
    /// <exception cref="HoneException">The text is not a signature, or a field or a tool has a name that cannot be.</exception>
    public static CodeAct Parse(
        string signature, ICodeInterpreter interpreter, IEnumerable<AIFunction> tools, string? instructions = null, CodeActOptions? options = null) =>
        new(Signature.Parse(signature, instructions), interpreter, tools, options);

    private protected override FieldMap Write(FieldMap input) => input;

    private protected override FieldMap Read(FieldMap outputs) => outputs;
}

/// <summary>An agent by code from a record to a record.</summary>
/// <typeparam name="TIn">A record whose properties are the inputs; a bare type is one input called <c>input</c>.</typeparam>
/// <typeparam name="TOut">A record whose properties are the outputs; a bare type is one output called <c>answer</c>.</typeparam>
public sealed class CodeAct<[DynamicallyAccessedMembers(ClrReflection.Members)] TIn, [DynamicallyAccessedMembers(ClrReflection.Members)] TOut>
    : CodeActModule<TIn, TOut>
{
    /// <summary>Creates the module.</summary>
    /// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
    /// <param name="interpreter">What runs the code; it stays the caller's.</param>
    /// <param name="tools">What the code can call.</param>
    /// <param name="options">How it works; the defaults when null.</param>
    /// <exception cref="HoneException">A field or a tool has a name that cannot be.</exception>
    public CodeAct(string? instructions, ICodeInterpreter interpreter, IEnumerable<AIFunction> tools, CodeActOptions? options = null)
        : base(TypedSignature.Of<TIn, TOut>(instructions), interpreter, tools, options)
    {
    }

    private protected override FieldMap Write(TIn input) => TypedSignature.InputsOf(input);

    private protected override TOut Read(FieldMap outputs) => SignatureReflector.FromFieldMap<TOut>(outputs, FieldDirection.Output);
}
