namespace Hone.Tests.Modules.Code;

public sealed class CallQuotaTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TryTake_UnderManyThreads_GivesExactlyTheLimit()
    {
        for (var limit = 0; limit < 40; limit++)
        {
            var quota = new CallQuota(limit);
            var taken = 0;
            await Parallel.ForAsync(0, 200, Token, (i, _) =>
            {
                if (quota.TryTake(1 + (i % 3)))
                    Interlocked.Add(ref taken, 1 + (i % 3));
                return ValueTask.CompletedTask;
            });
            Assert.Equal((limit, 0), (taken, quota.Left));
        }
    }

    [Fact]
    public void Split_DealsOutEvenly_AndJoinTakesBackWhatIsLeft()
    {
        var quota = new CallQuota(11);
        Assert.Null(quota.Split(4, 3));
        Assert.Equal(11, quota.Left);

        var shares = quota.Split(4, 2)!;
        Assert.Equal([2, 2, 2, 2], shares.Select(share => share.Left));
        Assert.Equal(3, quota.Left);
        Assert.True(shares[1].TryTake(2));
        Assert.False(shares[1].TryTake(1));
        quota.Join(shares);
        Assert.Equal(9, quota.Left);
    }
}
