using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>What a session offers its code, and what it allows.</summary>
public sealed record CodeSessionOptions
{
    /// <summary>The function with which code hands over its outputs.</summary>
    public const string SubmitFunction = "SUBMIT";

    /// <summary>Functions that the code can call under their names. They run in this process, with its rights.</summary>
    public ImmutableArray<AIFunction> Tools { get; init; } = [];

    /// <summary>
    /// Names of the outputs that the code hands over by calling <c>SUBMIT</c>, which ends it: as one object or dictionary, by position, or, in Python, by
    /// name. Without names there is no such function.
    /// </summary>
    public ImmutableArray<string> Outputs { get; init; } = [];

    /// <summary>What the code may use up.</summary>
    public CodeLimits Limits { get; init; } = new();

    /// <summary>
    /// True gives the beginning of a last expression whose value is longer than <see cref="CodeLimits.MaxValueLength"/>, as text, and says so in
    /// <see cref="CodeResult.IsValueCut"/>; false makes it an error of the code.
    /// </summary>
    /// <value>False by default.</value>
    public bool CutLongValue { get; init; }

    /// <summary>Services for tools that ask for some.</summary>
    public IServiceProvider? Services { get; init; }
}

/// <summary>What one piece of code may use up. There is no way to switch a limit off.</summary>
public sealed record CodeLimits
{
    /// <summary>How long a piece of code may run. Time in which it waits for a tool does not count.</summary>
    /// <value>30 seconds by default.</value>
    public TimeSpan Timeout
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero, nameof(Timeout)); field = value; }
    } = TimeSpan.FromSeconds(30);

    /// <summary>How much memory the code may take, in bytes.</summary>
    /// <value>256 MiB by default; at least 16 MiB.</value>
    public long MaxMemory
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 16L << 20, nameof(MaxMemory)); field = value; }
    } = 256L << 20;

    /// <summary>How many characters of what was printed are kept; what comes after is counted and dropped.</summary>
    /// <value>20,000 by default.</value>
    public int MaxOutputLength
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaxOutputLength)); field = value; }
    } = 20_000;

    /// <summary>How long a value may be that leaves the code, as JSON, in characters: the last expression, a variable, outputs, arguments of a tool.</summary>
    /// <value>1,000,000 by default.</value>
    public int MaxValueLength
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxValueLength)); field = value; }
    } = 1_000_000;

    /// <summary>How many calls of tools one piece of code may make.</summary>
    /// <value>100 by default.</value>
    public int MaxToolCalls
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaxToolCalls)); field = value; }
    } = 100;
}
