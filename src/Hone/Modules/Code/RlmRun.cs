using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>How a run ended, before its outputs take the form that the code wants.</summary>
internal sealed record RlmOutcome(FieldMap Outputs, RlmStopReason Reason, ImmutableArray<RlmStep> Steps);

/// <summary>One run of a recursive language model: pieces of code, one after another, until one submits the outputs.</summary>
internal sealed class RlmRun
{
    // What a step gave is shown in less and less of its length before a run gives up on a model's context.
    private const int LeastOutputShown = 500;

    private readonly RlmCore core;
    private readonly FieldMap inputs;
    private readonly CallQuota quota;
    private readonly bool isInner;
    private readonly ImmutableArray<AIFunction> tools;
    private readonly List<RlmStep> steps = [];
    private int shownFrom;
    private int outputShown;

    /// <param name="core">What is run.</param>
    /// <param name="tools">The tools as the running program words them.</param>
    /// <param name="inputs">The inputs, complete.</param>
    /// <param name="quota">The model calls that may still be made.</param>
    /// <param name="isInner">True for a run inside another: then its own steps count, too.</param>
    public RlmRun(RlmCore core, ImmutableArray<AIFunction> tools, FieldMap inputs, CallQuota quota, bool isInner)
    {
        (this.core, this.tools, this.quota, this.isInner, outputShown) = (core, tools, quota, isInner, core.Options.MaxOutputLength);

        // An input that was left out is there, without a value.
        this.inputs = FieldMap.Create(core.Task.Inputs.Select(input => KeyValuePair.Create(input.Name, inputs.GetValueOrDefault(input.Name))));
    }

    public async Task<RlmOutcome> RunAsync(CancellationToken cancellationToken)
    {
        // The call that would draw the outputs from the steps is set aside at once.
        if (isInner && !quota.TryTake(1))
            throw RlmFunction.Failed("No model calls are left.");
        using var calls = new RlmCalls(core, quota, cancellationToken);
        ImmutableArray<AIFunction> functions = [.. calls.Functions, .. tools.Select(tool => new ToolInCode(tool, ToolOptions()))];
        var session = new CodeSessionOptions
        {
            Tools = functions,
            Outputs = [.. core.Task.Outputs.Select(output => output.Name)],
            Limits = core.Options.Limits with { MaxToolCalls = (int)Math.Min((long)core.Options.Limits.MaxToolCalls + core.Options.MaxModelCalls, int.MaxValue) },
            CutLongValue = true,
            Services = core.Options.Services,
        };
        var told = FieldMap.Of(
            (RlmCore.Variables, RlmText.Variables(core.Task, inputs, core.Options.PreviewLength)), (RlmCore.Functions, RlmText.Functions(functions, core.Task)));
        var runner = new CodeRunner(core.Interpreter, session, inputs);
        RlmStopReason reason;
        await using (runner.ConfigureAwait(false))
        {
            var (outputs, ended) = await StepsAsync(runner, calls, told, cancellationToken).ConfigureAwait(false);
            if (outputs is not null)
            {
                if (isInner)
                    quota.GiveBack(1);
                return new(outputs, RlmStopReason.Submitted, [.. steps]);
            }

            reason = ended;
        }

        // Without the session: a model that draws the outputs needs none of its memory.
        var drawn = await AskAsync(core.Extract, told.Without(RlmCore.Functions), cancellationToken).ConfigureAwait(false);
        return new(drawn, reason, [.. steps]);
    }

    private async Task<(FieldMap? Outputs, RlmStopReason Reason)> StepsAsync(CodeRunner runner, RlmCalls calls, FieldMap told, CancellationToken cancellationToken)
    {
        for (var step = 1; step <= core.Options.MaxSteps; step++)
        {
            if (isInner && !quota.TryTake(1))
                return (null, RlmStopReason.MaxModelCalls);
            FieldMap written;
            try
            {
                written = await AskAsync(core.Act, told.With(RlmCore.Iteration, IterationText(step)), cancellationToken).ConfigureAwait(false);
            }
            catch (AdapterParseException)
            {
                // The failure is in the trace; the outputs are drawn from what there is.
                return (null, RlmStopReason.UnreadableStep);
            }
            catch (ContextWindowExceededException)
            {
                return (null, RlmStopReason.ContextWindowExceeded);
            }

            if (await TakeAsync(runner, calls, written, cancellationToken).ConfigureAwait(false) is { } outputs)
                return (outputs, RlmStopReason.Submitted);
        }

        return (null, RlmStopReason.MaxSteps);
    }

    // Runs the code of a step; gives the outputs when it submitted some that fit.
    private async Task<FieldMap?> TakeAsync(CodeRunner runner, RlmCalls calls, FieldMap written, CancellationToken cancellationToken)
    {
        var code = written[RlmCore.Written] as string ?? string.Empty;
        FieldMap? outputs = null;
        string given;
        var isError = false;
        try
        {
            var result = await calls.GuardAsync(token => runner.RunAsync(code, token), cancellationToken).ConfigureAwait(false);
            given = result.Submitted is null ? CodeText.Shown(result, core.Options.Limits) : result.Output.TrimEnd();
            if (result.Submitted is { } submitted)
                outputs = core.ReadOutputs(submitted);
        }
        catch (CodeException error)
        {
            (given, isError) = (CodeText.Shown(error), true);
            if (error.IsSessionLost)
                given += "\n[What you had defined is gone. The inputs are there again.]";
        }
        catch (AdapterParseException misfit)
        {
            (given, isError) = ($"[Error] {CodeSessionOptions.SubmitFunction} was not accepted: {misfit.Reason} Call it again with every output.", true);
        }

        foreach (var note in calls.TakeNotes())
            given += $"\n[{note}]";
        steps.Add(new(written.GetValueOrDefault(RlmCore.Reasoning) is string { Length: > 0 } reasoning ? reasoning : null, code, given, isError));
        return outputs;
    }

    // When the request does not fit, its older steps are left out of it, then the middle of what the last gave; never of what is kept.
    private async Task<FieldMap> AskAsync(Predict predictor, FieldMap told, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var shown = RlmText.Steps(steps, shownFrom, core.Interpreter.Language, outputShown);
                return await predictor.CallAsync(told.With(RlmCore.Steps, shown), cancellationToken).ConfigureAwait(false);
            }
            catch (ContextWindowExceededException) when (steps.Count - shownFrom > 1)
            {
                shownFrom += (steps.Count - shownFrom) / 2;
            }
            catch (ContextWindowExceededException) when (steps.Count > 0 && outputShown > LeastOutputShown)
            {
                outputShown = Math.Max(outputShown / 2, LeastOutputShown);
            }
        }
    }

    private string IterationText(int step)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{step}/{core.Options.MaxSteps}");
        return core.Asks ? string.Create(CultureInfo.InvariantCulture, $"{text}; {quota.Left} of {quota.Limit} model calls are left") : text;
    }

    private CodeActOptions ToolOptions() =>
        new() { ToolTimeout = core.Options.ToolTimeout, ApproveAsync = core.Options.ApproveAsync, Services = core.Options.Services };
}
