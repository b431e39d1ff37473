namespace Hone;

/// <summary>What a download may fetch. The client decides about proxies and connections.</summary>
public sealed record MediaDownloadOptions
{
    /// <summary>The most bytes that are read; a longer answer is an error.</summary>
    public long MaximumBytes
    {
        get;
        init => field = value >= 0 ? value : throw new HoneException($"{nameof(MaximumBytes)} is {value}; it must not be negative.");
    } = 20 * 1024 * 1024;

    /// <summary>How long the whole download may take; <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> for as long as the client allows.</summary>
    /// <value>30 seconds by default.</value>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// True to go where the server redirects to, ten times at most; each address is asked about in <see cref="Allow"/>. A client whose handler follows
    /// redirects by itself asks nobody on its way: its end alone is checked, so give it <c>AllowAutoRedirect = false</c> where addresses come from others.
    /// </summary>
    /// <value>False by default: a redirect is an error.</value>
    public bool FollowRedirects { get; init; }

    /// <summary>
    /// Says whether an address may be fetched; every http and https address when null. The addresses of redirects are asked about too.
    /// </summary>
    public Func<Uri, bool>? Allow { get; init; }

    /// <summary>The media type in place of the one that the server states.</summary>
    public string? MediaType { get; init; }

    /// <summary>The clock of the time limit.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
