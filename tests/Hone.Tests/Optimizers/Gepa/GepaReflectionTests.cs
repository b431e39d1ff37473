using System.Collections.Immutable;
using Hone.Optimizers;

namespace Hone.Tests.Optimizers.Gepa;

/// <summary>Scenarios GEPA-16 to GEPA-19, and who writes the texts.</summary>
public sealed class GepaReflectionTests
{
    public static TheoryData<int> Parallelisms => [1, 4, 32];

    // GEPA-16: the reference finds steps by signature and mixes predictors with equal ones.
    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task Gepa16_Records_show_their_own_predictor_alone(int parallelism)
    {
        var log = new EventLog();
        var lab = new Lab(call => call.Role == "reflection"
            ? GepaWorld.Reply("again")
            : FieldMap.Of(("said", call.Path == "p1" ? "first" : "second")));
        var metric = Metric.From<FieldMap, FieldMap>((_, _) => new Score(0) { Feedback = "The second is wrong." });
        await new Gepa<FieldMap, FieldMap>(metric, new() { MaxMetricCalls = 60, Progress = log, MaxParallelism = parallelism, ShowWholeRuns = true })
            .CompileAsync(GepaWorld.PairOn(lab), GepaWorld.Words("a", "b", "c", "d"), GepaWorld.Words("e", "f"), GepaWorld.Token);
        var built = log.Of<GepaRecordsBuilt>();
        Assert.Equal(["p1", "p2"], built.Select(entry => entry.Data.Component).Distinct().Order());
        Assert.All(built, entry => Assert.All(entry.Data.Records, record =>
            Assert.Equal(entry.Data.Component == "p1" ? "first" : "second", record.Outputs!["said"])));
        Assert.All(built, entry => Assert.Equal(3, entry.Data.Records.Length));
        Assert.All(built, entry => Assert.Equal(entry.Data.Component == "p1" ? "p2" : "p1", entry.Data.Records[0].OtherSteps.Single().Key));
    }

    // GEPA-17. One metric call gives score and feedback, so a predictor cannot have another score than the run; the type of a metric fixes its arguments.
    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task Gepa17_Feedback_is_the_predictors_own_else_the_runs_else_the_score(int parallelism)
    {
        Assert.Equal(["This run has the score 0.25."], await FeedbackOf(parallelism, new(0.25)));
        Assert.Equal(["This run has the score 0.25."], await FeedbackOf(parallelism, new(0.25) { Feedback = null }));
        Assert.Equal(["all of it"], await FeedbackOf(parallelism, new(0.25) { Feedback = "all of it" }));
        Assert.Equal(["mine"], await FeedbackOf(parallelism, new(0.25) { Feedback = "all of it", PredictorFeedback = ImmutableSortedDictionary<string, string>.Empty.Add("ans", "mine") }));
        Assert.Equal(["all of it"], await FeedbackOf(parallelism, new(0.25) { Feedback = "all of it", PredictorFeedback = ImmutableSortedDictionary<string, string>.Empty.Add("other", "not mine") }));
    }

    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task Gepa17_The_metric_is_called_once_a_run(int parallelism)
    {
        var calls = 0;
        var lab = GepaWorld.Keywords(_ => "useless");
        Metric<FieldMap, FieldMap> metric = (example, prediction, token) =>
        {
            Interlocked.Increment(ref calls);
            return GepaWorld.Named(example, prediction, token);
        };
        var result = await new Gepa<FieldMap, FieldMap>(metric, new() { MaxMetricCalls = 60, MaxParallelism = parallelism })
            .CompileAsync(lab.One(), GepaWorld.Words("A", "B", "C", "D"), GepaWorld.Words("E", "F"), GepaWorld.Token);
        Assert.Equal(result.ProgramRuns, calls);
    }

    // GEPA-18
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Gepa18_Unreadable_answers_are_shown_when_asked_for(bool shows)
    {
        var log = new EventLog();
        var lab = new Lab(call => call.Role == "reflection" ? GepaWorld.Reply("again")
            : (string)call.Inputs["question"]! == "B.2" ? FieldMap.Of(("nonsense", "x"))
            : Lab.Answer("no"));
        await lab.AtEveryParallelismAsync((lab, n) => new Gepa<FieldMap, FieldMap>(GepaWorld.Named, new() { MaxMetricCalls = 12, AddFormatFailures = shows, Progress = log, MaxParallelism = n })
            .CompileAsync(new Twice().WithModel(lab.Model).WithRecovery(RecoveryPolicy.None), GepaWorld.Words("A", "B", "C"), GepaWorld.Words("A", "C"), GepaWorld.Token));
        var records = log.Of<GepaRecordsBuilt>()[0].Data.Records;
        Assert.Equal(shows ? ["A", "B", "C"] : ["A", "C"], records.Select(record => record.Example).Order());
        if (!shows)
            return;
        var failed = records.Single(record => record.Example == "B");
        Assert.Equal("B.2", failed.Inputs["question"]);
        Assert.Null(failed.Outputs);
        Assert.Contains("[[ ## nonsense ## ]]", failed.RawText, StringComparison.Ordinal);
        Assert.Contains("could not be read", failed.Feedback, StringComparison.Ordinal);
        Assert.Contains("[[ ## answer ## ]]", failed.Feedback, StringComparison.Ordinal);
        Assert.Contains(lab.Calls, call => call.Role == "reflection" && call.Text("examples").Contains("could not be read", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_run_that_failed_is_shown_with_its_error()
    {
        var log = new EventLog();
        var lab = GepaWorld.Keywords(_ => "useless");
        var metric = Metric.From<FieldMap, FieldMap>((example, _) => example.Id == "B" ? throw new InvalidOperationException("divided by zero") : 0.5);
        await new Gepa<FieldMap, FieldMap>(metric, new() { MaxMetricCalls = 12, Progress = log })
            .CompileAsync(lab.One(), GepaWorld.Words("A", "B", "C"), GepaWorld.Words("A"), GepaWorld.Token);
        Assert.Contains(log.Of<GepaRecordsBuilt>(), built => built.Data.Records.Any(record => record.Feedback.Contains("divided by zero", StringComparison.Ordinal)));
    }

    // GEPA-19
    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Gepa19_Search_at_inference_time_solves_each_task_by_some_candidate(int seed)
    {
        string[] words = ["KA", "KB", "KC", "KD"];
        var world = GepaWorld.Keywords(call => "base " + string.Join(' ', words
            .Where(word => call.Text("current_instruction").Contains(word, StringComparison.Ordinal)).Concat(GepaWorld.Missing(call)).TakeLast(2)));
        var examples = GepaWorld.Words(words);
        var result = await world.AtEveryParallelismAsync((lab, n) =>
            new Gepa<FieldMap, FieldMap>(GepaWorld.Named, new() { MaxMetricCalls = 200, TrackBestOutputs = true, Seed = seed, MaxParallelism = n })
                .CompileAsync(lab.One(), examples, examples, GepaWorld.Token));
        Assert.Equal(0.5, result.BestScore);
        Assert.Equal([1, 1, 1, 1], result.HighestScores);
        Assert.All(result.BestOutputs, outputs => Assert.All(outputs, output => Assert.Equal("ok", output.Output)));
        Assert.Equal(result.BestByExample.Select(best => best.Length), result.BestOutputs.Select(outputs => outputs.Length));
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 20)];

    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task Large_minibatches_are_looked_at_in_parts_and_joined(int parallelism)
    {
        var lab = new Lab(call => call.Role != "reflection" ? Lab.Answer(call.Has(call.Question) ? "ok" : "no")
            : GepaWorld.Reply(call.Inputs.ContainsKey("proposals") ? call.Text("proposals").Replace("# Proposal", "", StringComparison.Ordinal) : GepaWorld.Learn(call)));
        var examples = GepaWorld.Words([.. GepaWorld.EightWords, "IOTA"]);
        var result = await new Gepa<FieldMap, FieldMap>(
            GepaWorld.Named, new() { MaxMetricCalls = 40, MinibatchSize = 9, Reflection = ReflectionMode.MapReduce, MaxParallelism = parallelism })
            .CompileAsync(lab.One(), examples, examples, GepaWorld.Token);
        Assert.Equal(1, result.BestScore);
        Assert.Equal(4, GepaWorld.Reflections(lab));
        var seen = lab.Calls.Where(call => call.Role == "reflection" && call.Inputs.ContainsKey("examples")).Select(call => call.Text("examples")).ToArray();
        Assert.Equal(3, seen.Length);
        Assert.Equal(18, seen.Sum(text => text.Split("# Example ").Length - 1));
    }

    [Fact]
    public async Task A_proposer_of_ones_own_changes_several_texts_and_its_calls_are_counted()
    {
        var lab = GepaWorld.Pair();
        var proposer = new Coupled();
        var result = await new Gepa<FieldMap, FieldMap>(Metric.From<FieldMap, FieldMap>((_, output) => true.Equals(output["p1"]) && true.Equals(output["p2"])), new() { MaxMetricCalls = 40 })
        {
            Proposer = proposer,
        }.CompileAsync(GepaWorld.PairOn(lab), GepaWorld.Words("a", "b", "c"), GepaWorld.Words("d"), GepaWorld.Token);
        Assert.Equal(1, result.BestScore);
        Assert.Equal(("ALPHA", "BETA"), (result.Program.State["p1"].Instructions, result.Program.State["p2"].Instructions));
        Assert.Equal(1, result.UsageByRole["reflection"].Calls);
        Assert.Equal("one", proposer.Seen!.Texts["p1"]);
        Assert.Equal(3, proposer.Seen.Data.Single().Records.Length);
    }

    [Theory]
    [InlineData("p9", "x")]
    [InlineData("p1", " ")]
    [InlineData("p1", "much too long for the limit that is set")]
    public async Task Unusable_proposals_are_told_and_change_nothing(string component, string text)
    {
        var log = new EventLog();
        var lab = GepaWorld.Pair();
        var result = await new Gepa<FieldMap, FieldMap>(Metric.From<FieldMap, FieldMap>((_, _) => 0), new() { MaxMetricCalls = 14, MaxTextTokens = 5, Progress = log })
        {
            Proposer = new Fixed(component, text),
        }.CompileAsync(GepaWorld.PairOn(lab), GepaWorld.Words("a", "b", "c"), GepaWorld.Words("d"), GepaWorld.Token);
        Assert.Single(result.Candidates);
        Assert.NotEmpty(log.Of<TextProposed>());
        Assert.All(log.Of<TextProposed>(), proposed => Assert.NotNull(proposed.Error));
        Assert.Empty(log.Of<ProposalJudged>());
    }

    [Fact]
    public async Task A_proposer_that_cancels_itself_has_failed()
    {
        var lab = GepaWorld.Keywords();
        var result = await new Gepa<FieldMap, FieldMap>(GepaWorld.Named, new() { MaxMetricCalls = 60 }) { Proposer = new Impatient() }
            .CompileAsync(lab.One(), GepaWorld.Words("A", "B", "C"), GepaWorld.Words("D"), GepaWorld.Token);
        Assert.Equal((StopReason.Outage, 0), (result.StopReason, result.BestIndex));
        Assert.Contains("no patience", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, 3)]
    [InlineData(false, 0)]
    public async Task Pictures_reach_a_model_that_sees_them(bool sees, int images)
    {
        var client = Testing.ScriptedChatClient.By((request, _) => Testing.ScriptedChatClient.ChatText(
            (request.Options as HoneChatOptions)?.Role == "reflection" ? GepaWorld.Reply("look closely") : Lab.Answer(request.SystemText.Contains("closely", StringComparison.Ordinal) ? "ok" : "no")));
        var model = new LM(client, "seeing") { Retry = null, Capabilities = ModelCapabilities.TextOnly with { Images = true } };
        Example<FieldMap, FieldMap>[] examples =
            [.. Enumerable.Range(1, 3).Select(i => new Example<FieldMap, FieldMap>(FieldMap.Of(("photo", Image.FromBytes(new byte[] { 1, 2, (byte)i }, "image/png"))), Lab.Answer("ok")))];
        var metric = Metric.From<FieldMap, FieldMap>((_, output) => Equals(output["answer"], "ok"));
        var options = new GepaOptions { MaxMetricCalls = 12, ReflectionModel = model with { Capabilities = ModelCapabilities.TextOnly with { Images = sees } } };
        var result = await new Gepa<FieldMap, FieldMap>(metric, options).CompileAsync(Predict.Parse("photo: Image -> answer", "look").WithModel(model), examples, examples, GepaWorld.Token);
        Assert.Equal(1, result.BestScore);
        var asked = client.Requests.Single(request => (request.Options as HoneChatOptions)?.Role == "reflection");
        Assert.Equal(images, asked.Messages.SelectMany(message => message.Contents).Count(content => content is Microsoft.Extensions.AI.DataContent));
    }

    private static async Task<string[]> FeedbackOf(int parallelism, Score score)
    {
        var log = new EventLog();
        var lab = GepaWorld.Keywords(_ => "useless");
        await new Gepa<FieldMap, FieldMap>(Metric.From<FieldMap, FieldMap>((_, _) => score), new() { MaxMetricCalls = 8, Progress = log, MaxParallelism = parallelism })
            .CompileAsync(lab.One(), GepaWorld.Words("A"), GepaWorld.Words("B"), GepaWorld.Token);
        return [.. log.Of<GepaRecordsBuilt>().SelectMany(built => built.Data.Records).Select(record => record.Feedback).Distinct()];
    }

    private sealed class Twice : Module<FieldMap, FieldMap>
    {
        private readonly Predict ans = Predict.Parse("question -> answer", "base");

        protected override async Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken)
        {
            await ans.CallAsync(input.With("question", input["question"] + ".1"), cancellationToken);
            return await ans.CallAsync(input.With("question", input["question"] + ".2"), cancellationToken);
        }
    }

    private sealed class Coupled : Module<FieldMap, FieldMap>, IInstructionProposer
    {
        private readonly Predict write = Predict.Parse("current_instruction, examples -> new_instruction", "Write.");

        public InstructionProposalRequest? Seen { get; private set; }

        public string Name => "coupled";

        public async Task<IReadOnlyDictionary<string, string>> ProposeAsync(InstructionProposalRequest request, CancellationToken cancellationToken)
        {
            Seen = request;
            await write.CallAsync(FieldMap.Of(("current_instruction", "x"), ("examples", "y")), cancellationToken);
            return new Dictionary<string, string> { ["p1"] = "ALPHA", ["p2"] = "BETA" };
        }

        protected override Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken) => Task.FromResult(input);
    }

    private sealed class Impatient : IInstructionProposer
    {
        public string Name => "impatient";

        public Task<IReadOnlyDictionary<string, string>> ProposeAsync(InstructionProposalRequest request, CancellationToken cancellationToken) =>
            throw new OperationCanceledException("no patience");
    }

    private sealed class Fixed(string component, string text) : IInstructionProposer
    {
        public string Name => "fixed";

        public Task<IReadOnlyDictionary<string, string>> ProposeAsync(InstructionProposalRequest request, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string> { [component] = text });
    }
}
