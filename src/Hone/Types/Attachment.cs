using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>A file of any format, inline, by address, or by the id under which a provider holds it.</summary>
public sealed record Attachment : Media
{
    private Attachment(AIContent content) : base(content)
    {
    }

    /// <inheritdoc/>
    public override string Kind => MediaContents.File.Kind;

    /// <summary>The file's name, when it is known.</summary>
    public string? Name => Content switch
    {
        DataContent data => data.Name,
        HostedFileContent file => file.Name,
        _ => null,
    };

    /// <summary>A file by its address; nothing is downloaded. Without a media type, the ending of the address decides.</summary>
    public static Attachment FromUri(Uri address, string? mediaType = null) => new(MediaContents.FromUri(address, mediaType, MediaContents.File));

    /// <summary>A file from its bytes, which are copied.</summary>
    public static Attachment FromBytes(ReadOnlyMemory<byte> bytes, string mediaType, string? name = null) =>
        new(MediaContents.FromBytes(bytes.ToArray(), mediaType, MediaContents.File, name));

    /// <summary>A file from a data URI.</summary>
    public static Attachment FromDataUri(string dataUri, string? name = null) => new(MediaContents.FromDataUri(dataUri, MediaContents.File, name));

    /// <summary>A file that the provider holds already.</summary>
    public static Attachment FromFileId(string fileId)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(fileId);
        return new(new HostedFileContent(fileId));
    }

    /// <summary>Reads a file; it keeps its name.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mediaType">The format; the ending of the name decides when null.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="HoneException">There is no such file.</exception>
    public static async Task<Attachment> FromFileAsync(string path, string? mediaType = null, CancellationToken cancellationToken = default) =>
        new(await MediaContents.FromFileAsync(path, mediaType, MediaContents.File, cancellationToken).ConfigureAwait(false));

    /// <summary>Downloads a file over http or https.</summary>
    /// <exception cref="HoneException">The address is not allowed, the answer is an error, or too large.</exception>
    public static async Task<Attachment> DownloadAsync(
        HttpClient client, Uri address, MediaDownloadOptions? options = null, CancellationToken cancellationToken = default) =>
        new(await MediaDownload.FetchAsync(client, address, options, MediaContents.File, cancellationToken).ConfigureAwait(false));

    /// <summary>Wraps a part of a chat message that holds data, an address or a file id.</summary>
    /// <exception cref="HoneException">The part holds none of them.</exception>
    public static new Attachment FromContent(AIContent content) => new(MediaContents.Check(content, MediaContents.File));
}
