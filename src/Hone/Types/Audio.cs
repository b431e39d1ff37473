using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>A sound recording, inline or by address.</summary>
public sealed record Audio : Media
{
    private Audio(AIContent content) : base(content)
    {
    }

    /// <inheritdoc/>
    public override string Kind => MediaContents.Audio.Kind;

    /// <summary>A recording by its address; nothing is downloaded. Without a media type, the ending of the address decides.</summary>
    public static Audio FromUri(Uri address, string? mediaType = null) => new(MediaContents.FromUri(address, mediaType, MediaContents.Audio));

    /// <summary>A recording from its encoded bytes, which are copied.</summary>
    /// <param name="bytes">WAV, MP3 or another format that the model reads.</param>
    /// <param name="mediaType">The format, such as <c>audio/wav</c>.</param>
    public static Audio FromBytes(ReadOnlyMemory<byte> bytes, string mediaType) =>
        new(MediaContents.FromBytes(bytes.ToArray(), mediaType, MediaContents.Audio));

    /// <summary>A recording from samples between -1 and 1, written as 16-bit mono WAV.</summary>
    public static Audio FromSamples(ReadOnlySpan<float> samples, int samplingRate = 16_000) =>
        new(MediaContents.FromBytes(WaveFile.Write(samples, samplingRate), "audio/wav", MediaContents.Audio));

    /// <summary>A recording from a text that starts with <c>data:audio/</c>.</summary>
    public static Audio FromDataUri(string dataUri) => new(MediaContents.FromDataUri(dataUri, MediaContents.Audio));

    /// <summary>Reads a recording from a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mediaType">The format; the ending of the name decides when null.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="HoneException">There is no such file, or its format is unknown.</exception>
    public static async Task<Audio> FromFileAsync(string path, string? mediaType = null, CancellationToken cancellationToken = default) =>
        new(await MediaContents.FromFileAsync(path, mediaType, MediaContents.Audio, cancellationToken).ConfigureAwait(false));

    /// <summary>Downloads a recording over http or https.</summary>
    /// <exception cref="HoneException">The address is not allowed, the answer is an error, too large, or no recording.</exception>
    public static async Task<Audio> DownloadAsync(
        HttpClient client, Uri address, MediaDownloadOptions? options = null, CancellationToken cancellationToken = default) =>
        new(await MediaDownload.FetchAsync(client, address, options, MediaContents.Audio, cancellationToken).ConfigureAwait(false));

    /// <summary>Wraps a part of a chat message.</summary>
    /// <exception cref="HoneException">The part is no recording.</exception>
    public static new Audio FromContent(AIContent content) => new(MediaContents.Check(content, MediaContents.Audio));
}
