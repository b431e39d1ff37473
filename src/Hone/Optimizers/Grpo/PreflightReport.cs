using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>Whether a run looks at what it is about to do before it does it.</summary>
public enum PreflightMode
{
    /// <summary>Checks, and tells what it finds.</summary>
    Warn,

    /// <summary>Checks, and refuses to train when there is a problem.</summary>
    Refuse,

    /// <summary>Does not check.</summary>
    Off,
}

/// <summary>How bad a finding is.</summary>
public enum PreflightSeverity
{
    /// <summary>Good to know.</summary>
    Note,

    /// <summary>Training may go wrong or waste effort.</summary>
    Warning,

    /// <summary>Training would be pointless, or would teach the wrong thing.</summary>
    Problem,
}

/// <summary>One thing that the checks before training found.</summary>
/// <param name="Severity">How bad it is.</param>
/// <param name="Check">Which check it was, e.g. <c>empty answers</c>.</param>
/// <param name="Message">What was seen and what to do, in plain words.</param>
public sealed record PreflightFinding(PreflightSeverity Severity, string Check, string Message);

/// <summary>What a run will roughly take, as a few rollouts tell.</summary>
/// <param name="Duration">Sampling and metrics; learning comes on top.</param>
/// <param name="SampledTokens">Tokens that the policy will sample in rollouts.</param>
/// <param name="ExternalCalls">Calls of other models.</param>
/// <param name="Cost">What those cost.</param>
public sealed record PreflightEstimate(TimeSpan Duration, long SampledTokens, long ExternalCalls, decimal Cost)
{
    /// <summary>Bytes of memory that training takes in this process, roughly; null when the weights are elsewhere or nobody knows.</summary>
    public long? MemoryBytes { get; init; }

    internal static string GibibytesOf(long bytes) => FormattableString.Invariant($"{bytes / (double)(1 << 30):0.0##} GiB");
}

/// <summary>The checks before training.</summary>
/// <param name="Findings">What they found, worst first; empty when all is well.</param>
/// <param name="Estimate">What the run will roughly take.</param>
public sealed record PreflightReport(ImmutableArray<PreflightFinding> Findings, PreflightEstimate Estimate)
{
    /// <summary>True when training would be pointless, or would teach the wrong thing.</summary>
    public bool HasProblems => Findings.Any(finding => finding.Severity == PreflightSeverity.Problem);

    /// <summary>The findings, a line each, and the estimate.</summary>
    public override string ToString()
    {
        var lines = Findings.Select(finding => $"{finding.Severity.ToString().ToLowerInvariant()} ({finding.Check}): {finding.Message}");
        var estimate = FormattableString.Invariant(
            $"estimate: {Estimate.Duration.TotalMinutes:0.#} minutes of rollouts, {Estimate.SampledTokens:N0} sampled tokens, {Estimate.ExternalCalls:N0} external calls, {Estimate.Cost:0.00} in money")
            + (Estimate.MemoryBytes is { } bytes ? $", {PreflightEstimate.GibibytesOf(bytes)} of memory" : string.Empty);
        return string.Join('\n', lines.Append(estimate));
    }
}
