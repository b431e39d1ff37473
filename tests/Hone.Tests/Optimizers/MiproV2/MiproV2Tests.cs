using System.Collections.Immutable;
using Hone.Optimizers;
using Hone.Tests.Optimizers.Search;

namespace Hone.Tests.Optimizers.MiproV2;

/// <summary>Scenarios MIPRO-1 to MIPRO-7.</summary>
public sealed class MiproV2Tests
{
    public static TheoryData<int> Parallelisms => [1, 4, 32];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static MiproV2Options Own(int candidates, int trials) => new() { Auto = null, Candidates = candidates, Trials = trials, Minibatch = false };

    private static MiproV2Options ZeroShot(int candidates, int trials) => Own(candidates, trials) with { MaxBootstrappedDemos = 0, MaxLabeledDemos = 0 };

    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task CompileAsync_InstructionsAlone_FindsTheRightOne(int parallelism)
    {
        var lab = MiproWorld.Numbered(call => Lab.AnswerIf(call.Has("INSTR-2"), call.Question));
        var events = new EventLog();
        var result = await new MiproV2<FieldMap, FieldMap>(Lab.Exact, ZeroShot(3, 12) with { MaxParallelism = parallelism, Progress = events })
            .CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(4, "v"), Token);
        Assert.Equal(("INSTR-2", 1), (result.Program.Predictors[0].Value.Instructions, result.BestScore));
        Assert.Equal(["INSTR-1", "INSTR-2"], events.Of<TextProposed>().Where(proposed => proposed.Component == "ans").Select(proposed => proposed.Text));
        Assert.InRange(lab.Calls.Count(call => call.Role == "task" && call.Question[0] == 'v'), 8, 12);
        Assert.Equal(2, lab.Calls.Count(MiproWorld.IsProposal));
    }

    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task CompileAsync_TwoPredictorsThatNeedEachOther_FindsThePair(int parallelism)
    {
        var lab = MiproWorld.Of(
            (call, number) => number < 2 ? $"nothing {number}" : call.Text("material").Contains("hint (question -> hint)", StringComparison.Ordinal) ? "ALPHA" : "BETA",
            call => call.Path == "hint" ? FieldMap.Of(("hint", call.Has("ALPHA") ? "good" : "bad")) : Lab.AnswerIf(call.Has("BETA") && call.Text("hint") == "good", call.Question));
        var result = await new MiproV2<FieldMap, FieldMap>(Lab.Exact, ZeroShot(3, 9) with { MaxParallelism = parallelism })
            .CompileAsync(lab.Two(), Lab.Examples(4), Lab.Examples(4, "v"), Token);
        Assert.Equal(1, result.BestScore);
        Assert.Equal(["ALPHA", "BETA"], result.Program.Predictors.Select(entry => entry.Value.Instructions));
    }

    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task CompileAsync_ADemoIsNeeded_ChoosesASetThatHasIt(int parallelism)
    {
        var lab = MiproWorld.Numbered(call => Lab.AnswerIf(call.Question[0] == 'q' || call.ShowsDemoOf("q1"), call.Question));
        var accepted = Metric.From<FieldMap, FieldMap>((_, _) => true);
        var result = await new MiproV2<FieldMap, FieldMap>(Lab.Exact, Own(4, 16) with { MaxParallelism = parallelism }) { Acceptance = accepted }
            .CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(4, "v"), Token);
        Assert.Equal((0, 1), (result.BaselineScore, result.BestScore));
        Assert.Contains("q1", Lab.DemoQuestions(result.Program.State, "ans"));

        // Four demo sets are harvested together: no example is run twice.
        Assert.Equal(4, lab.Calls.Count(call => call.Role == "task" && call.Question[0] == 'q'));
    }

    [Theory]
    [InlineData(7, 1, false, new[] { 1, 7, 10 }, 155)]
    [InlineData(7, 3, false, new[] { 1, 7, 10 }, 155)]
    [InlineData(7, 8, true, new[] { 1, 7, 10 }, 155)]
    [InlineData(10, 1, false, new[] { 1, 7, 13 }, 170)]
    [InlineData(3, 1, false, new[] { 1, 5 }, 95)]
    public async Task CompileAsync_Minibatches_KeepToTheSchedule(int trials, int atOnce, bool isPaired, int[] full, int examples)
    {
        var lab = MiproWorld.Numbered(call => Lab.AnswerIf(call.Has("INSTR-2") && call.Question.Length == 2, call.Question));
        var events = new EventLog();
        var options = ZeroShot(4, trials) with { Minibatch = true, MinibatchSize = 5, TrialsAtOnce = atOnce, PairedMinibatches = isPaired };
        var result = await lab.AtEveryParallelismAsync((lab, n) => new MiproV2<FieldMap, FieldMap>(Lab.Exact, options with { MaxParallelism = n, Progress = n == 1 ? events : null })
            .CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(40, "v"), Token));
        Assert.Equal(events.Of<TrialScored>(), result.Trials, (left, right) => left.Number == right.Number && left.Score == right.Score);
        var log = events.Of<TrialScored>();
        Assert.Equal(full, log.Where(trial => trial.IsFull).Select(trial => trial.Number));
        Assert.Equal(Enumerable.Range(1, log.Count), log.Select(trial => trial.Number));
        Assert.Equal(examples, log[^1].ExamplesSoFar);
        Assert.Equal(MiproBudget.LogLength(trials, 5), log.Count);
        Assert.All(log, trial => Assert.Equal(trial.IsFull ? 40 : 5, trial.Examples));

        // What the result is chosen from was scored in full.
        Assert.Equal(full.Length, result.Candidates.Length);
        Assert.All(result.Candidates, candidate => Assert.Equal(40, candidate.Scores.Length));
        Assert.True(result.ProgramRuns <= examples + 4);
        if (isPaired)
            Assert.Single(lab.Calls.Where(call => call.Role == "task" && call.Question[0] == 'v' && call.Has("INSTR-3")).Take(5).Select(call => call.Instructions).Distinct());
    }

    [Fact]
    public async Task CompileAsync_PairedMinibatches_AskTheSameQuestions()
    {
        var lab = MiproWorld.Numbered(call => Lab.Answer("wrong"));
        await new MiproV2<FieldMap, FieldMap>(Lab.Exact, ZeroShot(5, 4) with { Minibatch = true, MinibatchSize = 3, PairedMinibatches = true, DemoAware = false })
            .CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(40, "v"), Token);
        var batches = lab.Calls.Where(call => call.Role == "task").GroupBy(call => call.Instructions).Select(group => group.Select(call => call.Question).ToArray())
            .Where(questions => questions.Length == 3).Select(questions => string.Join(',', questions.Order())).ToArray();
        Assert.Equal(3, batches.Length);
        Assert.Single(batches.Distinct());
    }

    [Fact]
    public async Task CompileAsync_StudentWithDemos_IsNotTakenForTheEmptyChoice()
    {
        var lab = MiproWorld.Numbered(call => Lab.Answer("wrong"));
        var student = lab.One();
        var withDemo = student.With(student.State.With("ans", new() { Demos = [new(FieldMap.Of(("question", "q9"), ("answer", "a9")))] }));
        var (plain, own) = (new EventLog(), new EventLog());
        foreach (var (program, events) in new[] { (student, plain), (withDemo, own) })
            await new MiproV2<FieldMap, FieldMap>(Lab.Exact, Own(2, 4) with { Progress = events }).CompileAsync(program, Lab.Examples(3), Lab.Examples(2, "v"), Token);
        Assert.Equal([0, 0], plain.Of<TrialScored>()[0].Choices.Values);
        Assert.Empty(own.Of<TrialScored>()[0].Choices);

        // The empty choice is another program then, and is scored.
        Assert.Contains(own.Of<TrialScored>().Skip(1), trial => trial.Choices.Values.All(choice => choice == 0));
        Assert.DoesNotContain(plain.Of<TrialScored>().Skip(1), trial => trial.Choices.Values.All(choice => choice == 0));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CompileAsync_NothingToChoose_ReturnsTheProgramAsItCame(bool minibatch)
    {
        var lab = MiproWorld.Numbered(call => Lab.Answer("wrong"));
        var student = lab.One();
        var result = await lab.AtEveryParallelismAsync((lab, n) => new MiproV2<FieldMap, FieldMap>(Lab.Exact, Own(1, 12) with { Minibatch = minibatch, MinibatchSize = 5, MaxParallelism = n })
            .CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(10, "v"), Token));
        Assert.Equal((0, StopReason.Completed), (result.BestIndex, result.StopReason));
        Assert.Equal(student.State, result.Program.State);
        Assert.Equal(10, result.ProgramRuns);
        Assert.DoesNotContain(lab.Calls, call => call.Role == "prompt");
    }

    [Theory]
    [InlineData(int.MaxValue, StopReason.Outage)]
    [InlineData(1, StopReason.Completed)]
    public async Task CompileAsync_ProviderDown_IsAnOutageAndNoScore(int failures, StopReason expected)
    {
        var evidence = new HashSet<string>();
        foreach (var parallelism in new[] { 1, 4, 32 })
        {
            var failed = 0;
            var lab = MiproWorld.Numbered(call => call.Has("INSTR-3") && Interlocked.Increment(ref failed) <= failures
                ? throw new LMServerException("down")
                : Lab.AnswerIf(call.Has("INSTR-3") && call.Question == "v1", call.Question));
            var result = await new MiproV2<FieldMap, FieldMap>(Lab.Exact, ZeroShot(4, 8) with { OutageDelay = TimeSpan.Zero, OutageRetries = 1, MaxParallelism = parallelism })
                .CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(4, "v"), Token);
            Assert.Equal(expected, result.StopReason);
            var third = result.Candidates.Where(candidate => candidate.State["ans"].Instructions == "INSTR-3").ToArray();
            if (expected == StopReason.Outage)
                Assert.Empty(third);
            else
                Assert.Equal(0.25, Assert.Single(third).Score);
            Assert.Equal(expected == StopReason.Outage, result.Error is not null);
            evidence.Add(Lab.Evidence(result));
        }

        Assert.Single(evidence);
    }

    [Fact]
    public async Task CompileAsync_CustomSampler_Searches()
    {
        var lab = MiproWorld.Numbered(call => Lab.AnswerIf(call.Has("INSTR-4"), call.Question));
        var result = await new MiproV2<FieldMap, FieldMap>(Lab.Exact, ZeroShot(5, 40)) { Sampler = (space, _, _) => new ExhaustiveSampler(space) }
            .CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(4, "v"), Token);
        Assert.Equal(("INSTR-4", 5), (result.Program.Predictors[0].Value.Instructions, result.Candidates.Length));
    }

    public static TheoryData<string> Shapes => ["zero", "demos", "minibatch", "parallel", "later"];

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task CompileAsync_AnyParallelismOrInterruption_GivesTheSameEvidence(string shape)
    {
        var check = new Durability(
            () => MiproWorld.Numbered(call => Lab.AnswerIf(call.Question[0] == 'q' || (call.ShowsDemoOf("q2") && call.Has("INSTR")), call.Question)),
            setup => new MiproV2<FieldMap, FieldMap>(Lab.Exact, OptionsOf(shape) with
            {
                PerfectScore = null,
                MaxParallelism = setup.Parallelism,
                RunDirectory = setup.Directory,
                Resume = setup.Resume,
                Budget = setup.Budget,
            }),
            lab => lab.One(),
            Lab.Examples(5),
            Lab.Examples(12, "v"));
        await check.CheckAsync();
        await check.CheckResumptionAsync();
        await check.CheckBudgetsAsync();
    }

    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task CompileAsync_Light_ChoosesByAHundredExamplesInParts(int parallelism)
    {
        var lab = MiproWorld.Numbered(call => Lab.AnswerIf(call.Question[0] == 'q' || (call.Has("INSTR-2") && call.Demos.Length > 0), call.Question));
        var events = new EventLog();
        var optimizer = new MiproV2<FieldMap, FieldMap>(Lab.Exact, new() { MaxParallelism = parallelism, Progress = events });
        var result = await optimizer.CompileAsync(lab.One(), Lab.Examples(20), Lab.Examples(120, "v"), Token);
        Assert.Equal(1, result.BestScore);
        Assert.Equal(100, result.Candidates[0].Scores.Length);
        Assert.Equal(100, lab.Calls.Where(call => call.Role == "task" && call.Question[0] == 'v').Select(call => call.Question).Distinct().Count());
        Assert.Contains(events.Of<TrialScored>(), trial => trial is { IsFull: false, Examples: 35 });
        Assert.True(result.ProgramRuns <= optimizer.Estimate(lab.One(), Lab.Examples(20), Lab.Examples(120, "v")).ProgramRuns);
    }

    [Fact]
    public async Task CompileAsync_NoValidationSet_ChoosesByFourFifths()
    {
        var lab = MiproWorld.Numbered(_ => Lab.Answer("wrong"));
        var events = new EventLog();
        var result = await new MiproV2<FieldMap, FieldMap>(Lab.Exact, new() { Progress = events, MaxErrors = 100 }).CompileAsync(lab.One(), Lab.Examples(20), cancellationToken: Token);
        var started = Assert.Single(events.Of<OptimizerStarted>());
        Assert.Equal((4, 16), (started.TrainCount, started.ValidationCount));
        Assert.Contains(result.Warnings, warning => warning.Contains("4 of the 20", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CompileAsync_TwoPredictorsInterrupted_GivesTheSameEvidence()
    {
        var check = new Durability(
            () => MiproWorld.Numbered(call => call.Path == "hint"
                ? FieldMap.Of(("hint", call.Has("INSTR-1") ? "good" : "bad"))
                : Lab.AnswerIf(call.Question[0] == 'q' || (call.Text("hint") == "good" && call.Demos.Length > 0), call.Question)),
            setup => new MiproV2<FieldMap, FieldMap>(Lab.Exact, Own(3, 12) with
            {
                Minibatch = true,
                MinibatchSize = 4,
                MaxParallelism = setup.Parallelism,
                RunDirectory = setup.Directory,
                Resume = setup.Resume,
                Budget = setup.Budget,
            }),
            lab => lab.Two(),
            Lab.Examples(5),
            Lab.Examples(10, "v"));
        await check.CheckAsync();
        await check.CheckResumptionAsync(hasSingleCalls: false);
    }

    private static MiproV2Options OptionsOf(string shape) => shape switch
    {
        "zero" => ZeroShot(4, 6),
        "demos" => Own(4, 8),
        "minibatch" => Own(4, 8) with { Minibatch = true, MinibatchSize = 4 },
        "parallel" => Own(4, 8) with { Minibatch = true, MinibatchSize = 4, TrialsAtOnce = 3, PairedMinibatches = true },
        _ => Own(3, 8) with { LaterProposals = 2, Minibatch = true, MinibatchSize = 4 },
    };
}
