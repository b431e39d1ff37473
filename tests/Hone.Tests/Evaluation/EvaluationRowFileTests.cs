using Hone.Testing;

namespace Hone.Tests.Evaluation;

/// <summary>Evaluations that go on from a file of rows.</summary>
public sealed class EvaluationRowFileTests : IDisposable
{
    private static readonly Metric<string, Verdict> Metric = Hone.Metric.From<string, Verdict>((example, output) =>
        new Score(output.Label == example.Expected.Label ? 1 : 0) { Feedback = "seen", Parts = new Score(0).Parts.Add("sure", output.Certainty) });

    private readonly string folder = Directory.CreateTempSubdirectory("hone-rows-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Rows => Path.Combine(folder, "deep", "rows.jsonl");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task ContinueAsync_AfterACrash_RunsWhatIsMissing_AndKeepsWhatIsDone()
    {
        var first = Program(index => index < 3 ? Answer("yes", 0.25) : throw new LMAuthException("down"));
        await Assert.ThrowsAsync<EvaluationStoppedException<string, Verdict>>(() => Evaluator(maxErrors: 0).ContinueAsync(first.Program, Examples(5), Rows, Token));
        Assert.Equal(4, first.Client.Requests.Count);

        // As a process leaves it that dies while it writes.
        await File.AppendAllTextAsync(Rows, """{"index": 4, "inp""", Token);
        var second = Program(_ => Answer("no", 0.5));
        var result = await Evaluator().ContinueAsync(second.Program, Examples(5), Rows, Token);

        Assert.Equal(2, second.Client.Requests.Count);
        Assert.Equal([1.0, 1, 1, 0, 0], result.Scores);
        var kept = result.Rows[1];
        Assert.Equal((new Verdict("yes", 0.25), "seen", 0.25), (kept.Value, kept.Score.Feedback, kept.Score.Parts["sure"]));
        Assert.Equal((1, true), (kept.Usage.Calls, kept.Usage.OutputTokens > 0));

        // All is there: nothing is asked.
        var third = Program(_ => throw new InvalidOperationException());
        Assert.Equal(result.Scores, (await Evaluator().ContinueAsync(third.Program, Examples(5), Rows, Token)).Scores);
        Assert.Empty(third.Client.Requests);
    }

    [Fact]
    public async Task ContinueAsync_FileOfAnotherSetOrProgram_IsRefused()
    {
        var program = Program(_ => Answer("yes", 1)).Program;
        await Evaluator().ContinueAsync(program, Examples(2), Rows, Token);

        Assert.Contains("begun with 2 examples", await RefusalAsync(program, Examples(3)), StringComparison.Ordinal);
        Assert.Contains("another input than that of the example at position", await RefusalAsync(program, [.. Examples(2).Reverse()]), StringComparison.Ordinal);
        var other = program.With(program.State.With("self", new() { Instructions = "Otherwise." }));
        Assert.Contains("begun with another program", await RefusalAsync(other, Examples(2)), StringComparison.Ordinal);
        await File.WriteAllTextAsync(Rows, "no json\n", Token);
        Assert.Contains("line 1 cannot be read", await RefusalAsync(program, Examples(2)), StringComparison.Ordinal);
        await File.WriteAllTextAsync(Rows, "{\"format\": \"else\"}\n", Token);
        Assert.Contains("no file of rows", await RefusalAsync(program, Examples(2)), StringComparison.Ordinal);

        async Task<string> RefusalAsync(Program<string, Verdict> of, Example<string, Verdict>[] set) =>
            (await Assert.ThrowsAsync<HoneException>(() => Evaluator().ContinueAsync(of, set, Rows, Token))).Message;
    }

    private static Evaluator<string, Verdict> Evaluator(int maxErrors = 10) => Hone.Evaluator.Create(Metric, new() { MaxParallelism = 1, MaxErrors = maxErrors });

    private static (Program<string, Verdict> Program, ScriptedChatClient Client) Program(Func<int, string> answer)
    {
        var client = ScriptedChatClient.By((_, index) => answer(index));
        return (new Predict<string, Verdict>("Judge.").WithModel(new LM(client, "m") { Retry = null }), client);
    }

    private static Example<string, Verdict>[] Examples(int count) => [.. Enumerable.Range(0, count).Select(i => new Example<string, Verdict>($"text {i}", new("yes", 1)))];

    private static string Answer(string label, double certainty) => ScriptedChatClient.ChatText(FieldMap.Of(("label", label), ("certainty", certainty)));

    public sealed record Verdict(string Label, double Certainty);
}
