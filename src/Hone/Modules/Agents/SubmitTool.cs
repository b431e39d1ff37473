using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>The tool that ends an agent's work: its arguments are the outputs of the task. The agent itself runs it.</summary>
internal sealed class SubmitTool(Signature task) : AIFunctionDeclaration
{
    /// <summary>What a good submission is answered with.</summary>
    public const string Accepted = "Accepted.";

    private readonly JsonElement schema = JsonElement.Parse(JsonText.Write(JsonSchemas.Describe(FieldType.ObjectOf(
        AgentCore.Submit,
        [
            .. task.Outputs.Select(output => new ObjectProperty(
                output.Name, output.Type, IsRequired: !output.HasDefault && !output.Type.AdmitsNull, output.Default, output.Description)
            {
                Constraints = output.Constraints,
            }),
        ]))));

    /// <inheritdoc/>
    public override string Name => AgentCore.Submit;

    /// <inheritdoc/>
    public override string Description => "Ends the task with its outputs. Call it when nothing is missing any more.";

    /// <inheritdoc/>
    public override JsonElement JsonSchema => schema;

    /// <summary>The outputs of a submission.</summary>
    /// <exception cref="ToolFailure">The arguments could not be read, or an output is missing or does not fit; the message is for the model.</exception>
    public FieldMap Read(ToolCall call)
    {
        // Nothing could be read, which is not the same as outputs that were left out on purpose.
        if (call.Error is { } unreadable)
            throw new ToolFailure($"The outputs were not accepted: {unreadable} Call `{Name}` again with its arguments as one JSON object.");
        var arguments = call.Arguments;
        var raw = new (bool Found, object? Value)[task.Outputs.Length];
        for (var i = 0; i < raw.Length; i++)
            raw[i] = (arguments.TryGetValue(task.Outputs[i].Name, out var value), value);
        try
        {
            return OutputReader.Read(Name, task, JsonText.Write(arguments), raw, isTyped: true);
        }
        catch (AdapterParseException failure)
        {
            throw new ToolFailure($"The outputs were not accepted: {failure.Reason} Call `{Name}` again with every output.", failure);
        }
    }
}
