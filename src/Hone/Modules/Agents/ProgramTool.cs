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
        var json = new ProgramJson<TIn, TOut>(program, name);
        return new ProgramTool<TIn, TOut>(program, name, description ?? json.Instructions, json, options);
    }

    private sealed class ProgramTool<[DynamicallyAccessedMembers(ClrReflection.Members)] TIn, [DynamicallyAccessedMembers(ClrReflection.Members)] TOut>(
        Program<TIn, TOut> program,
        string name,
        string description,
        ProgramJson<TIn, TOut> json,
        RunOptions? options) : AIFunction
    {
        public override string Name => name;

        public override string Description => description;

        public override JsonElement JsonSchema => json.InputSchema;

        public override JsonElement? ReturnJsonSchema => json.OutputSchema;

        protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
        {
            var given = FieldMap.Create(arguments.Select(argument => KeyValuePair.Create(argument.Key, ClrValues.ToCanonical(argument.Value))));
            var prediction = await program.RunAsync(json.Read(given, $"tool '{name}'", "argument"), options, cancellationToken).ConfigureAwait(false);
            return json.Write(prediction.Value);
        }
    }
}
