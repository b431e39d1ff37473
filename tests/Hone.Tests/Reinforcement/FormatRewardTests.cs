using Hone.Reinforcement;

namespace Hone.Tests.Reinforcement;

/// <summary>A partly readable answer earns by the fields that it held, wherever the bad one stands.</summary>
public sealed class FormatRewardTests
{
    private static readonly Signature Signature = Signature.Parse("question -> count: int, place: str, note: str | None");

    [Theory]
    [InlineData("[[ ## count ## ]]\n3\n\n[[ ## note ## ]]\nfine", "count,note")] // place is missing
    [InlineData("[[ ## count ## ]]\nmany\n\n[[ ## place ## ]]\nRome\n\n[[ ## note ## ]]\nfine", "place,note")] // the first one does not fit
    [InlineData("[[ ## place ## ]]\nRome\n\n[[ ## count ## ]]\nmany", "place")] // note is absent: it got its default and was not found
    [InlineData("[[ ## count ## ]]\nmany", "")]
    [InlineData("no field at all", "")]
    public void Of_ChatAnswer_CountsTheFieldsThatItHeld(string completion, string found)
    {
        var failure = Assert.Throws<AdapterParseException>(() => new ChatAdapter().Parse(Signature, completion));
        string[] expected = found.Length == 0 ? [] : found.Split(',');
        Assert.Equal(expected, failure.FoundFields);
        Assert.Equal(-1 + (expected.Length / 3.0), FormatReward.Of(failure, 0, -1), 12);
        Assert.Equal(expected.Length == 0 ? -2 : -2 + (2.5 * expected.Length / 3), FormatReward.Of(failure, 0.5, -2), 12);
    }

    /// <summary>What could be read is there, too; the error is still that of the first field that does not fit.</summary>
    [Fact]
    public void Parse_FieldsAfterTheBadOne_AreRead()
    {
        var failure = Assert.Throws<AdapterParseException>(() => new ChatAdapter().Parse(Signature, "[[ ## count ## ]]\nmany\n\n[[ ## place ## ]]\nRome"));
        Assert.Equal(ParseFailureKind.Constraint, failure.Kind);
        Assert.Contains("'count'", failure.Reason, StringComparison.Ordinal);
        Assert.Equal("Rome", failure.Parsed["place"]);
    }
}
