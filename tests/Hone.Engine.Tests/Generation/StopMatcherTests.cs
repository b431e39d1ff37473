using System.Text;
using CsCheck;

namespace Hone.Engine.Tests.Generation;

public sealed class StopMatcherTests
{
    [Fact]
    public void Add_AnySplitOfTheText_MatchesWhereTheTextDoes()
    {
        var cases = from text in Gen.String[Gen.Char["abé"], 0, 30]
                    from stops in Gen.String[Gen.Char["abé"], 1, 4].Array[1, 3]
                    select (text, stops);
        cases.Sample(test =>
        {
            var matcher = new StopMatcher(test.stops);
            var matched = false;
            foreach (var value in Encoding.UTF8.GetBytes(test.text)) matched |= matcher.Add([value]);
            Assert.Equal(StopMatcher.FirstIn(test.text, test.stops) >= 0, matched);
        }, iter: 1000);
    }

    [Fact]
    public void Undecided_BeginningOfAStop_IsHeldBack()
    {
        Assert.Equal(2, StopMatcher.Undecided("answer\n[", ["\n[[", "##"]));
        Assert.Equal(0, StopMatcher.Undecided("answer", ["\n[[", "##"]));
    }
}
