using System.Text.Json;

namespace Hone.Optimizers;

/// <summary>The members of a JSON object that tells of an event. Those of kinds that are not known here have their text alone.</summary>
internal static class EventJson
{
    public static void Write(Utf8JsonWriter json, OptimizerEvent happened)
    {
        json.WriteString("event", happened.GetType().Name);
        switch (happened)
        {
            case OptimizerStarted started:
                Started(json, started);
                break;
            case CandidateScored scored:
                Candidate(json, scored.Candidate);
                json.WriteBoolean("isBest", scored.IsBest);
                break;
            case ParetoFrontChanged changed:
                Front(json, changed);
                break;
            case OptimizerSpent spent:
                Spent(json, spent);
                break;
            case OptimizerFinished finished:
                json.WriteString("reason", $"{finished.Reason}");
                json.WriteNumber("best", finished.BestIndex);
                json.WriteString("verdict", finished.Verdict);
                Text(json, "error", finished.Error);
                break;
            default:
                if (!Short(json, happened))
                    json.WriteString("text", $"{happened}");
                break;
        }
    }

    // False for an event of another kind.
    private static bool Short(Utf8JsonWriter json, OptimizerEvent happened)
    {
        switch (happened)
        {
            case OptimizerPhaseStarted phase:
                json.WriteString("phase", phase.Name);
                return true;
            case WorkStarted work:
                json.WriteString("phase", work.Phase);
                json.WriteString("kind", $"{work.Kind}");
                json.WriteNumber("units", work.Units);
                json.WriteNumber("known", work.Known);
                return true;
            case CandidateSampled sampled:
                json.WriteString("origin", sampled.Origin);
                Number(json, "score", sampled.Score);
                json.WriteNumber("examples", sampled.Examples);
                return true;
            case TextProposed proposed:
                json.WriteString("component", proposed.Component);
                Text(json, "text", proposed.Text);
                Text(json, "error", proposed.Error);
                return true;
            case ProposalJudged judged:
                json.WriteString("origin", judged.Origin);
                json.WriteBoolean("isAccepted", judged.IsAccepted);
                Number(json, "before", judged.Before);
                Number(json, "after", judged.After);
                json.WriteString("reason", judged.Reason);
                return true;
            case RunSaved saved:
                json.WriteString("directory", saved.Directory);
                json.WriteNumber("units", saved.Units);
                return true;
            case OptimizerWarning warning:
                json.WriteString("message", warning.Message);
                return true;
            case OptimizerFailed failed:
                json.WriteString("error", failed.Error);
                json.WriteBoolean("isCancelled", failed.IsCancelled);
                return true;
            default:
                return Gepa(json, happened);
        }
    }

    private static bool Gepa(Utf8JsonWriter json, OptimizerEvent happened)
    {
        switch (happened)
        {
            case GepaIterationStarted started:
                json.WriteNumber("iteration", started.Iteration);
                json.WriteNumber("metricCalls", started.MetricCalls);
                json.WriteNumber("remaining", started.Remaining);
                return true;
            case GepaIterationFinished finished:
                json.WriteNumber("iteration", finished.Iteration);
                json.WriteNumber("candidates", finished.Candidates);
                json.WriteNumber("best", finished.Best);
                return true;
            case GepaMinibatchSampled sampled:
                json.WriteNumber("iteration", sampled.Iteration);
                json.WriteNumber("parent", sampled.Parent);
                Numbers(json, "examples", sampled.Examples);
                return true;
            case GepaTaskSkipped skipped:
                json.WriteNumber("iteration", skipped.Iteration);
                json.WriteNumber("parent", skipped.Parent);
                json.WriteString("reason", skipped.Reason);
                return true;
            case GepaRecordsBuilt built:
                json.WriteNumber("iteration", built.Iteration);
                json.WriteNumber("parent", built.Parent);
                json.WriteString("component", built.Data.Component);
                json.WriteNumber("records", built.Data.Records.Length);
                return true;
            case GepaCandidateDropped dropped:
                json.WriteNumber("iteration", dropped.Iteration);
                json.WriteString("origin", dropped.Origin);
                json.WriteNumber("examples", dropped.Examples);
                Number(json, "score", dropped.Score);
                Number(json, "best", dropped.Best);
                return true;
            case GepaMergeAttempted attempted:
                json.WriteNumber("iteration", attempted.Iteration);
                Numbers(json, "parents", [attempted.First, attempted.Second]);
                json.WriteNumber("ancestor", attempted.Ancestor);
                return true;
            default:
                return false;
        }
    }

    private static void Started(Utf8JsonWriter json, OptimizerStarted started)
    {
        json.WriteString("optimizer", started.Optimizer);
        json.WriteString("settings", started.Settings);
        json.WriteNumber("programRuns", started.Estimate.ProgramRuns);
        json.WriteNumber("calls", started.Estimate.Calls);
        json.WriteNumber("train", started.TrainCount);
        json.WriteNumber("validation", started.ValidationCount);
        json.WriteNumber("journaled", started.JournaledUnits);
        Text(json, "directory", started.RunDirectory);
        json.WriteStartObject("instructions");
        foreach (var (path, text) in started.Instructions)
            json.WriteString(path, text);
        json.WriteEndObject();
    }

    private static void Candidate(Utf8JsonWriter json, OptimizationCandidate candidate)
    {
        json.WriteNumber("candidate", candidate.Index);
        json.WriteString("origin", candidate.Origin);
        Numbers(json, "parents", candidate.Parents);
        if (candidate.Score is { } score)
            Number(json, "score", score);
        json.WriteStartArray("scores");
        foreach (var value in candidate.Scores)
            json.WriteNumberValue(value);
        json.WriteEndArray();
        json.WriteStartObject("texts");
        foreach (var (path, state) in candidate.State.Predictors)
            Text(json, path, state.Instructions);
        json.WriteEndObject();
        json.WriteNumber("programRuns", candidate.ProgramRunsBy);
    }

    private static void Front(Utf8JsonWriter json, ParetoFrontChanged changed)
    {
        json.WriteStartObject("front");
        foreach (var (name, candidates) in changed.Front)
            Numbers(json, name, candidates);
        json.WriteEndObject();
        Numbers(json, "displaced", changed.Displaced);
    }

    private static void Spent(Utf8JsonWriter json, OptimizerSpent spent)
    {
        json.WriteNumber("programRuns", spent.ProgramRuns);
        json.WriteNumber("newProgramRuns", spent.NewProgramRuns);
        UsageJson.Write(json, "usage", spent.UsageByRole);
        json.WriteNumber("newCalls", spent.NewUsage.Calls);
        json.WriteNumber("newTokens", spent.NewUsage.TotalTokens);
        json.WriteNumber("newCost", spent.NewUsage.Cost);
        foreach (var (name, left) in new[] { ("runsLeft", spent.RunsLeft), ("callsLeft", spent.CallsLeft), ("tokensLeft", spent.TokensLeft) })
        {
            if (left is { } value)
                json.WriteNumber(name, value);
        }

        if (spent.CostLeft is { } cost)
            json.WriteNumber("costLeft", cost);
    }

    private static void Numbers(Utf8JsonWriter json, string name, IEnumerable<int> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteNumberValue(value);
        json.WriteEndArray();
    }

    // JSON has no number for what was not measured.
    private static void Number(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
            json.WriteNumber(name, value);
    }

    private static void Text(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
            json.WriteString(name, value);
    }
}
