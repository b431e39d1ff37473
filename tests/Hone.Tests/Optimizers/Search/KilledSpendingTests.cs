using Hone.Optimizers;

namespace Hone.Tests.Optimizers.Search;

/// <summary>What a killed process had under way is unknown to the next one, and counts as spent: a budget holds over kills, too.</summary>
public sealed class KilledSpendingTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("hone-killed-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public async Task Calls_that_were_under_way_when_a_process_was_killed_count(int parallelism)
    {
        const int Most = 40;
        for (var kill = 1; kill < Most; kill += 4)
        {
            // The files as they are while the call is under way: what a process leaves that is killed now.
            var folder = Path.Combine(directory, $"{parallelism}-{kill}");
            var paidThen = await RunAsync(new(parallelism, Most) { Folder = Path.Combine(directory, $"{parallelism}-whole-{kill}"), KillAt = kill, KilledFolder = folder });
            Assert.InRange(paidThen.AtKill, kill, kill + parallelism);

            var resumed = await RunAsync(new(parallelism, Most) { Folder = folder });
            Assert.True(paidThen.AtKill + resumed.Calls <= Most, $"{paidThen.AtKill} calls before a kill and {resumed.Calls} after it, {Most} allowed.");
            Assert.Equal(StopReason.CallBudget, resumed.Result.StopReason);
            Assert.Contains(resumed.Result.Warnings, warning => warning.Contains("under way", StringComparison.Ordinal));

            // It is told by every later process, and the result of a finished run stays what it is.
            var written = await File.ReadAllTextAsync(Path.Combine(folder, "result.json"), Token);
            var again = await RunAsync(new(parallelism, Most) { Folder = folder });
            Assert.Equal(0, again.Calls);
            Assert.Equal(WithoutTime(written), WithoutTime(await File.ReadAllTextAsync(Path.Combine(folder, "result.json"), Token)));
        }
    }

    [Fact]
    public async Task Tokens_and_money_that_a_killed_process_may_have_spent_count()
    {
        // Limits of many sizes: what a limit leaves unspent, because the next call would not fit, must not hide what was lost.
        foreach (var isMoney in new[] { false, true })
        {
            for (var limit = 12_000; limit < 18_000; limit += 437)
            {
                var (folder, money) = (Path.Combine(directory, $"{isMoney}-{limit}"), limit * 0.0000011m);
                OptimizationBudget budget = isMoney ? new() { MaxCost = money } : new() { MaxTokens = limit };
                var first = await RunAsync(new(1, null) { Folder = Path.Combine(directory, $"{isMoney}-whole-{limit}"), KillAt = 10, KilledFolder = folder, Budget = budget });
                var resumed = await RunAsync(new(1, null) { Folder = folder, Budget = budget });
                var (input, output) = (first.TokensAtKill.Input + resumed.Tokens.Input, first.TokensAtKill.Output + resumed.Tokens.Output);
                Assert.True(isMoney ? Price.CostOf(input, output) <= money : input + output <= limit, $"{input} and {output} tokens of {budget}");
                Assert.Equal(isMoney ? StopReason.CostBudget : StopReason.TokenBudget, resumed.Result.StopReason);
            }
        }
    }

    // In this world a run is one call.
    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public async Task Runs_that_were_under_way_when_a_process_was_killed_count(int parallelism)
    {
        // Limits of many sizes: what a limit leaves unspent, because the next wave would not fit, must not hide what was lost.
        for (var most = 20; most < 44; most += 2)
        {
            OptimizationBudget budget = new() { MaxProgramRuns = most };
            var folder = Path.Combine(directory, $"runs-{parallelism}-{most}");
            var first = await RunAsync(new(parallelism, null) { Folder = Path.Combine(directory, $"runs-whole-{parallelism}-{most}"), KillAt = 11, KilledFolder = folder, Budget = budget });
            for (var process = 0; process < 2; process++)
            {
                var resumed = await RunAsync(new(parallelism, null) { Folder = folder, Budget = budget });
                Assert.True(first.AtKill + resumed.Calls <= most, $"{first.AtKill} runs before a kill and {resumed.Calls} after it, {most} allowed.");
                Assert.Equal(StopReason.ProgramRunBudget, resumed.Result.StopReason);
                if (process == 1)
                    Assert.Equal(0, resumed.Calls);
            }
        }
    }

    // What a step had lost is the sequence's loss, also when the step is finished.
    [Fact]
    public async Task Runs_that_a_step_of_a_sequence_had_under_way_count_for_the_sequence()
    {
        // Unbroken it makes 49: seven for the program as it came, twice as many in each of two steps, and seven for what each gives.
        for (var most = 42; most < 56; most++)
        {
            OptimizationBudget budget = new() { MaxProgramRuns = most };
            var folder = Path.Combine(directory, $"steps-{most}");
            var first = await RunAsync(new(8, null) { Folder = Path.Combine(directory, $"steps-whole-{most}"), KillAt = 10, KilledFolder = folder, Budget = budget, IsSequence = true });
            var resumed = await RunAsync(new(8, null) { Folder = folder, Budget = budget, IsSequence = true });
            Assert.True(first.AtKill + resumed.Calls <= most, $"{first.AtKill} runs before a kill and {resumed.Calls} after it, {most} allowed.");
        }
    }

    // Without a budget of calls nothing is counted, but it is told.
    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public async Task Without_a_budget_the_next_process_says_what_was_under_way(int parallelism)
    {
        for (var kill = 1; kill < 40; kill += 6)
        {
            var (whole, folder) = (Path.Combine(directory, $"free-whole-{parallelism}-{kill}"), Path.Combine(directory, $"free-{parallelism}-{kill}"));
            var first = await RunAsync(new(parallelism, null) { Folder = whole, KillAt = kill, KilledFolder = folder });
            Assert.DoesNotContain(first.Result.Warnings, warning => warning.Contains("under way", StringComparison.Ordinal));
            var open = UnderWay(await File.ReadAllTextAsync(Path.Combine(folder, "journal.jsonl"), Token));
            Assert.InRange(open, 1, parallelism);
            var resumed = await RunAsync(new(parallelism, null) { Folder = folder });
            Assert.Equal(Lab.Evidence(first.Result), Lab.Evidence(resumed.Result));
            Assert.StartsWith($"{open} runs or requests were under way", Assert.Single(resumed.Result.Warnings, warning => warning.Contains("under way", StringComparison.Ordinal)), StringComparison.Ordinal);

            // It is told by every later process, too.
            var written = await File.ReadAllTextAsync(Path.Combine(folder, "result.json"), Token);
            Assert.Equal(0, (await RunAsync(new(parallelism, null) { Folder = folder })).Calls);
            Assert.Equal(WithoutTime(written), WithoutTime(await File.ReadAllTextAsync(Path.Combine(folder, "result.json"), Token)));
        }

        // Begun in the last wave and not done, as far as lines are whole.
        static int UnderWay(string journal)
        {
            var open = new HashSet<string>();
            foreach (var line in journal[..(journal.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                using var json = System.Text.Json.JsonDocument.Parse(line);
                if (json.RootElement.TryGetProperty("begun", out var begun))
                    open.Add(begun.GetString()!);
                else if (json.RootElement.TryGetProperty("unit", out var unit))
                    open.Remove(unit.GetString()!);
                else
                    open.Clear();
            }

            return open.Count;
        }
    }

    // A run that ended in order has nothing under way.
    [Fact]
    public async Task A_run_that_ended_in_order_has_lost_nothing()
    {
        for (var most = 5; most <= 40; most += 7)
        {
            var run = await RunAsync(new(8, most) { Folder = Path.Combine(directory, "orderly") });
            Assert.DoesNotContain(run.Result.Warnings, warning => warning.Contains("under way", StringComparison.Ordinal));
        }
    }

    private static readonly ModelPrice Price = new(1, 2);

    private static string WithoutTime(string json) => string.Join('\n', json.Split('\n').Where(line => !line.Contains("\"seconds\":", StringComparison.Ordinal)));

    private async Task<Run> RunAsync(Setup setup)
    {
        var (count, atKill, tokensAtKill) = (0, 0, (0L, 0L));
        Lab? lab = null;
        var gate = new Lock();
        lab = new Lab(call =>
        {
            var number = Interlocked.Increment(ref count);
            if (number == setup.KillAt)
            {
                lock (gate)
                {
                    // Calls whose answers were paid for by now, this one included, are all that was sent before the copy is made.
                    atKill = Volatile.Read(ref count);
                    tokensAtKill = lab!.Tokens;
                    Copy(setup.Folder, setup.KilledFolder!);
                }
            }

            return Lab.AnswerIf(call.Demos.Length >= (call.Question[^1] - '0'), call.Question);
        })
        {
            CharactersPerToken = 1,
        };
        var options = new BootstrapRandomSearchOptions { Candidates = 6, MaxLabeledDemos = 0, MaxBootstrappedDemos = 6, MaxErrors = 1000, MaxParallelism = setup.Parallelism };
        var place = new BetterTogetherOptions
        {
            Strategy = "one -> two",
            MaxParallelism = setup.Parallelism,
            RunDirectory = setup.Folder,
            Resume = true,
            Budget = setup.Budget ?? new() { MaxCalls = setup.MaxCalls },
        };
        var program = lab.One().WithModel(lab.Model with { Price = Price, Options = new() { MaxOutputTokens = 16 } });
        PromptOptimizer<FieldMap, FieldMap> optimizer = setup.IsSequence
            ? new BetterTogether<FieldMap, FieldMap>(Lab.Exact, new Dictionary<string, IOptimizer<FieldMap, FieldMap>> { ["one"] = Labeled(1), ["two"] = Labeled(2) }, place)
            : Search(options with { RunDirectory = place.RunDirectory, Resume = true, Budget = place.Budget });
        var result = await optimizer.CompileAsync(program, Lab.Examples(6), Lab.Examples(7, "v"), Token);
        return new(result, lab.Calls.Count, atKill, lab.Tokens, tokensAtKill);
    }

    private static BootstrapRandomSearch<FieldMap, FieldMap> Search(BootstrapRandomSearchOptions options) =>
        new(Lab.Exact, options) { Acceptance = Metric.From<FieldMap, FieldMap>((_, _) => true) };

    private static LabeledFewShot<FieldMap, FieldMap> Labeled(int demos) => new(Lab.Exact, new() { Demos = demos });

    private static void Copy(string from, string to)
    {
        foreach (var path in Directory.GetFiles(from, "*.json*", SearchOption.AllDirectories).Where(path => Path.GetFileName(path) is "run.json" or "journal.jsonl" or "step.json" or "program.json"))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            using var source = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var copy = new FileStream(target, FileMode.Create);
            source.CopyTo(copy);
        }
    }

    private sealed record Setup(int Parallelism, long? MaxCalls)
    {
        public required string Folder { get; init; }

        public int KillAt { get; init; }

        public string? KilledFolder { get; init; }

        public OptimizationBudget? Budget { get; init; }

        public bool IsSequence { get; init; }
    }

    private sealed record Run(OptimizationResult<FieldMap, FieldMap> Result, int Calls, int AtKill, (long Input, long Output) Tokens, (long Input, long Output) TokensAtKill);
}
