namespace Hone.Tests.Modules;

public sealed class MajorityTests
{
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
