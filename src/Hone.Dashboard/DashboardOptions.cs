using System.Net;

namespace Hone.Optimizers;

/// <summary>How a <see cref="Dashboard"/> is served and what it keeps.</summary>
public sealed record DashboardOptions
{
    /// <summary>The port.</summary>
    /// <value>0 by default: any free one.</value>
    public int Port
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)value, 65535u, nameof(Port)); field = value; }
    }

    /// <summary>
    /// The address to listen on. Any other than the loopback one lets other machines in: then everything needs the token that is part of
    /// <see cref="Dashboard.Address"/>. The connection is not encrypted; put a proxy before it where the network is not trusted.
    /// </summary>
    /// <value>The loopback address by default.</value>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>Asks for the token on the loopback address, too: for machines that several people share.</summary>
    public bool RequireToken { get; init; }

    /// <summary>Names besides <c>localhost</c> and plain addresses under which the page may be asked for, e.g. that of this machine.</summary>
    public IReadOnlyList<string> HostNames { get; init; } = [];

    /// <summary>What the page calls the run.</summary>
    public string Title { get; init; } = "Training";

    /// <summary>How many steps' rollouts can be looked at; those of older steps are dropped from memory.</summary>
    /// <value>50 by default.</value>
    public int KeptSteps
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(KeptSteps)); field = value; }
    } = 50;

    /// <summary>Tells the texts of tokens, e.g. <c>model.GetService&lt;ITokenTextSource&gt;()</c>; without it their numbers are shown.</summary>
    public ITokenTextSource? TokenTexts { get; init; }

    /// <summary>The directory of a run that is resumed: steps before the interruption are read from it.</summary>
    public string? RunDirectory { get; init; }

    /// <summary>Told everything after the dashboard, e.g. a display on the console.</summary>
    public IProgress<GrpoEvent>? Next { get; init; }

    /// <summary>What the page's buttons act on.</summary>
    /// <value>Null by default: one of the dashboard's own, which belongs into <see cref="GrpoOptions.Control"/>.</value>
    public RunControl? Control { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>True when the page is only for those who know the token.</summary>
    internal bool NeedsToken => RequireToken || !IPAddress.IsLoopback(Address);
}
