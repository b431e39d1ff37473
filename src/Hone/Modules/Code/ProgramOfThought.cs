using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hone;

/// <summary>
/// Lets a model write a program that computes the answer, runs it, and reads the answer from what it gave. Its predictors are <c>code_generate</c>,
/// <c>code_regenerate</c> (after an error) and <c>generate_output</c>.
/// </summary>
/// <typeparam name="TIn">What goes in.</typeparam>
/// <typeparam name="TOut">What comes out.</typeparam>
public abstract class ProgramOfThoughtModule<TIn, TOut> : Module<TIn, TOut>
{
    private const string Written = "generated_code";
    private const string Previous = "previous_code";
    private const string Error = "error";
    private const string Final = "final_generated_code";
    private const string Result = "code_output";

    private readonly ICodeInterpreter interpreter;
    private readonly ChainOfThought generate;
    private readonly ChainOfThought regenerate;
    private readonly ChainOfThought answer;

    private protected ProgramOfThoughtModule(Signature task, ICodeInterpreter interpreter, ProgramOfThoughtOptions? options)
    {
        ArgumentNullException.ThrowIfNull(interpreter);
        (Signature, this.interpreter, Options) = (task, interpreter, options ?? new());
        foreach (var field in task.Fields)
        {
            if (field.Name is Written or Previous or Error or Final or Result)
                throw new HoneException($"The field '{field.Name}' of {task.Shape} has a name that {nameof(ProgramOfThought)} needs for itself. Call it something else.");
        }

        var code = FieldType.CodeIn(interpreter.Language);
        var written = new SignatureField(Written, code, FieldDirection.Output) { Description = "The code, whole and ready to run" };
        generate = new(new([.. task.Inputs, written], Instructions(false), task.Name));
        regenerate = new(new(
            [
                .. task.Inputs,
                new(Previous, code, FieldDirection.Input) { Description = "The code that failed" },
                new(Error, FieldType.String, FieldDirection.Input) { Description = "How it failed" },
                written,
            ],
            Instructions(true),
            task.Name));
        answer = new(new(
            [
                .. task.Inputs,
                new(Final, code, FieldDirection.Input) { Description = "The code that was run" },
                new(Result, FieldType.String, FieldDirection.Input) { Description = "What it gave" },
                .. task.Outputs,
            ],
            $"{task.Instructions}\n\nCode was written and run for this. Give {CodeText.Names(Outputs)} by what it gave.".TrimStart(),
            task.Name));
    }

    /// <summary>The task: inputs, outputs and instructions.</summary>
    public Signature Signature { get; }

    /// <summary>How the module works.</summary>
    public ProgramOfThoughtOptions Options { get; }

    private IEnumerable<string> Outputs => Signature.Outputs.Select(output => output.Name);

    /// <inheritdoc/>
    protected internal sealed override IEnumerable<KeyValuePair<string, Module>> GetChildren() =>
        [new("code_generate", generate), new("code_regenerate", regenerate), new("generate_output", answer)];

    /// <inheritdoc/>
    /// <exception cref="HoneException">No code ran within the attempts; the inner exception is the last error of the code.</exception>
    protected sealed override async Task<TOut> ForwardAsync(TIn input, CancellationToken cancellationToken)
    {
        var inputs = PredictorInputs.Complete(nameof(ProgramOfThought), Signature, Write(input), HoneScope.Current?.Logger ?? NullLogger.Instance);
        var runner = new CodeRunner(interpreter, new() { Outputs = Submitted(), Limits = Options.Limits }, CodeText.VariablesOf(Signature, inputs));
        await using (runner.ConfigureAwait(false))
        {
            var written = await generate.CallAsync(inputs, cancellationToken).ConfigureAwait(false);
            for (var attempt = 1; ; attempt++)
            {
                var code = written[Written] as string ?? string.Empty;
                string failure;
                try
                {
                    var result = await runner.RunAsync(code, cancellationToken).ConfigureAwait(false);
                    var given = result.Submitted is { } outputs ? CodeValues.ToJson(outputs) : CodeText.Shown(result, Options.Limits);
                    return Read(await answer.CallAsync(inputs.With(Final, code).With(Result, given), cancellationToken).ConfigureAwait(false));
                }
                catch (CodeException error)
                {
                    if (attempt == Options.MaxAttempts)
                        ModuleLog.Stopped(HoneScope.Current, nameof(ProgramOfThought), PathIn(HoneScope.Current), attempt, "none of its pieces of code ran");
                    failure = attempt < Options.MaxAttempts ? CodeText.Shown(error) : throw new HoneException(string.Create(
                        CultureInfo.InvariantCulture,
                        $"ProgramOfThought {Signature.Shape}: none of {attempt} pieces of code ran. The last one: {error.Message}. Allow more with {nameof(ProgramOfThoughtOptions.MaxAttempts)}."), error);
                }

                written = await regenerate.CallAsync(inputs.With(Previous, code).With(Error, failure), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private protected sealed override string? PathIn(HoneScope? scope) => ModulePaths.Of(scope, generate, "code_generate");

    private protected abstract FieldMap Write(TIn input);

    private protected abstract TOut Read(FieldMap outputs);

    // Outputs whose names code cannot use are handed over in one dictionary.
    private ImmutableArray<string> Submitted() =>
        Outputs.All(name => CodeValues.IsName(name) && !CodeValues.IsReserved(name)) ? [.. Outputs] : ["result"];

    private string Instructions(bool again) =>
        ($"{Signature.Instructions}\n\nDo this by code: {(again ? "the code below failed; write it anew, without the fault" : "write code that computes the answer")}. "
        + $"{interpreter.Guidance}{CodeText.VariablesIn(Signature)} At its end the code calls `{CodeSessionOptions.SubmitFunction}` with "
        + $"{CodeText.Names(Submitted())}: as one object or dictionary with these names, or in this order.").TrimStart();
}

/// <summary>A program of thought over field maps: the dynamic lane.</summary>
public sealed class ProgramOfThought : ProgramOfThoughtModule<FieldMap, FieldMap>
{
    /// <summary>Creates the module.</summary>
    /// <param name="signature">Its task.</param>
    /// <param name="interpreter">What runs the code; it stays the caller's.</param>
    /// <param name="options">How it works; the defaults when null.</param>
    /// <exception cref="HoneException">A field has a name that the module needs.</exception>
    public ProgramOfThought(Signature signature, ICodeInterpreter interpreter, ProgramOfThoughtOptions? options = null)
        : base(signature ?? throw new ArgumentNullException(nameof(signature)), interpreter, options)
    {
    }

    /// <summary>A module from a string signature.</summary>
    /// <param name="signature">Inputs, an arrow, outputs.</param>
    /// <param name="interpreter">What runs the code; it stays the caller's.</param>
    /// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
    /// <param name="options">How it works; the defaults when null.</param>
    /// <exception cref="HoneException">The text is not a signature, or a field has a name that the module needs.</exception>
    public static ProgramOfThought Parse(string signature, ICodeInterpreter interpreter, string? instructions = null, ProgramOfThoughtOptions? options = null) =>
        new(Signature.Parse(signature, instructions), interpreter, options);

    private protected override FieldMap Write(FieldMap input) => input;

    private protected override FieldMap Read(FieldMap outputs) => outputs;
}

/// <summary>A program of thought from a record to a record.</summary>
/// <typeparam name="TIn">A record whose properties are the inputs; a bare type is one input called <c>input</c>.</typeparam>
/// <typeparam name="TOut">A record whose properties are the outputs; a bare type is one output called <c>answer</c>.</typeparam>
public sealed class ProgramOfThought<[DynamicallyAccessedMembers(ClrReflection.Members)] TIn, [DynamicallyAccessedMembers(ClrReflection.Members)] TOut>
    : ProgramOfThoughtModule<TIn, TOut>
{
    /// <summary>Creates the module.</summary>
    /// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
    /// <param name="interpreter">What runs the code; it stays the caller's.</param>
    /// <param name="options">How it works; the defaults when null.</param>
    /// <exception cref="HoneException">A field has a name that the module needs.</exception>
    public ProgramOfThought(string? instructions, ICodeInterpreter interpreter, ProgramOfThoughtOptions? options = null)
        : base(TypedSignature.Of<TIn, TOut>(instructions), interpreter, options)
    {
    }

    private protected override FieldMap Write(TIn input) => TypedSignature.InputsOf(input);

    private protected override TOut Read(FieldMap outputs) => SignatureReflector.FromFieldMap<TOut>(outputs, FieldDirection.Output);
}
