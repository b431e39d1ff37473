using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Makes tools of programs.</summary>
public static class ProgramToolExtensions
{
    /// <summary>
    /// The program as a tool: for an agent, for an MCP server, or for whoever else takes an <see cref="AIFunction"/>. Its arguments are the program's
    /// inputs, its result the outputs as JSON. Each call is a run of its own; inside another run it counts there.
    /// </summary>
    /// <typeparam name="TIn">A record whose properties are the inputs, or <see cref="FieldMap"/> for a program of one predictor.</typeparam>
    /// <typeparam name="TOut">What comes out.</typeparam>
    /// <param name="program">The program.</param>
    /// <param name="name">The name that models call; letters, digits, <c>_</c> and <c>-</c>.</param>
    /// <param name="description">What it does and when to use it; null takes the instructions of a program that is one predictor.</param>
    /// <param name="options">Settings of each run.</param>
    /// <exception cref="HoneException">The inputs are field maps, and the program is more than one predictor: nothing says what they hold.</exception>
    public static AIFunction AsTool<[DynamicallyAccessedMembers(ClrReflection.Members)] TIn, [DynamicallyAccessedMembers(ClrReflection.Members)] TOut>(
        this Program<TIn, TOut> program, string name, string? description = null, RunOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        var only = program.Predictors is [{ Key: ModuleTree.Self, Value: var signature }] ? signature : null;
        IEnumerable<SignatureField> inputs = typeof(TIn) != typeof(FieldMap) ? SignatureReflector.Fields(typeof(TIn), FieldDirection.Input)
            : only?.Inputs ?? throw new HoneException(
                $"The inputs of module {program.Module.GetType().Name} are field maps, so nothing says what a tool would take. Give it a record as input.");
        IEnumerable<SignatureField> outputs = typeof(TOut) != typeof(FieldMap) ? SignatureReflector.Fields(typeof(TOut), FieldDirection.Output)
            : only?.Outputs ?? [];
        return new ProgramTool<TIn, TOut>(program, name, description ?? only?.Instructions ?? string.Empty, [.. inputs], [.. outputs], options);
    }

    private sealed class ProgramTool<[DynamicallyAccessedMembers(ClrReflection.Members)] TIn, [DynamicallyAccessedMembers(ClrReflection.Members)] TOut>(
        Program<TIn, TOut> program,
        string name,
        string description,
        ImmutableArray<SignatureField> inputs,
        ImmutableArray<SignatureField> outputs,
        RunOptions? options) : AIFunction
    {
        private readonly JsonElement schema = SchemaOf(name, inputs);
        private readonly JsonElement? result = ClrTypes.IsValue(typeof(TOut)) && outputs is [var only]
            ? JsonElement.Parse(JsonSchemas.Of(only.Type).ToJsonString())
            : outputs.IsEmpty ? null : SchemaOf(name + "_result", outputs);

        public override string Name => name;

        public override string Description => description;

        public override JsonElement JsonSchema => schema;

        public override JsonElement? ReturnJsonSchema => result;

        protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
        {
            var given = FieldMap.Create(arguments.Select(argument => KeyValuePair.Create(argument.Key, ClrValues.ToCanonical(argument.Value))));
            var prediction = await program.RunAsync(Read(given), options, cancellationToken).ConfigureAwait(false);
            return JsonElement.Parse(JsonText.Write(ClrValues.ToCanonical(prediction.Value)));
        }

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

        private TIn Read(FieldMap given)
        {
            var entries = new List<KeyValuePair<string, object?>>(inputs.Length);
            foreach (var input in inputs)
            {
                if (!given.TryGetValue(input.Name, out var value))
                {
                    if (!input.HasDefault && !input.Type.AdmitsNull)
                        throw new HoneException(
                            $"The tool '{name}' needs the argument '{input.Name}'. Its arguments are: {string.Join(", ", inputs.Select(each => each.Name))}.");
                    value = input.Default;
                }

                var failure = default(CoercionFailure);
                if (!ValueCoercer.TryCoerceJson(value, input.Type, out var read, ref failure))
                    throw new HoneException($"The argument '{input.Name}' of the tool '{name}' does not fit: {failure.ToException().Message}.");
                entries.Add(new(input.Name, read));
            }

            return SignatureReflector.FromFieldMap<TIn>(FieldMap.Create(entries), FieldDirection.Input);
        }
    }
}
