namespace Hone.Tests.Datasets;

public sealed class SamplingTests
{
    private static readonly int[] Items = [.. Enumerable.Range(0, 100)];

    [Fact]
    public void Split_SameSeed_GivesTheSamePartsWithoutOverlap()
    {
        var split = Sampling.Split(Items, 0.5, 0.25, 0.25, seed: 1);
        Assert.Equal((50, 25, 25), (split.Train.Length, split.Validation.Length, split.Test.Length));
        Assert.Equal(Items, split.Train.Concat(split.Validation).Concat(split.Test).Order());
        Assert.Equal(split.Train, Sampling.Split(Items, 0.5, 0.25, 0.25, seed: 1).Train);
        Assert.NotEqual(split.Train, Sampling.Split(Items, 0.5, 0.25, 0.25, seed: 2).Train);
        Assert.Equal(33, Sampling.Split(Items[..99], 1 / 3.0, 1 / 3.0, 1 / 3.0, seed: 1).Test.Length);
        Assert.Equal(10, Sampling.Split(Items, 0.2, 0.2, 0.1, seed: 1).Test.Length);
    }

    [Fact]
    public void D40_MoreThanThereIs_IsRefused()
    {
        Assert.Throws<HoneException>(() => Sampling.Split(Items, 80, 20, 1, seed: 0));
        Assert.Throws<HoneException>(() => Sampling.Split(Items, 0.8, 0.3, 0, seed: 0));
        Assert.Throws<HoneException>(() => Sampling.Split(Items, double.NaN, 0.3, 0, seed: 0));
        Assert.Throws<HoneException>(() => Sampling.Sample(Items, 101, seed: 0));
        Assert.Equal(100, Sampling.Sample(Items, 100, seed: 0).Distinct().Count());
    }

    [Fact]
    public void SplitByKey_ItemsAdded_LeavesTheOthersWhereTheyWere()
    {
        var before = Sampling.SplitByKey(Items, item => $"{item}", 0.6, 0.2);
        var after = Sampling.SplitByKey(Enumerable.Range(-500, 1_000), item => $"{item}", 0.6, 0.2);
        Assert.Equal(before.Train, after.Train.Where(Items.Contains));
        Assert.Equal(before.Test, after.Test.Where(Items.Contains));
        Assert.InRange(after.Train.Length, 550, 650);
        Assert.InRange(after.Validation.Length, 150, 250);
    }
}
