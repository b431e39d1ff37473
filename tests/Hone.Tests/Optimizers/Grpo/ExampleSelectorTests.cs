using Hone.Optimizers;

namespace Hone.Tests.Optimizers;

public sealed class ExampleSelectorTests
{
    [Fact]
    public void Select_StepTakesTheWholeSet_EveryStepIsAPermutation()
    {
        var selector = new ExampleSelector(3, 3, new(0));
        for (var step = 0; step < 8; step++)
            Assert.Equal([0, 1, 2], selector.Select(step).Order());
    }

    [Theory]
    [InlineData(3, 2, 15, 10)]
    [InlineData(3, 5, 6, 10)]
    public void Select_UnevenSizes_UsesEveryExampleEquallyOften(int examples, int perStep, int steps, int uses)
    {
        var selector = new ExampleSelector(examples, perStep, new(7));
        var counts = Enumerable.Range(0, steps).SelectMany(selector.Select).CountBy(id => id).Select(entry => entry.Value);
        Assert.Equal(Enumerable.Repeat(uses, examples), counts);
    }

    [Theory]
    [InlineData(600, 6)]
    [InlineData(64, 64)]
    [InlineData(100, 1)]
    public void Select_EvenSizes_PadsNothing(int examples, int perStep)
    {
        // The reference adds a whole batch of repeats here (ledger B5).
        var selector = new ExampleSelector(examples, perStep, new(1));
        var epoch = Enumerable.Range(0, examples / perStep).SelectMany(selector.Select).ToArray();
        Assert.Equal(Enumerable.Range(0, examples), epoch.Order());
    }

    [Fact]
    public void Select_SameSeed_SameOrder_AlsoWhenReplayedFromTheMiddle()
    {
        var whole = new ExampleSelector(10, 3, new(5));
        var expected = Enumerable.Range(0, 20).Select(step => string.Join(',', whole.Select(step))).ToArray();
        var resumed = new ExampleSelector(10, 3, new(5));
        Assert.Equal(expected[12..], Enumerable.Range(12, 8).Select(step => string.Join(',', resumed.Select(step))));
        Assert.NotEqual(expected, Enumerable.Range(0, 20).Select(step => string.Join(',', new ExampleSelector(10, 3, new(6)).Select(step))));
    }
}
