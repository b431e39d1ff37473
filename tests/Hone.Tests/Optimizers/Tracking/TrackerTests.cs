using System.Diagnostics;
using Hone.Optimizers;
using Hone.Testing;
using Microsoft.Extensions.Logging;

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

        // A second run finds the experiment; one that is given a run neither makes nor ends it.
        await CompileAsync(new MlflowTracker(http, server.Address, new() { Experiment = "answers & more", RunName = "second" }));
        await CompileAsync(new MlflowTracker(http, server.Address, new() { RunId = "run2", Prefix = "inner/" }));
        Assert.Equal(["bootstrap-random-search", "second"], server.Runs.Select(other => other.Name));
        Assert.Contains("inner/verdict", server.Runs[1].Tags.Keys);
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

    private sealed class ListLogger : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }
}
