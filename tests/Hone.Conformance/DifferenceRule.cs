namespace Hone.Conformance;

/// <summary>A kind of case where Hone differs on purpose.</summary>
internal abstract record DifferenceRule(string Code, string Reason);

/// <summary>
/// A rule with its check: true only when the case is of this kind <em>and</em> Hone's answer is the one that the reason promises. It is asked about
/// mismatches only, and covers cases that nobody has seen.
/// </summary>
internal sealed record DifferenceRule<T>(string Code, string Reason, Func<T, bool> Explains) : DifferenceRule(Code, Reason);
