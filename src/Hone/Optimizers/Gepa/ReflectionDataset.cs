using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone.Optimizers;

/// <summary>Makes records of runs: for each text that is to be changed, what its predictor did. Steps belong to a predictor by their path.</summary>
internal sealed class ReflectionDataset<TIn, TOut>(SearchRun<TIn, TOut> search, GepaOptions options)
{
    /// <summary>The records of a component; empty when nothing of it can be shown.</summary>
    /// <param name="program">The program that was run.</param>
    /// <param name="component">The text's name.</param>
    /// <param name="runs">The runs with the positions of their examples in the training set.</param>
    /// <param name="seed">Chooses among several calls of a run.</param>
    public ReflectionData Of(Program<TIn, TOut> program, string component, IReadOnlyList<(int Index, RunRecord Run)> runs, SeedStream seed)
    {
        if (TextComponents.ToolOf(component) is { } tool)
            return OfTool(program, component, tool.Path, tool.Argument, runs);
        var path = component;
        var records = new List<ReflectionRecord>();
        for (var i = 0; i < runs.Count; i++)
        {
            var (index, run) = runs[i];
            if (StepOf(path, run, seed.Derive("step", i)) is { } step)
                records.Add(Record(program, path, index, run, step));
        }

        return new(component, TextComponents.Get(program, component), [.. records]);
    }

    // Every run of the agent has something to say about a tool, whether it was called or another one in its place.
    private ReflectionData OfTool(
        Program<TIn, TOut> program, string component, string path, string? argument, IReadOnlyList<(int Index, RunRecord Run)> runs)
    {
        var agent = AgentView.WithTool(program, path);
        var records = new List<ReflectionRecord>();
        foreach (var (index, run) in runs)
        {
            if (agent.In(run) is { } seen)
                records.Add(new(NameOf(index), seen.Inputs, run.Score.Value, FeedbackOf(component, run, agent.Predictor)) { Outputs = seen.Outputs });
        }

        var limit = ReflectionText.CharactersOf(options.MaxRecordTokens);
        return new(component, TextComponents.Get(program, component), [.. records])
        {
            Tool = new(
                path,
                argument,
                AgentView.Describe(agent.Tools.Where(tool => tool.Key == path), limit),
                AgentView.Describe(agent.Tools.Where(tool => tool.Key != path), limit)),
        };
    }

    private string NameOf(int index) => search.Train.Examples[index].Id ?? FormattableString.Invariant($"#{index}");

    /// <summary>What the metric said of a text, or the score in words.</summary>
    /// <param name="path">The text's name.</param>
    /// <param name="run">The run.</param>
    /// <param name="also">Another name whose feedback will do.</param>
    public static string FeedbackOf(string path, RunRecord run, string? also = null) =>
        run.Error is not null ? $"The run failed and has the score {Number(run.Score.Value)}: {run.Error}"
        : run.Score.PredictorFeedback.TryGetValue(path, out var own) && own.Length > 0 ? own
        : also is not null && run.Score.PredictorFeedback.TryGetValue(also, out var other) && other.Length > 0 ? other
        : run.Score.Feedback is { Length: > 0 } all ? all
        : $"This run has the score {Number(run.Score.Value)}.";

    // An answer that could not be read teaches most, where it is wanted; in a run that failed by it nothing else is to blame.
    private StepRecord? StepOf(string path, RunRecord run, SeedStream seed)
    {
        StepRecord[] steps = [.. run.Steps.Where(step => step.Path == path)];
        if (options.AddFormatFailures && Array.Find(steps, step => step.Outputs is null) is { } failed)
            return failed;
        if (run.Fault == RunFault.Unreadable)
            return null;
        steps = [.. steps.Where(step => step.Outputs is not null)];
        return steps.Length == 0 ? null : steps[seed.CreateRandom().Next(steps.Length)];
    }

    private ReflectionRecord Record(Program<TIn, TOut> program, string path, int index, RunRecord run, StepRecord step) => new(
        NameOf(index),
        step.Inputs,
        run.Score.Value,
        step.Outputs is null ? FormatFeedback(program, path, step) : FeedbackOf(path, run))
    {
        Outputs = step.Outputs,
        RawText = step.Outputs is null ? step.RawText ?? string.Empty : null,
        OtherSteps = options.ShowWholeRuns
            ? [.. run.Steps.Where(other => other.Path != path && other.Outputs is not null).Select(other => KeyValuePair.Create(other.Path, other.Outputs!))]
            : [],
    };

    private static string FormatFeedback(Program<TIn, TOut> program, string path, StepRecord step)
    {
        var signature = program.Predictors.First(entry => entry.Key == path).Value.WithInstructions("(the instruction)");
        var system = program.Adapter.Render(new(signature, step.Inputs, [])).Where(message => message.Role == ChatRole.System).Select(message => message.Text);
        return $"The answer could not be read: {step.Failure} It must keep to this format:\n{string.Join('\n', system)}";
    }

    private static string Number(double value) => value.ToString("0.###", System.Globalization.CultureInfo.InvariantCulture);
}
