using System.Globalization;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// A value that the model sees as something other than text: a picture, a sound, a file. Holds an <see cref="AIContent"/> and never touches disk or
/// network on its own: only the methods that end in <c>Async</c> read or download.
/// </summary>
public abstract record Media
{
    private protected Media(AIContent content) => Content = content;

    /// <summary>The part of a chat message that carries the value.</summary>
    public AIContent Content { get; }

    /// <summary>What it is, in one word: image, audio, file or document.</summary>
    public abstract string Kind { get; }

    /// <summary>The media type, such as <c>image/png</c>; <c>image/*</c> when only the kind is known, null when nothing is.</summary>
    public string? MediaType => Content switch
    {
        DataContent data => data.MediaType,
        UriContent uri => uri.MediaType,
        HostedFileContent file => file.MediaType,
        TextContent => MediaTypes.PlainText,
        _ => null,
    };

    /// <summary>The address of a value that is only referred to; null when the value itself is held.</summary>
    public Uri? Address => (Content as UriContent)?.Uri;

    /// <summary>The bytes; empty when the value is only referred to.</summary>
    public ReadOnlyMemory<byte> Data => Content switch
    {
        DataContent data => data.Data,
        TextContent text => System.Text.Encoding.UTF8.GetBytes(text.Text),
        _ => default,
    };

    /// <summary>Wraps a part of a chat message: pictures and sounds by their media type, text as a document, the rest as a file.</summary>
    /// <exception cref="HoneException">The part holds no media.</exception>
    public static Media FromContent(AIContent content) => MediaContents.IsKind(content, MediaContents.Image) ? Image.FromContent(content)
        : MediaContents.IsKind(content, MediaContents.Audio) ? Audio.FromContent(content)
        : content is TextContent ? Document.FromContent(content)
        : Attachment.FromContent(content);

    /// <summary>Structural equality: same kind, media type, name, and same bytes, address or file id.</summary>
    public virtual bool Equals(Media? other) =>
        other is not null && EqualityContract == other.EqualityContract && MediaContents.Same(Content, other.Content);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(EqualityContract, MediaContents.Hash(Content));

    /// <summary>A short description for logs and errors; shows the size of inline data, never the data.</summary>
    public sealed override string ToString() => Content switch
    {
        DataContent data => string.Create(CultureInfo.InvariantCulture, $"{Kind} ({data.MediaType}, {data.Data.Length} bytes)"),
        UriContent uri => $"{Kind} ({uri.Uri})",
        HostedFileContent file => $"{Kind} (file id {file.FileId})",
        TextContent text => string.Create(CultureInfo.InvariantCulture, $"{Kind} ({text.Text.Length} characters)"),
        _ => Kind,
    };

    /// <summary>The form in state files: media type and an address, inline data as a data URI.</summary>
    internal virtual FieldMap ToFields() => FieldMap.Create(MediaContents.Fields(Content));
}
