using Hone.Testing;
using static Hone.Sandbox.Tests.RlmScript;

namespace Hone.Sandbox.Tests;

/// <summary>The same in Python, in its own process.</summary>
public sealed class RlmPythonTests(PythonFixture fixture)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public sealed record Log(string Text, int Limit = 2);

    public sealed record Answer(int Lines, IReadOnlyList<string> Found);

    [Fact]
    public async Task Run_OverALongText_AsksInBatchesAndSubmits()
    {
        var text = string.Concat(Enumerable.Range(0, 100_000).Select(i => i is 70 or 80_000 ? $"fault {i}\n" : new string('.', 99) + "\n"));
        var client = Client(
            prompt => prompt.ToUpperInvariant(),
            "text",
            "lines = text.splitlines()\nfound = [line for line in lines if line.startswith('fault')]\nfound",
            "limit = limit + 1\nanswers = llm_query_batched(found)\nprint(answers, limit)",
            "def wrong():\n    raise ValueError('not yet')\nwrong()",
            "SUBMIT(lines=str(len(lines)), found=answers + [llm_query(prompt='one')] + [str(limit)])");
        var result = await new Rlm<Log, Answer>("Find the faults.", fixture.Python).RunAsync(client, new(text));

        Assert.Equal((100_000, 3, RlmStopReason.Submitted), (result.Output.Lines, result.ModelCalls, result.Reason));
        Assert.Equal(["FAULT 70", "FAULT 80000", "ONE", "3"], result.Output.Found);
        Assert.Equal([false, false, false, true, false], result.Steps.Select(step => step.IsError));
        Assert.Contains("[The value goes on.]", result.Steps[0].Output);
        Assert.Contains("ValueError: not yet (line 2)", result.Steps[3].Output);
        Assert.Contains("The code is Python 3", client.Requests[0].SystemText);
        Assert.All(client.Requests, request => Assert.InRange(TextOf(request).Length, 1, 40_000));
    }

    [Fact]
    public async Task Run_WhoseProcessIsKilled_GoesOnInAnother_AndRunsInsideRunHaveTheirOwn()
    {
        var client = ScriptedChatClient.By((request, _) => request.Path switch
        {
            "rlm.rlm_query.generate_action" => Step("SUBMIT(f'{query} {sum(context)}')"),
            _ => Step((request.LastText.Split("=== Step ").Length - 1) switch
            {
                0 => "kept = 1\nwhile True: pass",
                1 => "print('kept' in globals(), input)",
                _ => "SUBMIT(rlm_query('sum', [1, 2, 3]))",
            }),
        });
        var options = new RlmOptions { MaxDepth = 2, Limits = new() { Timeout = TimeSpan.FromSeconds(2) } };
        var result = await new Rlm<string, string>("Add.", fixture.Python, options: options).RunAsync(client, "x");

        Assert.Equal("sum 6", result.Output);
        Assert.Contains("What you had defined is gone. The inputs are there again.", result.Steps[0].Output);
        Assert.Equal("False x", result.Steps[1].Output);
    }

    [Fact]
    public async Task LongValue_IsCutWhenAskedFor()
    {
        await using var session = await fixture.Python.OpenAsync(new() { CutLongValue = true, Limits = new() { MaxValueLength = 10 } }, Token);
        var text = await session.ExecuteAsync("'x' * 100", cancellationToken: Token);
        var list = await session.ExecuteAsync("list(range(100))", cancellationToken: Token);
        var whole = await session.ExecuteAsync("[1, 2]", cancellationToken: Token);

        Assert.Equal(("xxxxxxxxxx", true), (text.Value, text.IsValueCut));
        Assert.Equal(("[0, 1, 2, ", true), (list.Value, list.IsValueCut));
        Assert.Equal(("[1, 2]", false), (CodeValues.ToJson(whole.Value), whole.IsValueCut));
    }
}
