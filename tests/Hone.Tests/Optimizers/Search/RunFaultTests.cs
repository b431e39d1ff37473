using System.Net;
using Hone.Optimizers;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Optimizers.Search;

/// <summary>Whose fault an error is: outages are waited for, crashes are scores up to a limit, listeners disturb nothing.</summary>
public sealed class RunFaultTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Outages => ["retrieval", "http", "file", "time", "wrapped"];

    [Theory]
    [MemberData(nameof(Outages))]
    public async Task An_outage_of_what_a_program_needs_is_waited_for_and_is_never_a_score(string kind)
    {
        var time = new FakeTimeProvider();
        var failures = 2;
        var lab = new Lab(call => Lab.AnswerIf(true, call.Question));
        var program = new Fetching(question =>
        {
            if (question == "v3" && Interlocked.Decrement(ref failures) >= 0)
                throw Outage(kind);
        }).WithModel(lab.Model);
        var running = new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, new() { Time = time, MaxParallelism = 1 }).CompileAsync(program, Lab.Examples(2), Lab.Examples(4, "v"), Token);
        while (!running.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(5));
            await Task.Yield();
        }

        var result = await running;
        Assert.Equal(1, result.BaselineScore);
        Assert.Equal(2, result.Warnings.Length);
        Assert.All(result.Warnings, warning => Assert.Contains("out of reach", warning, StringComparison.Ordinal));
    }

    /// <summary>A program or a metric with a time limit of its own: nobody has cancelled the run.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task A_run_that_cancels_itself_has_failed_and_the_search_goes_on(int parallelism)
    {
        var lab = new Lab(call => Lab.AnswerIf(true, call.Question));
        var program = new Fetching(question =>
        {
            if (question == "v2")
                throw new OperationCanceledException("the page took too long");
        }).WithModel(lab.Model);
        Metric<FieldMap, FieldMap> metric = (example, prediction, token) =>
            example.Id == "v3" ? throw new TaskCanceledException("the judge took too long") : Lab.Exact(example, prediction, token);
        var result = await new LabeledFewShot<FieldMap, FieldMap>(metric, new() { MaxParallelism = parallelism }).CompileAsync(program, Lab.Examples(2), Lab.Examples(4, "v"), Token);
        Assert.Equal((0.5, StopReason.Completed, 2), (result.BaselineScore!.Value, result.StopReason, result.Candidates.Length));
        Assert.Equal([1, 0, 0, 1], result.Candidates[0].Scores);
        Assert.Contains("the judge took too long", Assert.Single(result.Warnings), StringComparison.Ordinal);
    }

    // The first step was paid when the second one's model was away: it is part of the cost, and of what is known after a resumption.
    [Fact]
    public async Task What_a_run_had_cost_when_an_outage_broke_it_off_is_counted()
    {
        var directory = Directory.CreateTempSubdirectory("hone-wasted-").FullName;
        try
        {
            var failures = 1;
            var lab = new Lab(call => call.Path == "hint" ? FieldMap.Of(("hint", "h"))
                : call.Question == "v2" && Interlocked.Decrement(ref failures) >= 0 ? throw new LMServerException("away")
                : Lab.AnswerIf(call.Question == "v1", call.Question));
            var options = new LabeledFewShotOptions { OutageDelay = TimeSpan.Zero, OutageRetries = 1, RunDirectory = directory };
            var result = await new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, options).CompileAsync(lab.Two(), Lab.Examples(2), Lab.Examples(3, "v"), Token);
            Assert.Equal(lab.Calls.Count - 1, result.UsageByRole["task"].Calls);
            Assert.Equal((2 * 3 * 2) + 1, result.UsageByRole["task"].Calls);
            var replayed = await new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, options with { Resume = true }).CompileAsync(lab.Two(), Lab.Examples(2), Lab.Examples(3, "v"), Token);
            Assert.Equal(result.UsageByRole, replayed.UsageByRole);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void What_would_fail_again_is_no_outage()
    {
        Assert.False(SearchFaults.IsOutage(new HttpRequestException("no such page", null, HttpStatusCode.NotFound)));
        Assert.True(SearchFaults.IsOutage(new HttpRequestException("busy", null, HttpStatusCode.TooManyRequests)));
        Assert.False(SearchFaults.IsOutage(new FileNotFoundException()));
        Assert.False(SearchFaults.IsOutage(new RetrievalException("no such index", false, new HttpRequestException())));
        Assert.False(SearchFaults.IsOutage(new LMInvalidRequestException("too much", new HttpRequestException())));
        Assert.False(SearchFaults.IsOutage(new InvalidOperationException("a bug")));
        Assert.True(SearchFaults.IsOutage(new AggregateException(new InvalidOperationException(), new TimeoutException())));
    }

    [Fact]
    public async Task A_wave_with_too_many_crashes_ends_the_run_with_the_best_so_far_at_any_parallelism()
    {
        var evidence = new HashSet<string>();
        foreach (var parallelism in new[] { 1, 4, 32 })
        {
            // The program that came works; a demo breaks it.
            var lab = new Lab(call => call.Demos.Length > 0 && call.Question[^1] > '2' ? throw new InvalidOperationException("broken by a demo") : Lab.AnswerIf(call.Question == "v1", call.Question));
            var result = await new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, new() { MaxErrors = 3, MaxParallelism = parallelism })
                .CompileAsync(lab.One(), Lab.Examples(2), Lab.Examples(9, "v"), Token);
            Assert.Equal(StopReason.TooManyErrors, result.StopReason);
            Assert.Contains("broken by a demo", result.Error, StringComparison.Ordinal);
            Assert.Equal(0, result.BestIndex);
            evidence.Add(Lab.Evidence(result));

            // Without a limit each of them is a score.
            result = await new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, new() { MaxParallelism = parallelism }).CompileAsync(lab.One(), Lab.Examples(2), Lab.Examples(9, "v"), Token);
            Assert.Equal((StopReason.Completed, 2), (result.StopReason, result.Candidates.Length));
        }

        Assert.Single(evidence);
    }

    [Fact]
    public async Task A_metric_that_fails_on_a_later_candidate_is_a_warning_once()
    {
        var lab = new Lab(call => Lab.Answer(call.Demos.Length > 0 ? "long" : "short"));
        var metric = Metric.From<FieldMap, FieldMap>((_, output) => Equals(output["answer"], "long") ? throw new FormatException("too long") : 0.5);
        var result = await new LabeledFewShot<FieldMap, FieldMap>(metric, new()).CompileAsync(lab.One(), Lab.Examples(2), Lab.Examples(3, "v"), Token);
        Assert.Equal("The metric failed on example v1: too long", Assert.Single(result.Warnings));
    }

    [Fact]
    public async Task A_listener_that_throws_disturbs_nothing()
    {
        var (quiet, loud) = (new Lab(call => Lab.AnswerIf(call.Demos.Length > 0, call.Question)), new Lab(call => Lab.AnswerIf(call.Demos.Length > 0, call.Question)));
        var expected = await Optimizer(null).CompileAsync(quiet.One(), Lab.Examples(3), Lab.Examples(3, "v"), Token);
        var listener = new Throwing();
        var result = await Optimizer(listener).CompileAsync(loud.One(), Lab.Examples(3), Lab.Examples(3, "v"), Token);
        Assert.Equal(Lab.Evidence(expected), Lab.Evidence(result));
        Assert.True(listener.Heard > result.Candidates.Length);

        static BootstrapRandomSearch<FieldMap, FieldMap> Optimizer(IProgress<OptimizerEvent>? progress) => new(Lab.Exact, new() { Candidates = 2, MaxErrors = 100, Progress = progress });
    }

    [Fact]
    public async Task A_search_ends_when_its_patience_does()
    {
        var lab = new Lab(call => Lab.AnswerIf(call.Demos.Length == 1 && call.Question != "v3", call.Question));
        var whole = await Search(null);
        var result = await Search(2);
        Assert.Equal((StopReason.Completed, StopReason.NoImprovement), (whole.StopReason, result.StopReason));
        Assert.Equal(result.BestIndex + 3, result.Candidates.Length);
        Assert.True(result.Candidates.Length < whole.Candidates.Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => new LabeledFewShotOptions { Patience = 0 });

        Task<OptimizationResult<FieldMap, FieldMap>> Search(int? patience) =>
            new BootstrapRandomSearch<FieldMap, FieldMap>(Lab.Exact, new() { Candidates = 8, MaxBootstrappedDemos = 3, MaxLabeledDemos = 0, Patience = patience, MaxErrors = 100 })
            {
                Acceptance = Metric.From<FieldMap, FieldMap>((_, _) => true),
            }
                .CompileAsync(lab.One(), Lab.Examples(6), Lab.Examples(3, "v"), Token);
    }

    private static Exception Outage(string kind) => kind switch
    {
        "retrieval" => new RetrievalException("the index is away", isRetryable: true),
        "http" => new HttpRequestException("connection refused"),
        "file" => new IOException("the share is away"),
        "time" => new TimeoutException("too slow"),
        _ => new InvalidOperationException("a tool failed", new HttpRequestException("connection refused")),
    };

    private sealed class Fetching(Action<string> fetch) : Module<FieldMap, FieldMap>
    {
        private readonly Predict ans = Predict.Parse("question -> answer");

        protected override Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken)
        {
            fetch((string)input["question"]!);
            return ans.CallAsync(input, cancellationToken);
        }
    }

    private sealed class Throwing : IProgress<OptimizerEvent>
    {
        private int heard;

        public int Heard => heard;

        public void Report(OptimizerEvent value)
        {
            Interlocked.Increment(ref heard);
            throw new InvalidOperationException("a broken display");
        }
    }
}
