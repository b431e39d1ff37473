using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json;
using Hone.Optimizers;
using Hone.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using EventLog = Hone.Tests.Optimizers.Search.EventLog;

namespace Hone.Tests.Optimizers.Tracking;

public sealed class TrackerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_is_written_to_an_mlflow_server()
    {
        await using var server = new FakeMlflowServer();
        using var http = new HttpClient();
        var result = await CompileAsync(new MlflowTracker(http, server.Address, new() { Experiment = "answers & more", Prefix = "rs/" }));
        var run = Assert.Single(server.Runs);
        Assert.Equal(["answers & more"], server.Experiments);
        Assert.Equal(("bootstrap-random-search", "FINISHED"), (run.Name, run.Status));
        Assert.Equal("bootstrap-random-search", run.Parameters["rs/optimizer"]);
        Assert.Equal(result.Candidates.Select(candidate => ((long)candidate.Index, candidate.Score!.Value)), run.Metrics["rs/val_program_average"]);
        Assert.Equal(result.BestScore, run.Metrics["rs/best_score_on_valset"][^1].Value);
        Assert.Equal(result.UsageByRole["task"].Calls, run.Metrics["rs/task/calls"][^1].Value);
        Assert.Equal(result.Verdict, run.Tags["rs/verdict"]);
        var highest = Enumerable.Range(0, 7).Average(i => result.Candidates.Max(candidate => candidate.Scores[i]));
        Assert.Equal(highest, run.Metrics["rs/valset_pareto_front_agg"][^1].Value, 1e-12);
        Assert.Equal(result.BestIndex, run.Metrics["rs/best_program_as_per_agg_score_valset"][^1].Value);
        Assert.Equal(result.BestIndex, run.Metrics["rs/linear_pareto_front_program_idx"][^1].Value);
        Assert.Equal(7, run.Metrics["rs/val_total_count"][^1].Value);

        // A second run finds the experiment; one that is given a run neither makes nor ends it.
        await CompileAsync(new MlflowTracker(http, server.Address, new() { Experiment = "answers & more", RunName = "second" }));
        await CompileAsync(new MlflowTracker(http, server.Address, new() { RunId = "run2", Prefix = "inner/" }));
        Assert.Equal(["bootstrap-random-search", "second"], server.Runs.Select(other => other.Name));
        Assert.Contains("inner/verdict", server.Runs[1].Tags.Keys);
    }

    [Fact]
    public async Task What_changes_did_on_their_minibatch_is_written_by_iteration()
    {
        await using var server = new FakeMlflowServer();
        using var http = new HttpClient();
        var judged = new EventLog();
        await GepaAsync(new MlflowTracker(http, server.Address), judged);
        var proposals = judged.Of<ProposalJudged>().Where(proposal => double.IsFinite(proposal.After)).ToArray();
        Assert.NotEmpty(proposals);
        var run = Assert.Single(server.Runs);
        Assert.Equal(proposals.Select(proposal => proposal.Before), run.Metrics["subsample/before"].Select(metric => metric.Value));
        Assert.Equal(proposals.Select(proposal => proposal.After), run.Metrics["subsample/after"].Select(metric => metric.Value));
    }

    [Fact]
    public async Task Tables_and_the_tree_of_candidates_are_files_of_the_run()
    {
        await using var server = new FakeMlflowServer();
        using var http = new HttpClient();
        var judged = new EventLog();
        var result = await GepaAsync(new MlflowTracker(http, server.Address, new() { Prefix = "gepa/" }), judged);
        var run = Assert.Single(server.Runs);
        Assert.Equal(
            ["gepa/candidate_tree.html", "gepa/candidates.json", "gepa/objective_pareto_front.json", "gepa/objective_scores.json", "gepa/proposals.json", "gepa/valset_pareto_front.json", "gepa/valset_scores.json"],
            run.Files.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(result.Candidates.Select(candidate => candidate.State["ans"].Instructions ?? "base"), Column("candidates", "text"));
        Assert.Equal(result.Candidates.Select(candidate => string.Join(", ", candidate.Parents)), Column("candidates", "parents"));
        Assert.Equal(result.Candidates.SelectMany(candidate => candidate.Scores.Select(score => $"{score}")), Column("valset_scores", "score"));
        Assert.Equal(result.HighestScores.Select(score => $"{score}"), Column("valset_pareto_front", "best_score"));
        Assert.Equal(result.BestByExample.Select(best => string.Join(", ", best)), Column("valset_pareto_front", "candidates"));
        Assert.Equal(result.BestByObjective.Values.Select(best => string.Join(", ", best)), Column("objective_pareto_front", "candidates"));
        Assert.Equal(judged.Of<TextProposed>().Select(proposed => proposed.Text), Column("proposals", "text"));
        Assert.Contains("also from 1", LineageTree.Page([.. result.Candidates, new(result.Candidates.Length, ProgramState.Default, "merge") { Parents = [0, 1] }], 0), StringComparison.Ordinal);
        Assert.All(result.Candidates, candidate => Assert.Contains($"{candidate.Index}: {candidate.Origin}", run.Files["gepa/candidate_tree.html"], StringComparison.Ordinal));
        Assert.Equal(("base", result.Program.State["ans"].Instructions), (run.Tags["gepa/seed/ans"], run.Tags["gepa/best/ans"]));

        // A server takes no name with parentheses.
        Assert.Equal(result.Candidates.Select(candidate => candidate.Parts["right (exactly)"]), run.Metrics["gepa/objective/right _exactly_"].Select(metric => metric.Value));
        using var listed = JsonDocument.Parse(run.Tags["mlflow.loggedArtifacts"]);
        Assert.Equal(run.Files.Keys.Where(path => path.EndsWith(".json", StringComparison.Ordinal)).Order(), listed.RootElement.EnumerateArray().Select(table => table.GetProperty("path").GetString()).Order());

        // Within a run of somebody else's: what that has stays.
        await GepaAsync(new MlflowTracker(http, server.Address, new() { RunId = run.Id, Prefix = "again/" }), new());
        using var both = JsonDocument.Parse(run.Tags["mlflow.loggedArtifacts"]);
        Assert.Equal(12, both.RootElement.GetArrayLength());

        string?[] Column(string table, string name)
        {
            using var json = JsonDocument.Parse(run.Files[$"gepa/{table}.json"]);
            var at = json.RootElement.GetProperty("columns").EnumerateArray().Select(column => column.GetString()).ToList().IndexOf(name);
            return [.. json.RootElement.GetProperty("data").EnumerateArray().Select(row => row[at].ValueKind == JsonValueKind.Null ? null : $"{row[at]}")];
        }
    }

    [Fact]
    public async Task A_server_whose_files_lie_elsewhere_is_told_so()
    {
        await using var server = new FakeMlflowServer { FileStore = "s3://bucket/runs/1" };
        using var http = new HttpClient();
        await CompileAsync(new MlflowTracker(http, server.Address));
        var run = Assert.Single(server.Runs);
        Assert.Empty(run.Files);
        Assert.Contains("s3://bucket/runs/1", run.Tags["files"], StringComparison.Ordinal);
        Assert.Equal("FINISHED", run.Status);
    }

    // The run is ended all the same.
    [Fact]
    public async Task A_file_that_cannot_be_written_leaves_no_run_open()
    {
        await using var server = new FakeMlflowServer();
        server.Inject(new(ServerFaultKind.ServerError, "candidates.json"));
        using var http = new HttpClient();
        var log = new ListLogger();
        await CompileAsync(new MlflowTracker(http, server.Address), log);
        Assert.Equal("FINISHED", Assert.Single(server.Runs).Status);
        Assert.Contains(log.Lines, line => line.Contains(nameof(MlflowTracker), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_run_that_is_given_up_has_failed()
    {
        await using var server = new FakeMlflowServer();
        using var http = new HttpClient();
        var lab = new Lab(_ => throw new LMAuthException("no such key"));
        var log = new ListLogger();
        await Assert.ThrowsAsync<LMAuthException>(() => new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, new() { Trackers = [new MlflowTracker(http, server.Address), new LoggerTracker(log)] })
            .CompileAsync(lab.One(), Lab.Examples(3), Lab.Examples(3, "v"), Token));
        Assert.Equal("FAILED", Assert.Single(server.Runs).Status);
        Assert.Contains("no such key", log.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_is_written_to_lines_of_json()
    {
        var directory = Directory.CreateTempSubdirectory("hone-lines-").FullName;
        try
        {
            var (path, heard) = (Path.Combine(directory, "deep", "events.jsonl"), new EventLog());
            var time = new FakeTimeProvider(new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
            var result = await GepaAsync(new JsonLinesTracker(path, time), heard);
            var lines = (await File.ReadAllLinesAsync(path, Token)).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
            Assert.Equal(heard.Of<OptimizerEvent>().Where(happened => happened is not OptimizerProgress).Select(happened => happened.GetType().Name), lines.Select(Name));
            Assert.Equal("base", lines[0].GetProperty("instructions").GetProperty("ans").GetString());
            Assert.All(lines, line => Assert.Equal("2026-01-02T03:04:05+00:00", line.GetProperty("time").GetString()));
            Assert.All(lines, line => Assert.False(line.TryGetProperty("text", out _) && Name(line) != nameof(TextProposed), $"{line}"));
            var scored = lines.Where(line => Name(line) == nameof(CandidateScored)).ToArray();
            Assert.Equal(result.Candidates.Select(candidate => candidate.Score), scored.Select(line => (double?)line.GetProperty("score").GetDouble()));
            Assert.Equal(result.Program.State["ans"].Instructions, scored[result.BestIndex].GetProperty("texts").GetProperty("ans").GetString());
            var spent = lines.Where(line => Name(line) == nameof(OptimizerSpent)).ToArray();
            Assert.Equal(result.ProgramRuns, spent.Sum(line => line.GetProperty("newProgramRuns").GetInt64()));
            Assert.Equal(result.UsageByRole.Values.Sum(usage => usage.Calls), spent.Sum(line => line.GetProperty("newCalls").GetInt64()));
            Assert.Equal(1000 - result.UsageByRole.Values.Sum(usage => usage.Calls), spent[^1].GetProperty("callsLeft").GetInt64());
            Assert.Equal($"{result.StopReason}", lines[^1].GetProperty("reason").GetString());

            // Another run goes on in the file.
            await GepaAsync(new JsonLinesTracker(path), new());
            Assert.True((await File.ReadAllLinesAsync(path, Token)).Length > lines.Length);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        static string Name(JsonElement line) => line.GetProperty("event").GetString()!;
    }

    [Fact]
    public async Task What_is_paid_is_on_the_meter_once()
    {
        var directory = Directory.CreateTempSubdirectory("hone-metered-").FullName;
        var role = $"metered-{Guid.NewGuid():N}";
        var (gate, cost) = (new Lock(), 0.0);
        using var listener = new MeterListener { InstrumentPublished = (instrument, self) => { if (instrument.Name == "hone.optimizer.cost") self.EnableMeasurementEvents(instrument); } };
        listener.SetMeasurementEventCallback<double>((_, value, tags, _) =>
        {
            foreach (var tag in tags)
            {
                if (tag.Value is not string other || other != role)
                    continue;
                lock (gate)
                    cost += value;
            }
        });
        listener.Start();
        try
        {
            var paid = 0.0;
            foreach (var resumes in new[] { false, true })
            {
                var lab = new Lab(call => Lab.AnswerIf(call.Demos.Length > 0, call.Question));
                var program = lab.One().WithModel(lab.Model with { Role = role, Price = new(1, 2) });
                var result = await new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, new() { RunDirectory = directory, Resume = resumes }).CompileAsync(program, Lab.Examples(3), Lab.Examples(4, "v"), Token);
                paid = (double)result.UsageByRole[role].Cost;
            }

            Assert.True(paid > 0);
            Assert.Equal(paid, cost, 1e-12);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task A_run_in_a_directory_tells_what_is_saved()
    {
        var directory = Directory.CreateTempSubdirectory("hone-saved-").FullName;
        try
        {
            var heard = new EventLog();
            var lab = new Lab(call => Lab.AnswerIf(call.Demos.Length > 0, call.Question));
            await new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, new() { RunDirectory = directory, Progress = heard }).CompileAsync(lab.One(), Lab.Examples(3), Lab.Examples(4, "v"), Token);
            Assert.Equal([(directory, 4), (directory, 8)], heard.Of<RunSaved>().Select(saved => (saved.Directory, saved.Units)));
            Assert.Equal([4, 4], heard.Of<WorkStarted>().Select(work => work.Units));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task A_server_that_fails_does_not_disturb_the_run()
    {
        await using var server = new FakeMlflowServer();
        server.Inject(new(ServerFaultKind.ServerError, "create", 2));
        server.Inject(new(ServerFaultKind.CutBody, "log-batch", 1));
        using var http = new HttpClient();
        var log = new ListLogger();
        var result = await CompileAsync(new MlflowTracker(http, server.Address), log);
        Assert.Equal(StopReason.Completed, result.StopReason);
        Assert.Contains(log.Lines, line => line.Contains(nameof(MlflowTracker), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_run_is_written_to_a_logger()
    {
        var log = new ListLogger();
        var result = await CompileAsync(new LoggerTracker(log));
        Assert.Contains("begins", log.Lines[0], StringComparison.Ordinal);
        Assert.EndsWith(result.Verdict, log.Lines[^1], StringComparison.Ordinal);
        Assert.Equal(result.Candidates.Length, log.Lines.Count(line => line.StartsWith("Candidate ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Phases_are_spans_of_one_trace()
    {
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Hone",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                lock (spans)
                    spans.Add(activity);
            },
        };
        ActivitySource.AddActivityListener(listener);
        using var root = new Activity("test").Start();
        await CompileAsync(new LoggerTracker(new ListLogger()));
        var own = spans.Where(span => span.TraceId == root.TraceId).ToArray();
        var whole = Assert.Single(own, span => span.DisplayName == "optimize bootstrap-random-search");
        Assert.Contains(own, span => span.DisplayName == "optimize bootstrapping" && span.ParentSpanId == whole.SpanId);
        Assert.Contains(own, span => span.DisplayName == "optimize scoring" && span.ParentSpanId == whole.SpanId);
    }

    private static Task<OptimizationResult<FieldMap, FieldMap>> CompileAsync(IOptimizationTracker tracker, ILogger? logger = null)
    {
        var lab = new Lab(call => Lab.AnswerIf(call.Demos.Length >= (call.Question[^1] - '0'), call.Question));
        return new BootstrapRandomSearch<FieldMap, FieldMap>(Lab.Exact, new() { Candidates = 2, Trackers = [tracker], Logger = logger })
        {
            Acceptance = Metric.From<FieldMap, FieldMap>((_, _) => true),
        }.CompileAsync(lab.One(), Lab.Examples(3), Lab.Examples(7, "v"), Token);
    }

    // Learns one word after the other, so that candidates displace each other.
    private static Task<GepaResult<FieldMap, FieldMap>> GepaAsync(IOptimizationTracker tracker, EventLog heard)
    {
        var lab = new Lab(call => call.Role == "reflection"
            ? FieldMap.Of(("new_instruction", call.Text("current_instruction") + " more"))
            : Lab.AnswerIf(call.Instructions.Split("more").Length > call.Question[^1] - '0', call.Question));
        var metric = Metric.From<FieldMap, FieldMap>((example, output) =>
        {
            var isRight = Equals(example.Expected["answer"], output["answer"]) ? 1 : 0;
            return new Score(isRight) { Parts = new Score(0).Parts.Add("right (exactly)", isRight).Add("short", 1) };
        });
        return new Gepa<FieldMap, FieldMap>(metric, new() { MaxMetricCalls = 60, Trackers = [tracker], Progress = heard, Budget = new() { MaxCalls = 1000 } })
            .CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(4, "v"), Token);
    }

    private sealed class ListLogger : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }
}
