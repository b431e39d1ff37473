namespace Hone.Tests.Modules;

public sealed class MajorityTests
{
    private sealed record Verdict(string Label, int[] Votes);

    [Fact]
    public void Of_TypedSamples_VotesOnWhatIsSelected_AndSkipsFailures()
    {
        ItemResult<Verdict>[] samples =
        [
            new(default, new FormatException("x"), default), Sample("No.", 1), Sample("yes", 2), Sample("the no", 3), new(default, new FormatException("y"), default), Sample("Yes", 2),
        ];
        Assert.Same(samples[1].Value, Majority.Of(samples, verdict => verdict.Label));
        Assert.Same(samples[2].Value, Majority.Of(samples, verdict => verdict.Votes));
        Assert.Same(samples[1].Value, Majority.Of(samples, verdict => verdict.Label, value => value is "No." or "the no" ? value : null));
        Assert.Same(samples[1].Value, Majority.Of(samples));

        var none = Assert.Throws<HoneException>(() => Majority.Of([samples[0], samples[4]]));
        Assert.Equal(2, Assert.IsType<AggregateException>(none.InnerException).InnerExceptions.Count);
        Assert.Throws<HoneException>(() => Majority.Of<Verdict>([]));

        static ItemResult<Verdict> Sample(string label, int vote) => new(new(label, [vote]), null, default);
    }

    [Theory]
    [InlineData("2 2 3", 0)]
    [InlineData("1 2 2 1", 0)]
    [InlineData("dog the_cat Cat.", 1)]
    [InlineData("the the x", 2)]
    [InlineData("the a the", 0)]
    public void IndexOf_Texts_FirstOfTheMostFrequent(string answers, int expected)
    {
        var completions = answers.Split(' ').Select(answer => FieldMap.Of(("reasoning", "r"), ("answer", answer.Replace('_', ' ')))).ToList();

        Assert.Equal(expected, Majority.IndexOf(completions));
    }

    [Fact]
    public void Of_Values_VoteAsTheyAre()
    {
        FieldMap[] completions = [FieldMap.Of(("answer", 1L)), FieldMap.Of(("answer", 2L)), FieldMap.Of(("answer", 2L)), FieldMap.Of(("answer", null))];

        Assert.Equal(2L, Majority.Of(completions)["answer"]);
    }

    [Fact]
    public void Of_NothingToCount_Throws()
    {
        Assert.Throws<HoneException>(() => Majority.Of([]));
        Assert.Throws<HoneException>(() => Majority.Of([FieldMap.Of(("answer", "x"))], "nope"));
    }
}
