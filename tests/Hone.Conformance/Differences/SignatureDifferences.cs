namespace Hone.Conformance;

internal static class SignatureDifferences
{
    public static IReadOnlyList<DifferenceRule<SignatureAttempt>> Rules { get; } = [];
}
