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
        // Checked and approved one after another, in their order: whoever is asked is asked one thing at a time.
        var admitted = new Admitted[calls.Count];
        for (var i = 0; i < admitted.Length; i++)
            admitted[i] = await AdmitAsync(calls[i], cancellationToken).ConfigureAwait(false);
        if (admitted is [var only])
            return [await RunAsync(only, cancellationToken).ConfigureAwait(false)];

        // Programs inside tools count their calls apart, so that nothing depends on which tool is faster or how many run at once.
        var branches = ScopeBranch.Open(calls.Count);
        try
        {
            var results = await ParallelRunner.RunAsync(
                admitted,
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

    private async Task<Admitted> AdmitAsync(ToolCall call, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var tool = tools.FirstOrDefault(each => each.Name == call.Name);
        if (tool is null)
            return Refused($"There is no tool '{call.Name}'. The tools are: {string.Join(", ", tools.Select(each => each.Name).Concat(submit is null ? [] : [submit]))}.");
        if (call.Error is { } unreadable)
            return Refused($"The call of '{call.Name}' was not run: {unreadable} Call it again with its arguments as one JSON object.");
        try
        {
            var arguments = ToolArguments.Read(tool, call.Arguments, options.Services);
            return tool.GetService<ApprovalRequiredAIFunction>() is null
                || (options.ApproveAsync is { } approve && await approve(call, cancellationToken).ConfigureAwait(false))
                    ? new(call, tool, arguments)
                    : Refused($"The call of '{call.Name}' was not approved.");
        }
        catch (Exception error) when (!IsCancellation(error, cancellationToken))
        {
            return Refused(Told(call, error));
        }

        Admitted Refused(string why) => new(call, null, new()) { Refusal = Failed(call, why) };
    }

    private async Task<ToolResult> RunAsync(Admitted admitted, CancellationToken cancellationToken)
    {
        if (admitted.Refusal is { } refusal)
            return refusal;
        var (call, tool, arguments) = admitted;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            var answer = Observation.IsOn(HoneScope.Current)
                ? await Observation.RunAsync(CallKind.Tool, call.Name, call.Arguments, () => InvokeAsync(tool!, arguments, cancellationToken)).ConfigureAwait(false)
                : await InvokeAsync(tool!, arguments, cancellationToken).ConfigureAwait(false);
            var (value, isError) = ToolOutputs.Read(answer);
            return new(call.Id, call.Name, value, isError);
        }
        catch (Exception error) when (!IsCancellation(error, cancellationToken))
        {
            return Failed(call, Told(call, error));
        }
    }

    // A tool that ignores its cancellation is left behind: the agent goes on. So is one that never gives its thread back, which is why that is not ours.
    private async Task<object?> InvokeAsync(AIFunction tool, AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        if ((tool.GetService<TimedTool>()?.Timeout ?? options.ToolTimeout) is not { } limit)
            return await tool.InvokeAsync(arguments, cancellationToken).ConfigureAwait(false);
        var time = HoneScope.Current?.Time ?? TimeProvider.System;
        using var expiry = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, expiry.Token);
        try
        {
            return await Task.Run(() => tool.InvokeAsync(arguments, either.Token).AsTask(), either.Token).WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException error) when (expiry.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ToolFailure(
                string.Create(CultureInfo.InvariantCulture, $"The tool '{tool.Name}' took longer than {limit.TotalSeconds:0.###} s and was stopped."), error);
        }
    }

    private static ToolResult Failed(ToolCall call, string what) => new(call.Id, call.Name, what, IsError: true);

    private static bool IsCancellation(Exception error, CancellationToken cancellationToken) =>
        error is OperationCanceledException && cancellationToken.IsCancellationRequested;

    private static string Told(ToolCall call, Exception error) =>
        error is ToolFailure ? error.Message : $"The tool '{call.Name}' failed: {SecretText.Scrub(Unwrapped(error).Message)}";

    private static Exception Unwrapped(Exception error) => error is AggregateException { InnerExceptions: [var only] } ? only : error;

    /// <summary>A call that may run, or why it may not.</summary>
    private readonly record struct Admitted(ToolCall Call, AIFunction? Tool, AIFunctionArguments Arguments)
    {
        public ToolResult? Refusal { get; init; }
    }
}

/// <summary>A tool with a limit of its own.</summary>
internal sealed class TimedTool(AIFunction tool, TimeSpan timeout) : DelegatingAIFunction(tool)
{
    public TimeSpan Timeout => timeout;
}

/// <summary>What a model is told of a call of a tool that did not succeed.</summary>
internal sealed class ToolFailure(string message, Exception? innerException = null) : HoneException(message, innerException);
