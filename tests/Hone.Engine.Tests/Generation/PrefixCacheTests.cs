namespace Hone.Engine.Tests.Generation;

public sealed class PrefixCacheTests
{
    [Fact]
    public void Acquire_KnownBeginning_StartsAfterIt()
    {
        using var pool = new KeyValuePool(SmallModel.Config);
        using var cache = new PrefixCache(pool, 100);
        var first = Computed(cache, [1, 2, 3, 4]);
        Assert.Equal(0, first.Start);
        Assert.Equal(2, Computed(cache, [1, 2, 9]).Start);
        Assert.Equal(3, Computed(cache, [1, 2, 3, 4]).Start); // the last token is always computed
        Assert.Equal(4, Computed(cache, [1, 2, 3, 4, 5]).Start);
        Assert.Equal(0, Computed(cache, [7]).Start);
        cache.Release(first, keep: true);
        Assert.Equal(5, Computed(cache, [1, 2, 3, 4, 5, 6]).Start);
    }

    /// <summary>Weights change with every step of a training: memory follows what the last version needed, not the greatest need ever.</summary>
    [Fact]
    public void TrimToPeak_AfterAGreatNeed_FreesWhatWasNotNeededSince()
    {
        using var pool = new KeyValuePool(SmallModel.Config);
        Use(10);
        pool.TrimToPeak();
        Assert.Equal(10, pool.FreeBlocks);
        Use(3);
        pool.TrimToPeak();
        Assert.Equal(3, pool.FreeBlocks);
        using var held = new KeyValueSegment(pool);
        held.Reserve(2 * KeyValuePool.BlockPositions);
        pool.TrimToPeak();
        Assert.Equal((2, 0), (pool.BlocksInUse, pool.FreeBlocks));

        void Use(int blocks)
        {
            using var segment = new KeyValueSegment(pool);
            segment.Reserve(blocks * KeyValuePool.BlockPositions);
        }
    }

    [Fact]
    public void Acquire_SeveralWays_TakesTheLongest()
    {
        using var pool = new KeyValuePool(SmallModel.Config);
        using var cache = new PrefixCache(pool, 100);
        Computed(cache, [1, 2, 3]);
        Computed(cache, [1, 2, 3]).Append(50);
        var third = Computed(cache, [1, 2, 3]);
        third.Append(60);
        third.Append(61);
        third.Segment!.Length += 2;
        Assert.Equal(5, Computed(cache, [1, 2, 3, 60, 61, 62]).Start);
    }

    [Fact]
    public void Release_OverBudget_ForgetsTheLeastRecentlyUsed()
    {
        using var pool = new KeyValuePool(SmallModel.Config);
        using var cache = new PrefixCache(pool, 2);
        for (var i = 0; i < 50; i++) cache.Release(Computed(cache, [i, i, i]), keep: true);
        Assert.Equal(2, pool.BlocksInUse);
        Assert.Equal(2, Computed(cache, [49, 49, 49]).Start);
        Assert.Equal(0, Computed(cache, [1, 1, 1]).Start);
    }

    [Fact]
    public void Release_ParentBeforeChild_KeepsWhatTheChildReads()
    {
        using var pool = new KeyValuePool(SmallModel.Config);
        using var cache = new PrefixCache(pool, 0);
        using var reusing = new PrefixCache(pool, 1);
        var parent = Computed(reusing, [1, 2, 3]);
        var child = Computed(reusing, [1, 2, 4]);
        reusing.Release(parent, keep: true);
        Assert.Equal(3, parent.Segment!.Length);
        reusing.Release(child, keep: true);
        reusing.Clear();
        Assert.Equal(0, pool.BlocksInUse);
        Assert.Equal(0, Computed(cache, [1, 2, 3]).Start);
        Assert.Equal(0, Computed(cache, [1, 2, 3]).Start); // no budget, no reuse
    }

    private static PrefixNode Computed(PrefixCache cache, int[] prompt)
    {
        var node = cache.Acquire(prompt, 0);
        node.Segment!.Reserve(node.Length);
        node.Segment.Length = node.Length;
        node.PlannedEnd = node.End;
        return node;
    }
}
