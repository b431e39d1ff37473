namespace Hone.Conformance;

internal static class JsonRepairDifferences
{
    public static IReadOnlyList<DifferenceRule<JsonRepairAttempt>> Rules { get; } = [];
}
