namespace NativeAot;

/// <summary>What the scripted model says.</summary>
internal static class Replies
{
    public const string Plan = """
        [[ ## reasoning ## ]]
        A server is down.

        [[ ## urgency ## ]]
        on fire

        [[ ## customer ## ]]
        {"company": "Acme", "contact": null, "seats": 12}

        [[ ## handbook_pages ## ]]
        [3, 14]

        [[ ## hours ## ]]
        {"network": 1.5, "desk": 2}

        [[ ## steps ## ]]
        [{"action": "Restart it.", "within": "00:30:00"}, {"action": "Write it down."}]

        [[ ## duplicate_of ## ]]
        null

        [[ ## window ## ]]
        ["2026-01-02", "2026-01-05"]

        [[ ## watchers ## ]]
        ["Bo", null]

        [[ ## completed ## ]]
        """;

    public const string Verdict = """
        [[ ## verdict ## ]]
        bad

        [[ ## completed ## ]]
        """;

    public const string Remarks = """
        [[ ## remarks ## ]]
        [{"passage": "Well.", "advice": "Say more."}]

        [[ ## completed ## ]]
        """;

    public const string LegalRemarks = """
        [[ ## reasoning ## ]]
        Nothing is promised.

        [[ ## remarks ## ]]
        []

        [[ ## completed ## ]]
        """;
}
