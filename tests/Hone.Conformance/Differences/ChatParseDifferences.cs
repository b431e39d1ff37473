namespace Hone.Conformance;

internal static class ChatParseDifferences
{
    public static IReadOnlyList<DifferenceRule<ParseAttempt>> Rules { get; } = [];
}
