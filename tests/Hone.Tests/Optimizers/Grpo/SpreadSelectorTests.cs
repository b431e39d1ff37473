using Hone.Optimizers;

namespace Hone.Tests.Optimizers;

public sealed class SpreadSelectorTests
{
    [Fact]
    public void Select_ExamplesThatTaughtNothing_ComeSeldom_AndAreNotGivenUp()
    {
        var selector = new SpreadSelector(20, 4, new(3));
        for (var example = 0; example < 20; example++)
            selector.Observe(example, example < 5 ? 0.5 : 0);

        var counts = Enumerable.Range(0, 400).SelectMany(selector.Select).CountBy(example => example).ToDictionary();

        // Weights 1 and 0.1: an even choice would give each of them 80 turns.
        Assert.All(Enumerable.Range(0, 5), example => Assert.InRange(counts[example], 150, 320));
        Assert.All(Enumerable.Range(5, 15), example => Assert.InRange(counts[example], 5, 70));
    }

    [Fact]
    public void Select_NothingKnown_TakesEveryExampleAtMostOnceAStep()
    {
        var selector = new SpreadSelector(6, 4, new(1));
        Assert.All(Enumerable.Range(0, 50).Select(selector.Select), step => Assert.Equal(4, step.Distinct().Count()));
        Assert.Equal(6, Enumerable.Range(0, 50).SelectMany(selector.Select).Distinct().Count());
    }

    [Fact]
    public void Select_StepLargerThanTheSet_GoesRound() =>
        Assert.Equal([2, 2, 2], new SpreadSelector(3, 6, new(1)).Select(0).CountBy(example => example).Select(entry => entry.Value));

    [Fact]
    public void Select_AllFlat_TreatsAllAlike()
    {
        var selector = new SpreadSelector(4, 1, new(2));
        for (var example = 0; example < 4; example++)
            selector.Observe(example, 0);
        Assert.All(Enumerable.Range(0, 400).SelectMany(selector.Select).CountBy(example => example), entry => Assert.InRange(entry.Value, 60, 140));
    }

    [Fact]
    public void Memory_Restored_ChoosesTheSame()
    {
        var (first, second) = (new SpreadSelector(10, 3, new(5)), new SpreadSelector(10, 3, new(5)));
        first.Observe(2, 0.4);
        first.Observe(7, 0.1);
        second.Memory = first.Memory!.ToDictionary();
        Assert.Equal(first.Select(9), second.Select(9));
    }
}
