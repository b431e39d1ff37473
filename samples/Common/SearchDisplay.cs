using Hone;
using Hone.Optimizers;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace SampleCommon;

/// <summary>Shows a search of prompts while it happens: what is done, the candidates so far, what was spent. Plain lines where there is no terminal.</summary>
public sealed class SearchDisplay : IProgress<OptimizerEvent>
{
    private const int Shown = 8;

    private readonly Lock gate = new();
    private readonly List<CandidateScored> scored = [];
    private OptimizerProgress progress = new("starting", 0, 1);
    private string phase = string.Empty;
    private string last = string.Empty;
    private OptimizerSpent? spent;

    public void Report(OptimizerEvent value)
    {
        lock (gate)
            Apply(value);
        if (!LivePanel.IsInteractive && LineOf(value) is { } line)
            Console.WriteLine(line);
    }

    /// <summary>Runs the work and redraws until it ends.</summary>
    public Task<T> ShowAsync<T>(Func<Task<T>> work) => LivePanel.ShowAsync(Draw, work);

    private void Apply(OptimizerEvent value)
    {
        switch (value)
        {
            case OptimizerPhaseStarted started:
                phase = started.Name;
                break;
            case OptimizerProgress moved:
                progress = moved;
                break;
            case CandidateScored candidate:
                scored.Add(candidate);
                break;
            case OptimizerSpent spending:
                spent = spending;
                break;
            default:
                last = LineOf(value) ?? last;
                break;
        }
    }

    private static string? LineOf(OptimizerEvent value) => value switch
    {
        OptimizerStarted { JournaledUnits: > 0 } started => $"resuming: {started.JournaledUnits} pieces of work are done",
        OptimizerPhaseStarted phase => phase.Name,
        CandidateScored { Candidate: var candidate, IsBest: var isBest } => FormattableString.Invariant($"candidate {candidate.Index}: {candidate.Score:0.000}  {candidate.Origin}{(isBest ? "  best so far" : "")}"),
        ProposalJudged judged => FormattableString.Invariant($"{judged.Origin}: {judged.Before:0.00} → {judged.After:0.00}, {(judged.IsAccepted ? "accepted" : "rejected")} ({judged.Reason})"),
        TextProposed { Error: { } error } failed => $"proposal for {failed.Component} failed: {error}",
        OptimizerWarning warning => $"note: {warning.Message}",
        _ => null,
    };

    private Panel Draw()
    {
        lock (gate)
        {
            var done = progress.Completed * 40 / Math.Max(1, progress.Total);
            var rows = new List<IRenderable>
            {
                new Markup($"[blue]{new string('█', done)}[/][grey]{new string('░', 40 - done)}[/] {Markup.Escape(progress.Phase)} {progress.Completed}/{progress.Total}  [grey]{Markup.Escape(phase)}[/]"),
            };
            foreach (var candidate in scored.TakeLast(Shown))
                rows.Add(new Markup($"{(candidate.IsBest ? "[green]" : "[grey]")}{candidate.Candidate.Index,4}  {candidate.Candidate.Score:0.000}[/]  {Markup.Escape(candidate.Candidate.Origin)}"));
            if (spent is { } sum)
                rows.Add(new Markup($"[grey]spent[/]  {sum.ProgramRuns:N0} runs · {Markup.Escape(string.Join(" · ", sum.UsageByRole.Select(role => $"{role.Key} {role.Value.Calls:N0} calls, {role.Value.TotalTokens:N0} tokens")))}"));
            if (last.Length > 0)
                rows.Add(new Markup($"[yellow]{Markup.Escape(last)}[/]"));
            return new Panel(new Rows(rows)).Header("search").Border(BoxBorder.Rounded).Expand();
        }
    }
}
