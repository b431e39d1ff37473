using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Hone;

/// <summary>What goes into a program and what comes out, as JSON: for tools, web services and whatever else is not .NET.</summary>
/// <typeparam name="TIn">A record whose properties are the inputs, or <see cref="FieldMap"/> for a program of one predictor.</typeparam>
/// <typeparam name="TOut">What comes out.</typeparam>
public sealed class ProgramJson<[DynamicallyAccessedMembers(ClrReflection.Members)] TIn, [DynamicallyAccessedMembers(ClrReflection.Members)] TOut>
{
    private readonly ImmutableArray<SignatureField> inputs;

    /// <summary>Describes a program's inputs and outputs.</summary>
    /// <param name="program">The program.</param>
    /// <param name="name">A name for the schemas.</param>
    /// <exception cref="HoneException">The inputs are field maps, and the program is more than one predictor: nothing says what they hold.</exception>
    public ProgramJson(Program<TIn, TOut> program, string name = "program")
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        var only = program.Predictors is [{ Key: ModuleTree.Self, Value: var signature }] ? signature : null;
        inputs = [.. typeof(TIn) != typeof(FieldMap) ? SignatureReflector.Fields(typeof(TIn), FieldDirection.Input)
            : only?.Inputs ?? throw new HoneException(
                $"The inputs of module {program.Module.GetType().Name} are field maps, so nothing says what they hold. Give it a record as input.")];
        ImmutableArray<SignatureField> outputs = [.. typeof(TOut) != typeof(FieldMap) ? SignatureReflector.Fields(typeof(TOut), FieldDirection.Output)
            : only?.Outputs ?? []];
        Instructions = only?.Instructions ?? string.Empty;
        InputSchema = SchemaOf(name, inputs);
        OutputSchema = ClrTypes.IsValue(typeof(TOut)) && outputs is [var single] ? JsonElement.Parse(JsonSchemas.Of(single.Type).ToJsonString())
            : outputs.IsEmpty ? null : SchemaOf(name + "_result", outputs);
    }

    /// <summary>JSON schema of the inputs: an object with a property for each.</summary>
    public JsonElement InputSchema { get; }

    /// <summary>JSON schema of what comes out; null when nothing says what that is.</summary>
    public JsonElement? OutputSchema { get; }

    /// <summary>The instructions of a program that is one predictor; else empty.</summary>
    public string Instructions { get; }

    /// <summary>The inputs of a JSON object. Text that is a number is one where a number is wanted; properties that are no inputs are left out.</summary>
    /// <param name="json">An object with a property for each input.</param>
    /// <exception cref="HoneException">An input is missing or does not fit; the error names it.</exception>
    public TIn Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new HoneException($"The inputs are a JSON object, not {json.ValueKind}. They are: {Names}.");
        return Read((FieldMap)ClrValues.ToCanonical(json)!, "program", "input");
    }

    /// <summary>A value of the program as JSON.</summary>
    public JsonElement Write(TOut value) => JsonElement.Parse(JsonText.Write(ClrValues.ToCanonical(value)));

    /// <summary>The inputs of canonical values; the words are for errors.</summary>
    internal TIn Read(FieldMap given, string subject, string noun)
    {
        var entries = new List<KeyValuePair<string, object?>>(inputs.Length);
        foreach (var input in inputs)
        {
            if (!given.TryGetValue(input.Name, out var value))
            {
                if (!input.HasDefault && !input.Type.AdmitsNull)
                    throw new HoneException($"The {subject} needs the {noun} '{input.Name}'. Its {noun}s are: {Names}.");
                value = input.Default;
            }

            var failure = default(CoercionFailure);
            if (!ValueCoercer.TryCoerceJson(value, input.Type, out var read, ref failure))
                throw new HoneException($"The {noun} '{input.Name}' of the {subject} does not fit: {failure.ToException().Message}.");
            entries.Add(new(input.Name, read));
        }

        return SignatureReflector.FromFieldMap<TIn>(FieldMap.Create(entries), FieldDirection.Input);
    }

    private string Names => string.Join(", ", inputs.Select(each => each.Name));

    private static JsonElement SchemaOf(string name, IEnumerable<SignatureField> fields) =>
        JsonElement.Parse(JsonText.Write(JsonSchemas.Describe(FieldType.ObjectOf(
            name,
            [
                .. fields.Select(field => new ObjectProperty(
                    field.Name, field.Type, IsRequired: !field.HasDefault && !field.Type.AdmitsNull, field.Default, field.Description)
                {
                    Constraints = field.Constraints,
                }),
            ]))));
}
