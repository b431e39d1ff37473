using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone.Optimizers;

/// <summary>An agent inside a program, as those see it who rewrite its texts: who takes its turns, what it can call, what it did in a run.</summary>
/// <param name="Predictor">Path of the predictor that takes the turns.</param>
/// <param name="Tools">Its tools by path, as models are shown them.</param>
internal sealed record AgentView(string Predictor, ImmutableArray<KeyValuePair<string, AIFunction>> Tools)
{
    /// <summary>The agents of a program, in declaration order.</summary>
    public static ImmutableArray<AgentView> AllOf<TIn, TOut>(Program<TIn, TOut> program)
    {
        var found = ImmutableArray.CreateBuilder<AgentView>();
        foreach (var (prefix, holder) in ModuleTree.CollectTools(program.Module))
        {
            var own = holder.Tools.Select(tool => prefix + tool.Name).ToHashSet(StringComparer.Ordinal);
            if (((Module)holder).GetChildren().FirstOrDefault(child => child.Value is IPredictorModule).Key is { } name)
                found.Add(new(prefix + name, [.. program.Tools.Where(tool => own.Contains(tool.Key))]));
        }

        return found.ToImmutable();
    }

    /// <summary>The agent that has a tool.</summary>
    public static AgentView WithTool<TIn, TOut>(Program<TIn, TOut> program, string path) =>
        AllOf(program).First(agent => agent.Tools.Any(tool => tool.Key == path));

    /// <summary>The agent whose turns a predictor takes; null when it is no agent's.</summary>
    public static AgentView? Of<TIn, TOut>(Program<TIn, TOut> program, string predictor) =>
        AllOf(program).FirstOrDefault(agent => agent.Predictor == predictor);

    /// <summary>Name, description and arguments of tools, in words.</summary>
    /// <param name="tools">The tools.</param>
    /// <param name="limit">Longest text, in characters.</param>
    public static string Describe(IEnumerable<KeyValuePair<string, AIFunction>> tools, int limit)
    {
        var text = new StringBuilder();
        foreach (var (_, tool) in tools)
            text.Append(text.Length == 0 ? "" : "\n\n").Append(tool.Name).Append(": ").Append(tool.Description).Append("\nArguments: ").Append(ArgumentsOf(tool));
        return text.Length == 0 ? "(none)" : ProgramText.Cut(text.ToString(), limit);
    }

    /// <summary>
    /// What the agent was asked in a run, and what it did: thoughts, the tools that it called, with which arguments, and what they gave. Null when it did
    /// not run. What a tool gave stands in the conversation of the next turn; of a last turn without one it is not known.
    /// </summary>
    public (FieldMap Inputs, FieldMap Outputs)? In(RunRecord run)
    {
        StepRecord[] steps = [.. run.Steps.Where(step => step.Path == Predictor)];
        if (steps.Length == 0)
            return null;
        var actions = new List<object?>();
        for (var i = 0; i < steps.Length; i++)
            Add(actions, steps[i], i + 1 < steps.Length ? steps[i + 1] : null);
        var inputs = steps[0].Inputs.Where(input => input.Value is not null && input.Key is not (AgentCore.Conversation or AgentCore.ToolInput));
        return (FieldMap.Create(inputs), FieldMap.Of(("actions", ClrValues.List(actions))));
    }

    private static void Add(List<object?> actions, StepRecord step, StepRecord? next)
    {
        if (step.Outputs is null)
        {
            actions.Add(FieldMap.Of(("unreadable_turn", step.RawText), ("reason", step.Failure)));
            return;
        }

        var calls = CallsOf(step.Outputs);
        var results = ResultsFor(calls, next);
        var thought = step.Outputs.GetValueOrDefault(AgentCore.Thought) as string;
        if (calls.IsEmpty)
            actions.Add(FieldMap.Of(("thought", thought), ("tool", null)));
        for (var i = 0; i < calls.Length; i++)
        {
            var action = new List<KeyValuePair<string, object?>>();
            if (i == 0 && !string.IsNullOrWhiteSpace(thought))
                action.Add(new("thought", thought));
            action.Add(new("tool", calls[i].Name));
            action.Add(new("arguments", ClrValues.ToCanonical(calls[i].Arguments)));
            if (results is not null)
                action.Add(new(results[i].IsError ? "error" : "result", results[i].Value));
            actions.Add(FieldMap.Create(action));
        }
    }

    private static ImmutableArray<ToolCall> CallsOf(FieldMap outputs) =>
        outputs.GetValueOrDefault(AgentCore.Calls) is FieldMap calls ? ToolValues.ToCalls(calls).Calls : [];

    // The conversation of the next turn ends with this one and its results, unless another run of the agent began with it.
    private static ToolResult[]? ResultsFor(ImmutableArray<ToolCall> calls, StepRecord? next)
    {
        if (next?.Inputs.GetValueOrDefault(AgentCore.Conversation) is not ImmutableArray<object?> turns
            || turns is not [.., FieldMap last]
            || last.GetValueOrDefault(ToolValues.Results) is not FieldMap given)
            return null;
        ToolResult[] results = [.. ToolValues.ToResults(given).Results];
        return results.Select(result => result.Name).SequenceEqual(calls.Select(call => call.Name)) ? results : null;
    }

    private static string ArgumentsOf(AIFunction tool) =>
        tool.JsonSchema.ValueKind == JsonValueKind.Object && tool.JsonSchema.TryGetProperty("properties", out var properties) ? properties.GetRawText() : "none";
}
