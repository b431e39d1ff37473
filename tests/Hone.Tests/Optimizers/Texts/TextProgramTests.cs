using Hone.Optimizers;
using Hone.Testing;

namespace Hone.Tests.Optimizers.Texts;

public sealed class TextProgramTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Metric<string, string> Exact { get; } = Metric.From<string, string>((example, output) => example.Expected == output);

    [Fact]
    public async Task A_function_with_texts_runs_with_the_texts_of_its_state()
    {
        var program = Agent();
        Assert.Equal(["router", "system"], program.Predictors.Select(entry => entry.Key));
        Assert.Equal("in|be brief|a or b", await program.CallAsync("in", Token));
        var tuned = program.With(program.State.With("system", new() { Instructions = "be kind" }));
        var prediction = await tuned.RunAsync("in", cancellationToken: Token);
        Assert.Equal("in|be kind|a or b", prediction.Value);
        Assert.Equal(["router", "system"], prediction.Trace.Calls.Select(call => call.Path));
        Assert.Equal("be kind", prediction.Trace.Calls[1].Signature.Instructions);
        Assert.Equal("in|be brief|a or b", await Agent().LoadState(program.SaveState()).CallAsync("in", Token));
    }

    [Fact]
    public async Task An_optimizer_rewrites_the_texts_of_foreign_code()
    {
        var adviser = ScriptedChatClient.ForOutputs(FieldMap.Of(("discussion", "d"), ("advice", FieldMap.Of(("system", "Say ALPHA.")))));
        var calls = 0;
        var program = TextProgram.From<string, string>(
            new Dictionary<string, string> { ["system"] = "base" },
            (input, texts, _) => Task.FromResult(texts["system"].Contains("ALPHA", StringComparison.Ordinal) || Interlocked.Increment(ref calls) % 2 == 0 ? input : "wrong"));
        var examples = Enumerable.Range(0, 4).Select(i => new Example<string, string>($"q{i}", $"q{i}")).ToArray();
        var result = await new Simba<string, string>(Exact, new() { BatchSize = 4, Candidates = 4, MaxSteps = 2, MaxDemos = 0, PromptModel = new LM(adviser), MaxParallelism = 1 })
            .CompileAsync(program, examples, cancellationToken: Token);
        Assert.Equal(1, result.BestScore);
        Assert.Contains("Say ALPHA.", result.Program.State["system"].Instructions, StringComparison.Ordinal);
        Assert.Equal("q9", await result.Program.CallAsync("q9", Token));
    }

    [Fact]
    public async Task A_chat_client_is_a_program_whose_calls_count()
    {
        var client = ScriptedChatClient.By((request, _) => request.SystemText + "/" + request.LastText);
        var program = TextProgram.FromClient(client, "base");
        var prediction = await program.RunAsync("hello", cancellationToken: Token);
        Assert.Equal(("base/hello", 1L), (prediction.Value, prediction.Usage.Calls));

        Metric<string, string> metric = (_, output, _) => ValueTask.FromResult<Score>(0);
        Example<string, string>[] examples = [.. Enumerable.Range(0, 8).Select(i => new Example<string, string>($"q{i}", ""))];
        var result = await new Simba<string, string>(metric, new() { BatchSize = 4, Candidates = 2, MaxDemos = 0, Budget = new() { MaxCalls = 10 } }).CompileAsync(program, examples, cancellationToken: Token);
        Assert.Equal(StopReason.CallBudget, result.StopReason);
        Assert.InRange(client.Requests.Count, 1, 11);
    }

    [Fact]
    public async Task An_error_of_the_function_is_told_to_the_trace_and_thrown()
    {
        var program = TextProgram.From<string, string>(new Dictionary<string, string> { ["system"] = "base" }, (_, _, _) => throw new InvalidOperationException("lost"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => program.CallAsync("in", Token));
        var error = await Assert.ThrowsAsync<HoneException>(() =>
            new Simba<string, string>(Exact, new() { BatchSize = 1, MaxDemos = 0 }).CompileAsync(program, [new("q", "q")], cancellationToken: Token));
        Assert.Contains("lost", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Optimizers_that_add_demos_refuse_foreign_code()
    {
        foreach (IOptimizer<string, string> optimizer in new IOptimizer<string, string>[]
        {
            new LabeledFewShot<string, string>(Exact),
            new BootstrapFewShot<string, string>(Exact),
            new BootstrapRandomSearch<string, string>(Exact),
            new BootstrapDemoSearch<string, string>(Exact),
            new InferRules<string, string>(Exact),
            new Simba<string, string>(Exact, new() { BatchSize = 1 }),
            new BootstrapFinetune<string, string>(Exact),
            new MiproV2<string, string>(Exact, new() { PromptModel = new LM(ScriptedChatClient.InSequence()) }),
        })
        {
            var error = await Assert.ThrowsAsync<HoneException>(() => optimizer.CompileAsync(Agent(), [new("q", "q"), new("r", "r")], cancellationToken: Token));
            Assert.Contains(optimizer.Name, error.Message, StringComparison.Ordinal);
        }

        Assert.Throws<HoneException>(() => TextProgram.From<string, string>(new Dictionary<string, string>(), (input, _, _) => Task.FromResult(input)));
    }

    private static Program<string, string> Agent() => TextProgram.From<string, string>(
        new Dictionary<string, string> { ["system"] = "be brief", ["router"] = "a or b" },
        (input, texts, _) => Task.FromResult($"{input}|{texts["system"]}|{texts["router"]}"));
}
