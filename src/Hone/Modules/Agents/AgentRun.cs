using System.Collections.Immutable;
using System.Text;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>How a run of an agent ended, before its outputs take the form that the code wants.</summary>
internal sealed record AgentOutcome(
    AgentStopReason Reason, AgentStopReason Cause, FieldMap? Outputs, History History, ImmutableArray<AgentStep> Steps);

/// <summary>One run of an agent: turns of a model and its tools until it submits.</summary>
internal sealed class AgentRun
{
    private const string LastTurn = "This is the last turn. Call nothing but `submit`, with the best outputs that you can give by now.";

    private readonly AgentCore core;
    private readonly ImmutableArray<AIFunction> tools;
    private readonly ToolRunner runner;
    private readonly FieldMap inputs;
    private readonly int maxSteps;
    private readonly List<FieldMap> turns;
    private readonly int first;
    private readonly ImmutableArray<AgentStep>.Builder steps = ImmutableArray.CreateBuilder<AgentStep>();
    private int shownFrom;

    public AgentRun(AgentCore core, ImmutableArray<AIFunction> tools, FieldMap inputs, History history, int? maxSteps)
    {
        (this.core, this.tools, this.inputs, this.maxSteps) = (core, tools, inputs, maxSteps ?? core.Options.MaxSteps);
        runner = new(tools, core.Options, AgentCore.Submit);
        turns = [.. history.Turns];
        first = turns.Count;
    }

    public async Task<AgentOutcome> RunAsync(CancellationToken cancellationToken)
    {
        AITool[] all = [.. tools, core.SubmitTool];
        var cause = AgentStopReason.MaxSteps;
        for (var step = 0; step < maxSteps; step++)
        {
            var (outputs, stop) = await TakeTurnAsync(all, new(core.Options.UseNativeTools), isLast: false, cancellationToken).ConfigureAwait(false);
            if (outputs is not null)
                return End(AgentStopReason.Submitted, AgentStopReason.Submitted, outputs);
            if (stop is not { } reason)
                continue;
            cause = reason;
            break;
        }

        var forced = new ToolUse(core.Options.UseNativeTools, ChatToolMode.RequireSpecific(AgentCore.Submit), LastTurn);
        var last = await TakeTurnAsync([core.SubmitTool], forced, isLast: true, cancellationToken).ConfigureAwait(false);
        return last.Outputs is null ? End(cause, cause, null) : End(AgentStopReason.ForcedSubmit, cause, last.Outputs);
    }

    // One request, and the tools that it asks for.
    private async Task<(FieldMap? Outputs, AgentStopReason? Stop)> TakeTurnAsync(
        AITool[] offered, ToolUse use, bool isLast, CancellationToken cancellationToken)
    {
        FieldMap? answer;
        Trace trace;
        try
        {
            (answer, trace) = await AskAsync(offered, use, cancellationToken).ConfigureAwait(false);
        }
        catch (AdapterParseException)
        {
            // The failure is in the trace; the agent is made to submit what it has.
            return (null, AgentStopReason.UnreadableTurn);
        }

        if (answer is null)
            return (null, AgentStopReason.ContextWindowExceeded);
        var (path, ordinal) = trace.Calls is [.., var call] ? (call.Path, call.Ordinal) : (ModuleTree.Self, 0);
        var asked = ToolValues.ToCalls((FieldMap)answer[AgentCore.Calls]!);
        var calls = Numbered(asked);
        await TellCallsAsync(asked, calls, path, ordinal, cancellationToken).ConfigureAwait(false);
        var (results, outputs) = await AnswerAsync(calls, isLast, cancellationToken).ConfigureAwait(false);
        await TellResultsAsync(results, path, ordinal, cancellationToken).ConfigureAwait(false);
        Keep(answer.GetValueOrDefault(AgentCore.Thought) as string, calls, results, outputs);
        return (outputs, calls.Calls.IsEmpty ? AgentStopReason.NoToolCalls : null);
    }

    // When the conversation does not fit, its older half is left out of what is sent, never of what is kept.
    private async Task<(FieldMap? Answer, Trace Trace)> AskAsync(AITool[] offered, ToolUse use, CancellationToken cancellationToken)
    {
        KeepWithinBudget(offered);
        while (true)
        {
            try
            {
                return await core.React.AskAsync(Request(offered), use, cancellationToken).ConfigureAwait(false);
            }
            catch (ContextWindowExceededException)
            {
                if (Spare <= 0)
                    return (null, Trace.Empty);
                shownFrom += (Spare + 1) / 2;
            }
        }
    }

    // The turns that may be left out: the last of this run stays, since it is what the model has to go on from.
    private int Spare => turns.Count - shownFrom - (turns.Count == first ? 0 : 1);

    // An overflow costs a request, and what the provider takes may be far more than is wanted: so as much as is known is left out before.
    private void KeepWithinBudget(AITool[] offered)
    {
        if (core.Options.MaxContextTokens is not { } most)
            return;
        while (Spare > 0 && core.Options.CountTokens(TextOf(Request(offered))) > most)
            shownFrom++;
    }

    private static string TextOf(FieldMap request)
    {
        var text = new StringBuilder();
        JsonText.Write(text, request, static value => value is Media media ? media.ToString() : value.GetType().Name);
        return text.ToString();
    }

    private FieldMap Request(AITool[] offered)
    {
        // The inputs stand in the turn that followed them; they are given anew when that turn is not shown.
        var isFirst = turns.Count == first;
        var shown = turns.Skip(shownFrom).ToList();
        if (!isFirst && shownFrom > first)
            shown[0] = FieldMap.Create([.. inputs, .. shown[0]]);
        var conversation = KeyValuePair.Create<string, object?>(AgentCore.Conversation, History.Of(shown));
        var tools = KeyValuePair.Create<string, object?>(AgentCore.ToolInput, ClrValues.List(offered));
        return FieldMap.Create(isFirst ? [.. inputs, conversation, tools] : new[] { conversation, tools });
    }

    private async Task<(ToolResult[] Results, FieldMap? Outputs)> AnswerAsync(ToolCalls calls, bool isLast, CancellationToken cancellationToken)
    {
        ToolCall[] others = [.. calls.Calls.Where(call => call.Name != AgentCore.Submit)];
        var given = isLast || others.Length == 0
            ? others.Select(call => new ToolResult(call.Id, call.Name, LastTurn, IsError: true)).ToArray()
            : await runner.RunAsync(others, cancellationToken).ConfigureAwait(false);
        FieldMap? outputs = null;
        var results = new ToolResult[calls.Calls.Length];
        for (int i = 0, next = 0; i < results.Length; i++)
        {
            var call = calls.Calls[i];
            if (call.Name != AgentCore.Submit)
            {
                results[i] = given[next++];
                continue;
            }

            try
            {
                var read = core.SubmitTool.Read(call);
                outputs ??= read;
                results[i] = new(call.Id, call.Name, SubmitTool.Accepted);
            }
            catch (ToolFailure failure)
            {
                results[i] = new(call.Id, call.Name, failure.Message, IsError: true);
            }
        }

        return (results, outputs);
    }

    private void Keep(string? thought, ToolCalls calls, ToolResult[] results, FieldMap? outputs)
    {
        steps.Add(new(string.IsNullOrEmpty(thought) ? null : thought, calls, new([.. results])));
        var turn = turns.Count == first ? inputs : FieldMap.Empty;
        turn = turn.With(AgentCore.Thought, thought);
        if (!calls.Calls.IsEmpty)
            turn = turn.With(AgentCore.Calls, ToolValues.Of(calls)).With(ToolValues.Results, ToolValues.Of(new ToolResults([.. results])));
        if (outputs is not null)
            turn = FieldMap.Create([.. turn, .. outputs.Where(output => !turn.ContainsKey(output.Key))]);
        turns.Add(turn);
    }

    // Results are matched with calls by id, which text has not, and some providers leave out.
    private ToolCalls Numbered(ToolCalls calls) => new(
        [.. calls.Calls.Select((call, index) => call.Id is null ? call with { Id = $"call_{turns.Count}_{index}" } : call)]);

    // Calls in the provider's own form were told while they arrived.
    private static async ValueTask TellCallsAsync(ToolCalls asked, ToolCalls calls, string path, int ordinal, CancellationToken cancellationToken)
    {
        if (HoneScope.Current?.Events is not { } events)
            return;
        for (var i = 0; i < asked.Calls.Length; i++)
        {
            var call = calls.Calls[i];
            if (asked.Calls[i].Id is null)
            {
                var request = new FunctionCallContent(call.Id!, call.Name, ToolTurn.ArgumentsOf(call.Arguments));
                await events.WriteAsync(new ToolCallRequested(path, ordinal, request), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static async ValueTask TellResultsAsync(ToolResult[] results, string path, int ordinal, CancellationToken cancellationToken)
    {
        if (HoneScope.Current?.Events is not { } events)
            return;
        foreach (var result in results)
            await events.WriteAsync(new ToolCallCompleted(path, ordinal, result), cancellationToken).ConfigureAwait(false);
    }

    private AgentOutcome End(AgentStopReason reason, AgentStopReason cause, FieldMap? outputs) =>
        new(reason, cause, outputs, History.Of(turns), steps.ToImmutable());
}
