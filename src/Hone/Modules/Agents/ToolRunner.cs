using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Runs tools for a model. Whatever goes wrong is an answer for the model: what, in one sentence, without the insides of the program.</summary>
internal sealed class ToolRunner(ImmutableArray<AIFunction> tools, ReActOptions options, string? submit)
{
    /// <summary>Runs the calls of one turn side by side; the results are in the order of the calls.</summary>
    public async Task<ToolResult[]> RunAsync(IReadOnlyList<ToolCall> calls, CancellationToken cancellationToken)
    {
        if (calls.Count == 1 || options.MaxParallelTools == 1)
        {
            var inTurn = new ToolResult[calls.Count];
            for (var i = 0; i < inTurn.Length; i++)
                inTurn[i] = await RunAsync(calls[i], cancellationToken).ConfigureAwait(false);
            return inTurn;
        }

        // Programs inside tools count their calls apart, so that nothing depends on which tool is faster.
        var branches = ScopeBranch.Open(calls.Count);
        try
        {
            var results = await ParallelRunner.RunAsync(
                calls,
                (call, index, token) => branches[index].RunAsync(() => RunAsync(call, token)),
                new() { MaxParallelism = options.MaxParallelTools, MaxErrors = 0 },
                cancellationToken).ConfigureAwait(false);
            return [.. results.Select(result => result.Value!)];
        }
        finally
        {
            foreach (var branch in branches)
                await branch.AdoptAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<ToolResult> RunAsync(ToolCall call, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var tool = tools.FirstOrDefault(each => each.Name == call.Name);
        if (tool is null)
            return Failed(call, $"There is no tool '{call.Name}'. The tools are: {string.Join(", ", tools.Select(each => each.Name).Concat(submit is null ? [] : [submit]))}.");
        if (call.Error is { } unreadable)
            return Failed(call, $"The call of '{call.Name}' was not run: {unreadable} Call it again with its arguments as one JSON object.");
        try
        {
            var arguments = ToolArguments.Read(tool, call.Arguments, options.Services);
            if (tool.GetService<ApprovalRequiredAIFunction>() is not null
                && (options.ApproveAsync is null || !await options.ApproveAsync(call, cancellationToken).ConfigureAwait(false)))
                return Failed(call, $"The call of '{call.Name}' was not approved.");
            var answer = Observation.IsOn(HoneScope.Current)
                ? await Observation.RunAsync(CallKind.Tool, call.Name, call.Arguments, () => InvokeAsync(tool, arguments, cancellationToken)).ConfigureAwait(false)
                : await InvokeAsync(tool, arguments, cancellationToken).ConfigureAwait(false);
            var (value, isError) = ToolOutputs.Read(answer);
            return new(call.Id, call.Name, value, isError);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (ToolFailure error)
        {
            return Failed(call, error.Message);
        }
        catch (Exception error)
        {
            return Failed(call, $"The tool '{call.Name}' failed: {SecretText.Scrub(Unwrapped(error).Message)}");
        }
    }

    // A tool that ignores its cancellation is left behind: the agent goes on.
    private async Task<object?> InvokeAsync(AIFunction tool, AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        if ((tool.GetService<TimedTool>()?.Timeout ?? options.ToolTimeout) is not { } limit)
            return await tool.InvokeAsync(arguments, cancellationToken).ConfigureAwait(false);
        var time = HoneScope.Current?.Time ?? TimeProvider.System;
        using var expiry = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, expiry.Token);
        try
        {
            return await tool.InvokeAsync(arguments, either.Token).AsTask().WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException error) when (expiry.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ToolFailure(
                string.Create(CultureInfo.InvariantCulture, $"The tool '{tool.Name}' took longer than {limit.TotalSeconds:0.###} s and was stopped."), error);
        }
    }

    private static ToolResult Failed(ToolCall call, string what) => new(call.Id, call.Name, what, IsError: true);

    private static Exception Unwrapped(Exception error) => error is AggregateException { InnerExceptions: [var only] } ? only : error;
}

/// <summary>A tool with a limit of its own.</summary>
internal sealed class TimedTool(AIFunction tool, TimeSpan timeout) : DelegatingAIFunction(tool)
{
    public TimeSpan Timeout => timeout;
}

/// <summary>What a model is told of a call of a tool that did not succeed.</summary>
internal sealed class ToolFailure(string message, Exception? innerException = null) : HoneException(message, innerException);
