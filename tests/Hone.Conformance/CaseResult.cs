namespace Hone.Conformance;

/// <summary>How one recorded case came out.</summary>
internal enum Outcome
{
    Passed,
    Failed,

    /// <summary>Hone answers otherwise on purpose, and the rule that says so has checked the answer.</summary>
    Differs,

    /// <summary>Hone has no answer yet.</summary>
    NotYet,
}

/// <summary>The outcome of one case.</summary>
internal readonly record struct CaseResult(string Id, Outcome Outcome, string Detail = "", DifferenceRule? Rule = null)
{
    public static CaseResult Pass(string id) => new(id, Outcome.Passed);

    public static CaseResult Fail(string id, string detail) => new(id, Outcome.Failed, detail);

    public static CaseResult NotYet(string id) => new(id, Outcome.NotYet);

    /// <summary>Passed when there is no mismatch; else the first rule that explains it decides.</summary>
    public static CaseResult From<T>(string id, string? mismatch, T attempt, IEnumerable<DifferenceRule<T>> rules)
    {
        if (mismatch is null)
            return Pass(id);
        var rule = rules.FirstOrDefault(each => each.Explains(attempt));
        return rule is null ? Fail(id, mismatch) : new CaseResult(id, Outcome.Differs, mismatch, rule);
    }
}
