using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Hone;

/// <summary>
/// Shows a model several attempts at the same inputs and lets it write a better answer. The attempts are made elsewhere, e.g. by
/// <see cref="PredictorModule{TIn,TOut}.SampleAsync"/>; its predictor is called <c>compare</c>.
/// </summary>
/// <typeparam name="TIn">What goes in.</typeparam>
/// <typeparam name="TOut">What comes out.</typeparam>
public abstract class ComparisonModule<TIn, TOut> : Module<Comparison<TIn, TOut>, TOut>
{
    /// <summary>Name of the output that comes first: why the final answer is what it is.</summary>
    public const string RationaleField = "rationale";

    // As the reference; a temperature that somebody chose is respected.
    private const float DefaultTemperature = 0.7f;

    private readonly Predict compare;
    private readonly Signature task;

    private protected ComparisonModule(Signature task, int attempts)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(attempts, 1);
        (this.task, AttemptCount) = (task, attempts);
        compare = new(Extended(task, attempts));
    }

    /// <summary>How many attempts are compared.</summary>
    public int AttemptCount { get; }

    /// <summary>The signature in full: the attempts are its last inputs.</summary>
    public Signature Signature => compare.Signature;

    /// <summary>Compares the attempts.</summary>
    /// <param name="input">The inputs.</param>
    /// <param name="attempts">Outputs of earlier attempts at them; as many as the module was made for.</param>
    /// <param name="cancellationToken">Stops the request.</param>
    /// <exception cref="HoneException">There are more or fewer attempts.</exception>
    public Task<TOut> CallAsync(TIn input, IReadOnlyList<TOut> attempts, CancellationToken cancellationToken = default) =>
        CallAsync(new(input, attempts), cancellationToken);

    /// <inheritdoc/>
    protected internal sealed override IEnumerable<KeyValuePair<string, Module>> GetChildren() => [new(nameof(compare), compare)];

    /// <inheritdoc/>
    protected sealed override async Task<TOut> ForwardAsync(Comparison<TIn, TOut> input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Attempts.Count != AttemptCount)
            throw new HoneException(
                $"MultiChainComparison of {task.Shape} got {input.Attempts.Count} attempts and was made for {AttemptCount}. Pass as many, or make it for another number.");
        var fields = Write(input.Input);
        for (var i = 0; i < AttemptCount; i++)
            fields = fields.With(NameOf(i), Line(WriteAttempt(input.Attempts[i])));
        return Read(await compare.CallAsync(fields, Options(), cancellationToken).ConfigureAwait(false));
    }

    private protected abstract FieldMap Write(TIn input);

    private protected abstract FieldMap WriteAttempt(TOut attempt);

    private protected abstract TOut Read(FieldMap outputs);

    private static Signature Extended(Signature task, int attempts)
    {
        var extended = task;
        for (var i = 0; i < attempts; i++)
        {
            extended = extended.Append(new(NameOf(i), FieldType.String, FieldDirection.Input)
            {
                Description = string.Create(CultureInfo.InvariantCulture, $"Attempt {i + 1} of {attempts} at this task"),
            });
        }

        // Declared or not, it comes first: what is written after the answer has not led to it.
        return extended.Find(RationaleField) switch
        {
            null => extended.Prepend(new(RationaleField, FieldType.String, FieldDirection.Output) { Description = "What holds of the attempts, and what follows" }),
            { Direction: FieldDirection.Output } declared => extended.Delete(RationaleField).Prepend(declared),
            _ => extended,
        };
    }

    private static string NameOf(int index) => string.Create(CultureInfo.InvariantCulture, $"reasoning_attempt_{index + 1}");

    // The first lines of the reasoning and of the answer: more would drown the comparison.
    private string Line(FieldMap attempt)
    {
        var reasoning = FirstLine(attempt.GetValueOrDefault(RationaleField) ?? attempt.GetValueOrDefault(ChainOfThought.ReasoningField));
        var last = task.Outputs.LastOrDefault(output => output.Name is not (RationaleField or ChainOfThought.ReasoningField)) ?? task.Outputs[^1];
        var answer = FirstLine(attempt.TryGetValue(last.Name, out var value)
            ? ValueFormatter.Format(value, last.Type)
            : throw new HoneException($"An attempt at {task.Shape} has no value for '{last.Name}'. Pass outputs of that task."));
        return reasoning.Length == 0 ? $"\u00ABMy answer is: {answer}\u00BB" : $"\u00ABI went by this: {reasoning} So my answer is: {answer}\u00BB";
    }

    private static string FirstLine(object? value) =>
        (value as string ?? string.Empty).Trim().Split('\n', 2)[0].Trim();

    private CallOptions? Options()
    {
        if (HoneScope.Current is not { } scope)
            return null;
        var predictor = ((IPredictorModule)compare).Predictor;
        var binding = predictor.BindingIn(scope);
        var model = predictor.ModelIn(scope, binding);
        var chosen = model.Options.Overlay(scope.Options).Overlay(binding.State.Options).Temperature;
        return chosen is null && model.Capabilities.Temperature ? new() { Temperature = DefaultTemperature } : null;
    }
}

/// <summary>Attempts at the same inputs, to be compared.</summary>
/// <param name="Input">The inputs.</param>
/// <param name="Attempts">Outputs of earlier attempts at them.</param>
public sealed record Comparison<TIn, TOut>(TIn Input, IReadOnlyList<TOut> Attempts);

/// <summary>A comparison over field maps: the dynamic lane. The result has the output <c>rationale</c>, too.</summary>
public sealed class MultiChainComparison : ComparisonModule<FieldMap, FieldMap>
{
    /// <summary>Creates the module.</summary>
    /// <param name="signature">The task of the attempts.</param>
    /// <param name="attempts">How many are compared; at least 1.</param>
    public MultiChainComparison(Signature signature, int attempts = 3) : base(signature ?? throw new ArgumentNullException(nameof(signature)), attempts)
    {
    }

    private protected override FieldMap Write(FieldMap input) => input;

    private protected override FieldMap WriteAttempt(FieldMap attempt) => attempt;

    private protected override FieldMap Read(FieldMap outputs) => outputs;
}

/// <summary>A comparison from records to a record. Declare a <c>Rationale</c> property on the output to see why.</summary>
/// <typeparam name="TIn">A record whose properties are the inputs.</typeparam>
/// <typeparam name="TOut">A record whose properties are the outputs.</typeparam>
public sealed class MultiChainComparison<[DynamicallyAccessedMembers(ClrReflection.Members)] TIn, [DynamicallyAccessedMembers(ClrReflection.Members)] TOut>
    : ComparisonModule<TIn, TOut>
{
    /// <summary>Creates the module.</summary>
    /// <param name="instructions">What to do; null gives a default sentence that names the fields.</param>
    /// <param name="attempts">How many are compared; at least 1.</param>
    public MultiChainComparison(string? instructions = null, int attempts = 3) : base(TypedSignature.Of<TIn, TOut>(instructions), attempts)
    {
    }

    private protected override FieldMap Write(TIn input) => TypedSignature.InputsOf(input);

    private protected override FieldMap WriteAttempt(TOut attempt) => attempt is null
        ? throw new HoneException("An attempt is null. Pass the outputs of those that succeeded.")
        : SignatureReflector.ToFieldMap(attempt, FieldDirection.Output);

    private protected override TOut Read(FieldMap outputs) => SignatureReflector.FromFieldMap<TOut>(outputs, FieldDirection.Output);
}
