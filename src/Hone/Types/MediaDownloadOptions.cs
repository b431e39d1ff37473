namespace Hone;

/// <summary>What a download may fetch. The client decides about time-outs, proxies and redirects.</summary>
public sealed record MediaDownloadOptions
{
    /// <summary>The most bytes that are read; a longer answer is an error.</summary>
    public long MaximumBytes { get; init; } = 20 * 1024 * 1024;

    /// <summary>
    /// Says whether an address may be fetched; every http and https address when null. The address that a redirect ended at is asked about too.
    /// </summary>
    public Func<Uri, bool>? Allow { get; init; }

    /// <summary>The media type in place of the one that the server states.</summary>
    public string? MediaType { get; init; }
}
