using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>A picture, inline or by address.</summary>
public sealed record Image : Media
{
    private Image(AIContent content) : base(content)
    {
    }

    /// <inheritdoc/>
    public override string Kind => MediaContents.Image.Kind;

    /// <summary>A picture by its address; nothing is downloaded. Without a media type, the ending of the address decides.</summary>
    public static Image FromUri(Uri address, string? mediaType = null) => new(MediaContents.FromUri(address, mediaType, MediaContents.Image));

    /// <summary>A picture from its encoded bytes, which are copied.</summary>
    /// <param name="bytes">PNG, JPEG or another format that the model reads.</param>
    /// <param name="mediaType">The format, such as <c>image/png</c>.</param>
    public static Image FromBytes(ReadOnlyMemory<byte> bytes, string mediaType) =>
        new(MediaContents.FromBytes(bytes.ToArray(), mediaType, MediaContents.Image));

    /// <summary>A picture from a text that starts with <c>data:image/</c>.</summary>
    public static Image FromDataUri(string dataUri) => new(MediaContents.FromDataUri(dataUri, MediaContents.Image));

    /// <summary>Reads a picture from a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mediaType">The format; the ending of the name decides when null.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="HoneException">There is no such file, or its format is unknown.</exception>
    public static async Task<Image> FromFileAsync(string path, string? mediaType = null, CancellationToken cancellationToken = default) =>
        new(await MediaContents.FromFileAsync(path, mediaType, MediaContents.Image, cancellationToken).ConfigureAwait(false));

    /// <summary>Downloads a picture over http or https.</summary>
    /// <exception cref="HoneException">The address is not allowed, the answer is an error, too large, or no picture.</exception>
    public static async Task<Image> DownloadAsync(
        HttpClient client, Uri address, MediaDownloadOptions? options = null, CancellationToken cancellationToken = default) =>
        new(await MediaDownload.FetchAsync(client, address, options, MediaContents.Image, cancellationToken).ConfigureAwait(false));

    /// <summary>Wraps a part of a chat message.</summary>
    /// <exception cref="HoneException">The part is no picture.</exception>
    public static new Image FromContent(AIContent content) => new(MediaContents.Check(content, MediaContents.Image));
}
