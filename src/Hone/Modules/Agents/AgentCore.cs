using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>What an agent is made of, whatever its inputs and outputs are called in code.</summary>
internal sealed class AgentCore
{
    public const string Submit = "submit";
    public const string Thought = "next_thought";
    public const string Calls = ToolValues.Calls;
    public const string Conversation = "history";
    public const string ToolInput = "tools";

    private static readonly string[] Reserved = [Conversation, ToolInput, Thought, Calls];

    /// <exception cref="HoneException">A field or a tool has a name that the agent needs, or a tool needs approval that nobody gives.</exception>
    public AgentCore(Signature task, IEnumerable<AIFunction> tools, ReActOptions options)
    {
        ArgumentNullException.ThrowIfNull(tools);
        (Task, Options, Tools) = (task, options, [.. tools]);
        Check(task);
        foreach (var tool in Tools)
        {
            if (tool is null)
                throw new HoneException($"A tool of the agent {task.Shape} is null.");
            if (tool.GetService<ApprovalRequiredAIFunction>() is not null && options.ApproveAsync is null)
                throw new HoneException(
                    $"The tool '{tool.Name}' needs approval, but nobody is asked. Set {nameof(ReActOptions)}.{nameof(ReActOptions.ApproveAsync)}.");
        }

        React = new(SignatureOf(task, options.Prompt));
        SubmitTool = new(task);
    }

    /// <summary>What the agent is for: inputs, outputs, instructions.</summary>
    public Signature Task { get; }

    public ReActOptions Options { get; }

    /// <summary>The tools as they say of themselves.</summary>
    public ImmutableArray<AIFunction> Tools { get; }

    /// <summary>Takes each turn.</summary>
    public Predict React { get; }

    public SubmitTool SubmitTool { get; }

    /// <summary>The tools as the running program words them.</summary>
    public ImmutableArray<AIFunction> ToolsIn(HoneScope? scope, Module holder) =>
        scope?.Tools?.TryGetValue(holder, out var bound) == true ? [.. bound.Select(tool => tool.Function)] : Tools;

    // Every turn but the first has no inputs of the task: they stand in the conversation.
    private static Signature SignatureOf(Signature task, AgentPrompt prompt) => new(
        [
            .. task.Inputs.Select(input => input with { Type = FieldType.Optional(input.Type), HasDefault = false, Default = null }),
            new(Conversation, FieldType.History, FieldDirection.Input),
            new(ToolInput, FieldType.ListOf(FieldType.Tool), FieldDirection.Input) { Description = "What you can call" },
            new(Thought, FieldType.Reasoning, FieldDirection.Output),
            new(Calls, FieldType.ToolCalls, FieldDirection.Output),
        ],
        prompt.Over(task),
        task.Name);

    private static void Check(Signature task)
    {
        foreach (var field in task.Fields)
        {
            if (Reserved.Contains(field.Name, StringComparer.Ordinal))
                throw new HoneException(
                    $"The field '{field.Name}' of {task.Shape} has a name that agents need for themselves ({string.Join(", ", Reserved)}). Call it something else.");
            if (field.Direction == FieldDirection.Input && TypeHints.Bare(field.Type).Kind == FieldTypeKind.History)
                throw new HoneException(
                    $"The input '{field.Name}' of {task.Shape} is a conversation, which an agent has already. Leave it out and pass the earlier one to RunAsync.");
        }

        if (task.Outputs.IsEmpty)
            throw new HoneException($"The agent {task.Shape} has no outputs. Declare at least one.");
    }
}
