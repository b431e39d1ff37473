using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>Listens to a run under way and keeps what pages may ask for, within bounds. Safe from any thread.</summary>
internal sealed class RunRecorder(DashboardOptions options, RunControl control) : IProgress<GrpoEvent>, IRunSource
{
    /// <summary>Steps, validations and notes that a page gets on opening.</summary>
    public const int FeedCapacity = 20_000;

    private readonly Lock gate = new();
    private readonly Queue<GrpoStepCompleted> kept = [];
    private readonly AnswerBook answers = new();
    private readonly RolloutViews views = new(options.TokenTexts);
    private readonly long started = options.Time.GetTimestamp();
    private StatusMessage status = new() { Phase = "waiting" };
    private IReadOnlyList<double>? baseline;

    public bool IsLive => true;

    public RunFeed Feed { get; } = new(FeedCapacity);

    public StatusMessage Status
    {
        get
        {
            lock (gate)
            {
                var isPaused = status.Phase != "finished" && control.IsPaused;
                return status with
                {
                    IsPaused = isPaused,
                    IsPausing = isPaused && status.Phase is not "between",
                    IsStopping = status.Phase != "finished" && control.IsStopRequested,
                    Elapsed = status.Phase == "finished" ? status.Elapsed : Elapsed,
                    Dropped = Feed.Dropped,
                };
            }
        }
    }

    public IReadOnlyList<int> Steps
    {
        get
        {
            lock (gate)
                return [.. kept.Select(step => step.Report.Step)];
        }
    }

    private double Elapsed => options.Time.GetElapsedTime(started).TotalSeconds;

    public void Report(GrpoEvent value)
    {
        ArgumentNullException.ThrowIfNull(value);
        lock (gate)
            Record(value);
        options.Next?.Report(value);
    }

    public ValueTask<StepRollouts?> RolloutsOfAsync(int step, CancellationToken cancellationToken = default) =>
        new(Find(step) is { } found ? RolloutViews.Summarize(step, found.Rollouts) : null);

    public ValueTask<RolloutView?> RolloutAsync(int step, int position, CancellationToken cancellationToken = default) =>
        new(Find(step) is { } found && (uint)position < (uint)found.Rollouts.Count
            ? views.Show(step, position, found.Rollouts[position], found.Advantages)
            : null);

    public AnswerPage? Answers(AnswerQuery query)
    {
        lock (gate)
            return answers.Page(query);
    }

    private GrpoStepCompleted? Find(int step)
    {
        lock (gate)
            return kept.LastOrDefault(each => each.Report.Step == step);
    }

    private void Record(GrpoEvent value)
    {
        switch (value)
        {
            case GrpoStarted start:
                Append("started", new(start.FirstStep, start.Steps), DashboardJson.Default.StartedMessage);
                RecallSteps(start.FirstStep);
                Turn(start.FirstStep == 0 ? "checking" : "between", start.FirstStep);
                break;
            case GrpoRolloutProgress rolling:
                Turn(rolling.Completed < rolling.Total ? "rollouts" : "learning", rolling.Step, rolling.Completed, rolling.Total);
                break;
            case GrpoValidationProgress validating:
                Turn("validating", validating.Step, validating.Completed, validating.Total);
                break;
            case GrpoStepCompleted completed:
                Keep(completed);
                break;
            case GrpoValidated validated:
                answers.Add(validated);
                AppendValidation(validated.Validation, validated.Answers.Count > 0);
                Turn("between", validated.Validation.Step);
                break;
            case GrpoChecked check:
                Append("checked", check.Report, DashboardJson.Default.PreflightReport);
                break;
            case GrpoRolledBack back:
                Append("rolledBack", new(back.Step, back.Reason, back.ReturnedTo), DashboardJson.Default.RollbackMessage);
                break;
            case GrpoStateSaved saved:
                Append("saved", new(saved.NextStep, saved.Directory), DashboardJson.Default.SavedMessage);
                break;
            case GrpoWarning warning:
                Append("warning", new(warning.Step, warning.Message), DashboardJson.Default.NoteMessage);
                break;
            case GrpoFinished finished:
                Turn("finished", status.Step);
                Append("finished", new(finished.Reason, finished.BestStep, finished.Comparison), DashboardJson.Default.FinishedMessage);
                break;
        }
    }

    private void Keep(GrpoStepCompleted completed)
    {
        // The oldest go first: a run of any length takes the same memory.
        kept.Enqueue(completed);
        while (kept.Count > options.KeptSteps)
            kept.Dequeue();
        var rewarded = completed.Rollouts.Count(rollout => rollout.Reward is not null);
        Append("step", new(completed.Report, ErrorOf(completed.Report, rewarded), Elapsed), DashboardJson.Default.StepMessage);
        Turn("between", completed.Report.Step);
    }

    private void AppendValidation(GrpoValidation validation, bool hasAnswers)
    {
        if (validation.Step < 0)
            baseline = validation.Scores;
        Append("validation", ValidationOf(validation, baseline, hasAnswers), DashboardJson.Default.ValidationMessage);
    }

    // What a resumed run did before the interruption.
    private void RecallSteps(int firstStep)
    {
        if (firstStep == 0 || options.RunDirectory is not { } directory)
            return;
        foreach (var line in StoredRun.ReadJournal(directory).Where(line => line.Step < firstStep))
        {
            if (line.Validation is { } validation)
                AppendValidation(validation, hasAnswers: false);
            if (line.Report is { } report)
                Append("step", new(report, ErrorOf(report, report.RolloutsKept - report.Unscorable), null), DashboardJson.Default.StepMessage);
        }
    }

    private void Turn(string phase, int step, int completed = 0, int total = 0)
    {
        status = new() { Phase = phase, Step = step, Completed = completed, Total = total, Elapsed = Elapsed };
        Feed.Touch();
    }

    private void Append<T>(string type, T message, JsonTypeInfo<T> json) => Feed.Append(type, JsonSerializer.SerializeToUtf8Bytes(message, json));

    /// <summary>Standard error of the mean reward; null where one reward says nothing about others.</summary>
    internal static double? ErrorOf(GrpoStepReport report, int rewarded) => rewarded < 2 ? null : report.RewardDeviation / Math.Sqrt(rewarded);

    internal static ValidationMessage ValidationOf(GrpoValidation validation, IReadOnlyList<double>? baseline, bool hasAnswers) => new(
        validation with { Scores = [] },
        validation.Scores.Count,
        validation.Step >= 0 && baseline?.Count == validation.Scores.Count && baseline.Count > 0 ? Bootstrap.Compare(baseline, validation.Scores) : null,
        hasAnswers);
}
