using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>A document to read and quote from: plain text, PDF or another format, with a title and a remark on where it comes from.</summary>
public sealed record Document : Media
{
    private Document(AIContent content) : base(content)
    {
    }

    /// <inheritdoc/>
    public override string Kind => MediaContents.Document.Kind;

    /// <summary>The title, told to the model.</summary>
    public string? Title { get; init; }

    /// <summary>What else the model should know of the document: source, date, trust.</summary>
    public string? Context { get; init; }

    /// <summary>A document of plain text.</summary>
    public static Document FromText(string text, string? title = null, string? context = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new(new TextContent(text)) { Title = title, Context = context };
    }

    /// <summary>A document by its address; nothing is downloaded. Without a media type, the ending of the address decides.</summary>
    public static Document FromUri(Uri address, string? mediaType = null, string? title = null, string? context = null) =>
        new(MediaContents.FromUri(address, mediaType, MediaContents.Document)) { Title = title, Context = context };

    /// <summary>
    /// A document from its bytes. What is text (<c>text/*</c>, JSON, XML, YAML, source code) is decoded from UTF-8 and given to the model as text.
    /// </summary>
    public static Document FromBytes(ReadOnlyMemory<byte> bytes, string mediaType, string? title = null, string? context = null) =>
        new(MediaContents.FromBytes(bytes.ToArray(), mediaType, MediaContents.Document)) { Title = title, Context = context };

    /// <summary>A document from a data URI; what is text becomes text, as in <see cref="FromBytes"/>.</summary>
    public static Document FromDataUri(string dataUri, string? title = null, string? context = null) =>
        new(MediaContents.FromDataUri(dataUri, MediaContents.Document)) { Title = title, Context = context };

    /// <summary>Reads a document from a file; its title is the file's name.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mediaType">The format; the ending of the name decides when null.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="HoneException">There is no such file, or its format is unknown.</exception>
    public static async Task<Document> FromFileAsync(string path, string? mediaType = null, CancellationToken cancellationToken = default) =>
        new(await MediaContents.FromFileAsync(path, mediaType, MediaContents.Document, cancellationToken).ConfigureAwait(false))
        {
            Title = Path.GetFileName(path),
        };

    /// <summary>Downloads a document over http or https.</summary>
    /// <exception cref="HoneException">The address is not allowed, the answer is an error, or too large.</exception>
    public static async Task<Document> DownloadAsync(
        HttpClient client, Uri address, MediaDownloadOptions? options = null, CancellationToken cancellationToken = default) =>
        new(await MediaDownload.FetchAsync(client, address, options, MediaContents.Document, cancellationToken).ConfigureAwait(false));

    /// <summary>Wraps a part of a chat message: text, data, an address or a file id.</summary>
    /// <exception cref="HoneException">The part holds none of them.</exception>
    public static new Document FromContent(AIContent content) => new(MediaContents.Check(content, MediaContents.Document));

    internal override FieldMap ToFields()
    {
        var fields = base.ToFields();
        fields = Title is null ? fields : fields.With("title", Title);
        return Context is null ? fields : fields.With("context", Context);
    }
}
