namespace Hone.Reinforcement;

/// <summary>The reward of an answer that could not be parsed: between the format-failure score and the failure score, by how much of it could be.</summary>
internal static class FormatReward
{
    public static double Of(AdapterParseException failure, double failureScore, double formatFailureScore)
    {
        var expected = failure.ExpectedFields.Length;
        var present = failure.FoundFields.Count(failure.ExpectedFields.Contains);
        return present == 0 ? formatFailureScore : formatFailureScore + ((failureScore - formatFailureScore) * present / expected);
    }
}
