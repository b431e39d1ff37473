using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>What the four media types differ in.</summary>
/// <param name="TypeName">The class, for errors.</param>
/// <param name="Kind">The word that the model sees.</param>
/// <param name="Family">The first half of its media types; null when any will do.</param>
/// <param name="Fallback">The media type when nothing tells; null when it must be given.</param>
internal sealed record MediaKind(string TypeName, string Kind, string? Family, string? Fallback);

/// <summary>Makes, checks and compares the message parts behind <see cref="Media"/>.</summary>
internal static class MediaContents
{
    public static readonly MediaKind Image = new("Image", "image", "image", null);
    public static readonly MediaKind Audio = new("Audio", "audio", "audio", null);
    public static readonly MediaKind File = new("Attachment", "file", null, MediaTypes.Unknown);
    public static readonly MediaKind Document = new("Document", "document", null, null);

    public static AIContent FromUri(Uri address, string? mediaType, MediaKind kind)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!address.IsAbsoluteUri || address.IsFile)
            throw new HoneException($"'{address}' is no web address. To read a file, use {kind.TypeName}.FromFileAsync.");
        if (address.Scheme == "data")
            return FromDataUri(address.OriginalString, kind);
        var known = mediaType ?? MediaTypes.OfPath(address.AbsolutePath);
        if (mediaType is null && known is not null && !MediaTypes.IsIn(known, kind.Family))
            known = null;
        known ??= kind.Family is null ? kind.Fallback ?? MediaTypes.Unknown : $"{kind.Family}/*";
        return new UriContent(address, CheckType(known, kind));
    }

    public static AIContent FromBytes(byte[] bytes, string mediaType, MediaKind kind, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(mediaType);
        mediaType = CheckType(mediaType, kind);
        return kind == Document && MediaTypes.IsText(mediaType)
            ? new TextContent(Decode(bytes))
            : new DataContent(bytes, mediaType) { Name = name };
    }

    public static AIContent FromDataUri(string dataUri, MediaKind kind, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(dataUri);
        DataContent content;
        try
        {
            content = new DataContent(dataUri) { Name = name };
            _ = content.Data;
        }
        catch (Exception error) when (error is ArgumentException or FormatException)
        {
            throw new HoneException($"This is no data URI ('data:TYPE;base64,…') for {kind.TypeName}: {error.Message}", error);
        }

        var mediaType = CheckType(content.MediaType, kind);
        return kind == Document && MediaTypes.IsText(mediaType) ? new TextContent(Decode(content.Data.Span))
            : mediaType == content.MediaType ? content
            : new DataContent(content.Data, mediaType) { Name = name };
    }

    public static async Task<AIContent> FromFileAsync(string path, string? mediaType, MediaKind kind, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        mediaType ??= MediaTypes.OfPath(path) ?? kind.Fallback ?? throw new HoneException(
            $"The ending of '{path}' does not tell its format. Pass the media type to {kind.TypeName}.FromFileAsync, such as {Example(kind)}.");
        CheckType(mediaType, kind);
        byte[] bytes;
        try
        {
            bytes = await System.IO.File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new HoneException($"{kind.TypeName}.FromFileAsync cannot read '{path}': {error.Message}", error);
        }

        return FromBytes(bytes, mediaType, kind, Path.GetFileName(path));
    }

    /// <summary>The part itself when it can hold this kind of media.</summary>
    public static AIContent Check(AIContent content, MediaKind kind)
    {
        ArgumentNullException.ThrowIfNull(content);
        if (kind == Document && content is DataContent data && MediaTypes.IsText(data.MediaType))
            return new TextContent(Decode(data.Data.Span));
        return IsKind(content, kind) ? content : throw new HoneException(
            $"A {content.GetType().Name} cannot be {kind.TypeName}. Use DataContent or UriContent with a media type such as {Example(kind)}.");
    }

    public static bool IsKind(AIContent content, MediaKind kind) => content switch
    {
        DataContent data => MediaTypes.IsIn(data.MediaType, kind.Family),
        UriContent uri => MediaTypes.IsIn(uri.MediaType, kind.Family),
        HostedFileContent file => kind.Family is null || (file.MediaType is { } type && MediaTypes.IsIn(type, kind.Family)),
        TextContent => kind == Document,
        _ => false,
    };

    public static bool Same(AIContent left, AIContent right) => (left, right) switch
    {
        (DataContent a, DataContent b) => a.MediaType == b.MediaType && a.Name == b.Name && a.Data.Span.SequenceEqual(b.Data.Span),
        (UriContent a, UriContent b) => a.MediaType == b.MediaType && a.Uri.OriginalString == b.Uri.OriginalString,
        (HostedFileContent a, HostedFileContent b) => a.FileId == b.FileId,
        (TextContent a, TextContent b) => a.Text == b.Text,
        _ => ReferenceEquals(left, right),
    };

    public static int Hash(AIContent content) => content switch
    {
        DataContent data => HashCode.Combine(data.MediaType, data.Data.Length),
        UriContent uri => uri.Uri.OriginalString.GetHashCode(StringComparison.Ordinal),
        HostedFileContent file => file.FileId.GetHashCode(StringComparison.Ordinal),
        TextContent text => text.Text.GetHashCode(StringComparison.Ordinal),
        _ => 0,
    };

    /// <summary>The parts of the form in state files.</summary>
    public static IEnumerable<KeyValuePair<string, object?>> Fields(AIContent content)
    {
        switch (content)
        {
            case DataContent data:
                yield return new("media_type", data.MediaType);
                yield return new("uri", data.Uri);
                if (data.Name is { } name)
                    yield return new("name", name);
                break;
            case UriContent uri:
                yield return new("media_type", uri.MediaType);
                yield return new("uri", uri.Uri.OriginalString);
                break;
            case HostedFileContent file:
                if (file.MediaType is { } type)
                    yield return new("media_type", type);
                yield return new("file_id", file.FileId);
                break;
            case TextContent text:
                yield return new("media_type", MediaTypes.PlainText);
                yield return new("text", text.Text);
                break;
            default:
                break;
        }
    }

    // Clients send the text of a document, but drop data of formats that they do not know, without a word.
    private static string Decode(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes.StartsWith(Encoding.UTF8.Preamble) ? bytes[3..] : bytes);

    public static string CheckType(string mediaType, MediaKind kind)
    {
        if (!MediaTypeHeaderValue.TryParse(mediaType, out _))
            throw new HoneException($"'{mediaType}' is no media type for {kind.TypeName}; write one such as {Example(kind)}.");
        if (mediaType.StartsWith("audio/x-", StringComparison.OrdinalIgnoreCase))
            mediaType = "audio/" + mediaType["audio/x-".Length..]; // providers know audio/wav, not audio/x-wav
        return MediaTypes.IsIn(mediaType, kind.Family) ? mediaType
            : throw new HoneException($"The media type '{mediaType}' is none for {kind.TypeName}; it must start with '{kind.Family}/'.");
    }

    private static string Example(MediaKind kind) => kind.Family switch
    {
        "image" => "image/png",
        "audio" => "audio/wav",
        _ => "application/pdf",
    };
}
