using System.Collections.Immutable;
using System.Text.Json;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Conformance;

/// <summary>How an agent answered a recorded run.</summary>
internal sealed record ReactAttempt(bool IsRecordedOk, string? Difference, AgentResult<FieldMap>? Result);

/// <summary>
/// programs.json, react. The recorded agent names one tool a turn, ends with <c>finish</c> and lets a second predictor extract the outputs; Hone's has tool
/// calls and ends with <c>submit</c>. Its script is written in that form, and what the turns did is compared.
/// </summary>
internal static class ReactReplay
{
    private static readonly Signature Turn = Signature.Parse("trajectory -> next_thought, next_tool_name, next_tool_args: dict[str, Any]");

    private static readonly DifferenceRule<ReactAttempt>[] Rules =
    [
        new(
            "react-submit",
            "an agent ends by submitting its outputs to a tool; there is no second predictor that extracts them, and no reasoning of it",
            attempt => attempt is { IsRecordedOk: true, Difference: null, Result.HasOutput: true }),
        new(
            "react-goes-on",
            "a turn that cannot be read, a tool that does not exist and a conversation that is too long end in a result that says so, never in an exception",
            attempt => attempt is { IsRecordedOk: false, Result: not null }),
    ];

    public static CaseResult Run(JsonElement recorded)
    {
        var client = ScriptedChatClient.ByAsync((_, index, _) => Task.FromResult(ScriptedChatClient.Respond(Script(recorded).ElementAtOrDefault(index) ?? "nothing")));
        var agent = new ReAct(Signature.Parse("question -> answer"), ProgramTools.All);
        using var scope = HoneScope.Use(new ScopeOptions { Model = ProgramScript.Model(client), Recovery = ProgramScript.Recovery });
        try
        {
            var result = agent.RunAsync(FieldMap.Of(("question", "q"))).GetAwaiter().GetResult();
            var difference = recorded.IsOk() ? Compare(recorded.GetProperty("result"), result) : null;
            return CaseResult.From(
                recorded.Id(), difference ?? $"submitted after {client.Requests.Count} requests", new(recorded.IsOk(), difference, result), Rules);
        }
        catch (HoneException error)
        {
            return CaseResult.Fail(recorded.Id(), $"threw {error.Message}");
        }
    }

    private static string? Compare(JsonElement expected, AgentResult<FieldMap> actual)
    {
        var trajectory = expected.GetProperty("trajectory");
        for (var i = 0; trajectory.TryGetProperty($"tool_name_{i}", out var name); i++)
        {
            if (name.GetString() == "finish")
                break;
            if (i >= actual.Steps.Length || actual.Steps[i] is not { Calls.Calls: [var call, ..], Results.Results: [var result, ..] } step)
                return $"turn {i} called no tool";
            if (call.Name != name.GetString() || step.Thought != trajectory.GetProperty($"thought_{i}").GetString())
                return $"turn {i}: {step.Thought}, {call.Name}";
            if (VectorValues.Mismatch(trajectory.GetProperty($"tool_args_{i}"), call.Arguments, FieldType.Any) is { } wrong)
                return $"turn {i}, arguments: {wrong}";
            var observation = trajectory.GetProperty($"observation_{i}");
            var isError = observation.ValueKind == JsonValueKind.String && observation.GetString()!.StartsWith("Execution error", StringComparison.Ordinal);
            if (isError != result.IsError || (isError && ((string)result.Value!).Contains("   at ", StringComparison.Ordinal)))
                return $"turn {i}: {result}";
            if (!isError && VectorValues.Mismatch(observation, result.Value, FieldType.Any) is { } other)
                return $"turn {i}, observation: {other}";
        }

        var answer = actual.Output?["answer"];
        return answer is string text && text == expected.Text("answer") ? null : $"answer {answer}";
    }

    // The turns of the recorded agent as turns of Hone's: what it extracted after finishing is what is submitted.
    private static IEnumerable<string> Script(JsonElement recorded)
    {
        var thought = "";
        foreach (var line in ProgramScript.Lines(recorded, "completions"))
        {
            if (Read(line, Signature.Parse("trajectory -> reasoning, answer")) is { } extracted)
                yield return Write(thought, AgentCore.Submit, extracted.Without("reasoning"));
            else if (Read(line, Turn) is not { } turn)
                yield return line;
            else if ((string)turn["next_tool_name"]! == "finish")
                thought = (string)turn["next_thought"]!;
            else
                yield return Write((string)turn["next_thought"]!, (string)turn["next_tool_name"]!, (FieldMap)turn["next_tool_args"]!);
        }
    }

    private static FieldMap? Read(string line, Signature signature)
    {
        try
        {
            return ChatAdapter.Default.Parse(signature, line);
        }
        catch (AdapterParseException)
        {
            return null;
        }
    }

    private static string Write(string thought, string tool, FieldMap arguments) => ScriptedChatClient.ChatText(
        FieldMap.Of((AgentCore.Thought, thought), (AgentCore.Calls, ToolValues.Of(new ToolCalls([new(tool, arguments)])))));
}

/// <summary>The tools of the recorded runs.</summary>
internal static class ProgramTools
{
    public static ImmutableArray<AIFunction> All { get; } =
    [
        AIFunctionFactory.Create((int a, int b = 2) => a + b, "add", "Add two numbers."),
        AIFunctionFactory.Create(string (string x) => throw new InvalidOperationException($"cannot {x}"), "fail", "Always fails."),
        AIFunctionFactory.Create((int n) => Enumerable.Range(0, n).ToArray(), "rows", "Rows."),
    ];

    public static CaseResult Run(JsonElement recorded)
    {
        if (All.FirstOrDefault(tool => tool.Name == recorded.Text("name")) is not { } tool)
            return CaseResult.NotYet(recorded.Id());
        var function = recorded.GetProperty("function_call").GetProperty("function");
        var parameters = function.GetProperty("parameters");
        var mismatch = tool.Description != function.Text("description") ? $"description {tool.Description}"
            : !JsonElement.DeepEquals(tool.JsonSchema.GetProperty("properties"), parameters.GetProperty("properties")) ? $"properties {tool.JsonSchema.GetProperty("properties")}"
            : !JsonElement.DeepEquals(tool.JsonSchema.GetProperty("required"), parameters.GetProperty("required")) ? $"required {tool.JsonSchema}"
            : null;
        return mismatch is null ? CaseResult.Pass(recorded.Id()) : CaseResult.Fail(recorded.Id(), mismatch);
    }
}
