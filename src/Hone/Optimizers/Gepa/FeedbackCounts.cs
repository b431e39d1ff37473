namespace Hone.Optimizers;

/// <summary>How much feedback tells of what, found by words: a hint at what to look for.</summary>
internal static class FeedbackCounts
{
    private static readonly string[] Errors = ["wrong", "incorrect", "error", "mistake", "fail", "missed", "not match"];
    private static readonly string[] Successes = ["correct", "right", "good", "well done", "perfect", "matches"];
    private static readonly string[] Gaps = ["should know", "unaware", "unknown", "knowledge", "domain", "specific", "context"];

    public static string Of(IReadOnlyList<ReflectionRecord> records)
    {
        var errors = records.Count(record => Names(record, Errors));
        var successes = records.Count(record => !Names(record, Errors) && Names(record, Successes));
        var gaps = records.Count(record => Names(record, Gaps));
        return FormattableString.Invariant($"Of {records.Count} examples, {errors} tell of errors, {successes} of successes, {gaps} of knowledge that was missing.");
    }

    private static bool Names(ReflectionRecord record, string[] words) => Array.Exists(words, word => record.Feedback.Contains(word, StringComparison.OrdinalIgnoreCase));
}
