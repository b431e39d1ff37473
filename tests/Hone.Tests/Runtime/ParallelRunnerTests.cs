using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Runtime;

public sealed class ParallelRunnerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    public async Task RunAsync_AnyParallelism_KeepsOrderAndBounds(int parallelism)
    {
        var (running, most) = (0, 0);
        var gate = new Lock();
        var results = await ParallelRunner.RunAsync(
            Enumerable.Range(0, 200).ToArray(),
            async (item, index, token) =>
            {
                lock (gate)
                    most = Math.Max(most, ++running);
                await Task.Yield();
                lock (gate)
                    running--;
                return item + index;
            },
            new() { MaxParallelism = parallelism },
            Token);
        Assert.Equal(Enumerable.Range(0, 200).Select(i => 2 * i), results.Select(result => result.Value));
        Assert.InRange(most, 1, parallelism);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, 3)]
    public async Task RunAsync_MoreErrorsThanAllowed_StopsWithTheCauses(int allowed, int causes)
    {
        var started = 0;
        var error = await Assert.ThrowsAsync<BatchStoppedException<int>>(() => ParallelRunner.RunAsync<int, int>(
            Enumerable.Range(0, 100).ToArray(),
            (item, _, _) =>
            {
                started++;
                throw new InvalidOperationException($"item {item}");
            },
            new() { MaxParallelism = 1, MaxErrors = allowed },
            Token));
        Assert.Equal(causes, error.InnerExceptions.Count);
        Assert.Equal(causes, started);
        Assert.Contains("First cause: item 0", error.Message, StringComparison.Ordinal);
    }

    /// <summary>D32: what is paid for is not lost, and what was not done does not look like a result.</summary>
    [Fact]
    public async Task RunAsync_MoreErrorsThanAllowed_KeepsWhatIsFinished()
    {
        var error = await Assert.ThrowsAsync<BatchStoppedException<int>>(() => ParallelRunner.RunAsync<int, int>(
            [5, 0, 2, 0, 1], (item, _, _) => Task.FromResult(10 / item), new() { MaxParallelism = 1, MaxErrors = 1 }, Token));
        Assert.Equal([2, null, 5, null], error.Results.Take(4).Select(result => result!.Value.Succeeded ? result.Value.Value : (int?)null));
        Assert.Null(error.Results[4]);
        Assert.Equal(5, error.Results.Count);
    }

    [Fact]
    public async Task RunAsync_ErrorsWithinTheBudget_AreResults()
    {
        var results = await ParallelRunner.RunAsync<int, int>(
            [1, 0, 2], (item, _, _) => Task.FromResult(10 / item), new() { MaxErrors = 1 }, Token);
        Assert.Equal([true, false, true], results.Select(result => result.Succeeded));
        Assert.IsType<DivideByZeroException>(results[1].Error);
    }

    [Fact]
    public async Task RunAsync_Cancelled_StopsAndThrows()
    {
        using var stop = new CancellationTokenSource();
        var started = new ConcurrentBag<int>();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ParallelRunner.RunAsync(
            Enumerable.Range(0, 50).ToArray(),
            async (item, _, token) =>
            {
                started.Add(item);
                await stop.CancelAsync();
                token.ThrowIfCancellationRequested();
                return item;
            },
            new() { MaxParallelism = 1 },
            stop.Token));
        Assert.Single(started);
    }

    [Fact]
    public async Task RunAsync_ItemTakesTooLong_IsCancelledAndFails()
    {
        var time = new FakeTimeProvider();
        var waiting = new TaskCompletionSource();
        var run = ParallelRunner.RunAsync(
            [0, 1],
            async (item, _, token) =>
            {
                if (item == 1)
                    return item;
                var never = new TaskCompletionSource<int>();
                await using var registration = token.Register(() => never.TrySetCanceled(token));
                waiting.SetResult();
                return await never.Task;
            },
            new() { ItemTimeout = TimeSpan.FromSeconds(30), Time = time },
            Token);
        await waiting.Task;
        time.Advance(TimeSpan.FromSeconds(31));
        var results = await run;
        Assert.IsType<TimeoutException>(results[0].Error);
        Assert.Equal(1, results[1].Value);
    }

    [Fact]
    public async Task RunAsync_NoItems_IsEmpty() =>
        Assert.Empty(await ParallelRunner.RunAsync<int, int>([], (item, _, _) => Task.FromResult(item), cancellationToken: Token));

    [Fact]
    public async Task RunAsync_ScopeOfTheCaller_FlowsIn_AndChangesStayInside()
    {
        using var scope = HoneScope.Use(new ScopeOptions { Seed = 7 });
        var seeds = await ParallelRunner.RunAsync(
            [0, 1, 2],
            (item, _, _) =>
            {
                var seen = HoneScope.Current!.Seed;
                _ = HoneScope.Use(new ScopeOptions { Seed = item });
                return Task.FromResult(seen);
            },
            new() { MaxParallelism = 1 },
            Token);
        Assert.Equal(7, HoneScope.Current!.Seed);
        Assert.Equal(7, seeds[0].Value);
    }
}
