namespace Hone;

/// <summary>How an agent is told to work, after the instructions of its task. <c>{outputs}</c> stands for the names of the outputs.</summary>
/// <param name="Guidance">The text.</param>
public sealed record AgentPrompt(string Guidance)
{
    /// <summary>Reason, act, look, and again: thoughts and tool calls turn by turn. The default.</summary>
    public static AgentPrompt ReAct { get; } = new(
        "You solve this task as an agent, in turns. First write in `next_thought` what is known, what is missing, and what to do about it; then call tools "
        + "in `tool_calls`. You are shown what they give before your next turn. As long as something is missing that the outputs need, call tools. When "
        + "nothing is missing, call the tool `submit` with every output ({outputs}): that ends the task.");

    /// <summary>An actor with a goal and a box of tools, who takes one action at a time and judges what it gave.</summary>
    public static AgentPrompt Avatar { get; } = new(
        "You are an actor. The task above is your goal, and the tools are all that you can do. Take one action at a time: choose the tool that brings you "
        + "nearest to the goal, say in `next_thought` why, and give it a precise query in `tool_calls`. Judge what an action gave before you choose the next; "
        + "do not repeat one that gave nothing new. When what you have found reaches the goal, finish with the tool `submit` and every output ({outputs}).");

    /// <summary>The instructions of a task, and this.</summary>
    internal string Over(Signature task) =>
        $"{task.Instructions}\n\n{Guidance.Replace("{outputs}", string.Join(", ", task.Outputs.Select(output => $"`{output.Name}`")), StringComparison.Ordinal)}".TrimStart();
}
