using System.Diagnostics;
using Hone.Optimizers;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace SampleCommon;

/// <summary>Shows a run while it happens: progress, reward curve, score, tokens a second, time left. Plain lines where there is no terminal.</summary>
/// <param name="steps">Steps of the run.</param>
/// <param name="measure">What the score is called, e.g. recall.</param>
public sealed class TrainingDisplay(int steps, string measure) : IProgress<GrpoEvent>
{
    private const string Bars = "▁▂▃▄▅▆▇█";
    private const int CurveWidth = 60;

    private readonly Lock gate = new();
    private readonly List<GrpoStepReport> reports = [];
    private readonly List<GrpoValidation> validations = [];
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private string activity = "starting";
    private string warning = string.Empty;
    private int firstStep;

    public void Report(GrpoEvent value)
    {
        lock (gate)
            Apply(value);
        if (!LivePanel.IsInteractive)
            Print(value);
    }

    /// <summary>Runs the work and redraws until it ends.</summary>
    public Task<T> ShowAsync<T>(Func<Task<T>> work) => LivePanel.ShowAsync(Draw, work);

    private void Apply(GrpoEvent value)
    {
        switch (value)
        {
            case GrpoStarted started:
                firstStep = started.FirstStep;
                break;
            case GrpoRolloutProgress rollout:
                activity = $"step {rollout.Step + 1}: rollouts {rollout.Completed}/{rollout.Total}";
                break;
            case GrpoValidationProgress validating:
                activity = $"validating {validating.Completed}/{validating.Total}";
                break;
            case GrpoStepCompleted completed:
                reports.Add(completed.Report);
                break;
            case GrpoValidated validated:
                validations.Add(validated.Validation);
                break;
            case GrpoWarning noted:
                warning = noted.Message;
                break;
            case GrpoChecked { Report.Findings: [var worst, ..] }:
                warning = worst.Message;
                break;
            case GrpoRolledBack back:
                warning = back.Reason;
                break;
        }
    }

    private void Print(GrpoEvent value)
    {
        switch (value)
        {
            case GrpoStarted { FirstStep: > 0 } started:
                Console.WriteLine($"resuming at step {started.FirstStep + 1} of {started.Steps}");
                break;
            case GrpoStepCompleted { Report: var report }:
                Console.WriteLine(FormattableString.Invariant(
                    $"step {report.Step + 1,3}/{steps}  reward {report.RewardMean:0.000}  unreadable {report.FormatFailuresByPredictor.Values.Sum(),2}  entropy {report.Entropy:0.00}  rollout {report.Seconds.Rollout:0.00} s  update {UpdateSeconds(report):0.00} s  {TimeLeft()}"));
                break;
            case GrpoValidated { Validation: var validation }:
                Console.WriteLine(FormattableString.Invariant(
                    $"validation after step {validation.Step + 1}: {measure} {validation.Score:0.000} [{validation.Interval.Low:0.000}, {validation.Interval.High:0.000}]{(validation.IsBest ? "  best so far" : "")}"));
                break;
            case GrpoWarning noted:
                Console.WriteLine($"note: {noted.Message}");
                break;
            case GrpoChecked { Report: var checks }:
                Console.WriteLine(checks.ToString());
                break;
            case GrpoRolledBack back:
                Console.WriteLine($"step {back.Step + 1}: {back.Reason} Back to the weights of step {back.ReturnedTo + 1}.");
                break;
        }
    }

    private Panel Draw()
    {
        lock (gate)
        {
            var done = reports.Count == 0 ? firstStep : reports[^1].Step + 1;
            var rows = new List<IRenderable>
            {
                new Markup($"[blue]{new string('█', done * 40 / steps)}[/][grey]{new string('░', 40 - (done * 40 / steps))}[/] {done}/{steps}  {Markup.Escape(TimeLeft())}"),
                new Markup($"[grey]now[/]       {Markup.Escape(activity)}"),
            };
            if (reports.Count > 0)
            {
                var last = reports[^1];
                var recent = reports.TakeLast(8).ToArray();
                var seconds = recent.Sum(report => report.Seconds.Rollout);
                rows.Add(new Markup($"[grey]reward[/]    [green]{Curve([.. reports.Select(report => report.RewardMean)])}[/] {recent.Average(report => report.RewardMean):0.000}"));
                rows.Add(new Markup($"[grey]sampling[/]  {recent.Sum(report => report.TokensSampled) / Math.Max(1e-9, seconds):N0} tokens/s · rollout {last.Seconds.Rollout:0.00} s · update {UpdateSeconds(last):0.00} s"));
                rows.Add(new Markup($"[grey]policy[/]    entropy {last.Entropy:0.00} · unreadable answers {last.FormatFailuresByPredictor.Values.Sum()} · gradient norm {last.GradientNorm:0.00}"));
            }

            if (validations.Count > 0)
                rows.Add(new Markup($"[grey]{measure,-9}[/] {Markup.Escape(string.Join(" → ", validations.Select(validation => $"{validation.Score:P0}")))} (best {validations.Max(validation => validation.Score):P1})"));
            if (warning.Length > 0)
                rows.Add(new Markup($"[yellow]note[/]      {Markup.Escape(warning)}"));
            return new Panel(new Rows(rows)).Header("training").Border(BoxBorder.Rounded).Expand();
        }
    }

    private string TimeLeft()
    {
        var done = reports.Count;
        if (done == 0)
            return string.Empty;
        var left = TimeSpan.FromSeconds(clock.Elapsed.TotalSeconds / done * (steps - firstStep - done));
        return $"{left:m\\:ss} left";
    }

    private static double UpdateSeconds(GrpoStepReport report) => report.Seconds.Total - report.Seconds.Rollout;

    private static string Curve(double[] values)
    {
        var shown = values.Length <= CurveWidth ? values : values[^CurveWidth..];
        var (low, high) = (values.Min(), values.Max());
        return string.Concat(shown.Select(value => Bars[(int)Math.Clamp((value - low) / Math.Max(1e-9, high - low) * (Bars.Length - 1), 0, Bars.Length - 1)]));
    }
}
