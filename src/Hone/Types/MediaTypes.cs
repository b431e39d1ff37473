using System.Collections.Frozen;

namespace Hone;

/// <summary>Media types by the ending of a file name.</summary>
internal static class MediaTypes
{
    public const string PlainText = "text/plain";
    public const string Unknown = "application/octet-stream";

    private static readonly FrozenDictionary<string, string> ByEnding = new Dictionary<string, string>
    {
        [".png"] = "image/png",
        [".jpg"] = "image/jpeg",
        [".jpeg"] = "image/jpeg",
        [".gif"] = "image/gif",
        [".webp"] = "image/webp",
        [".bmp"] = "image/bmp",
        [".svg"] = "image/svg+xml",
        [".tif"] = "image/tiff",
        [".tiff"] = "image/tiff",
        [".heic"] = "image/heic",
        [".avif"] = "image/avif",
        [".wav"] = "audio/wav",
        [".mp3"] = "audio/mpeg",
        [".m4a"] = "audio/mp4",
        [".aac"] = "audio/aac",
        [".ogg"] = "audio/ogg",
        [".oga"] = "audio/ogg",
        [".opus"] = "audio/opus",
        [".flac"] = "audio/flac",
        [".pdf"] = "application/pdf",
        [".txt"] = PlainText,
        [".md"] = "text/markdown",
        [".csv"] = "text/csv",
        [".tsv"] = "text/tab-separated-values",
        [".html"] = "text/html",
        [".htm"] = "text/html",
        [".xml"] = "application/xml",
        [".json"] = "application/json",
        [".jsonl"] = "application/x-ndjson",
        [".yaml"] = "application/yaml",
        [".yml"] = "application/yaml",
        [".docx"] = "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        [".xlsx"] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        [".pptx"] = "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        [".zip"] = "application/zip",
        [".mp4"] = "video/mp4",
        [".mov"] = "video/quicktime",
        [".webm"] = "video/webm",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> TextFormats = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "json", "ndjson", "x-ndjson", "jsonl", "json5", "xml", "yaml", "x-yaml", "toml", "javascript", "x-javascript", "ecmascript", "typescript", "sql",
        "x-sh", "x-tex", "x-latex", "graphql");

    /// <summary>The media type of a file name or the path of an address; null when the ending is unknown.</summary>
    public static string? OfPath(string path) => ByEnding.GetValueOrDefault(Path.GetExtension(path));

    /// <summary>True for formats that are text: <c>text/*</c>, JSON, XML, YAML and the like, those that say so behind a plus sign included.</summary>
    public static bool IsText(string mediaType)
    {
        var type = mediaType.AsSpan();
        if (type.IndexOf(';') is >= 0 and var parameters)
            type = type[..parameters];
        type = type.Trim();
        if (type.StartsWith("text/", StringComparison.OrdinalIgnoreCase))
            return true;
        if (!type.StartsWith("application/", StringComparison.OrdinalIgnoreCase))
            return false;
        type = type["application/".Length..];
        return type.EndsWith("+json", StringComparison.OrdinalIgnoreCase) || type.EndsWith("+xml", StringComparison.OrdinalIgnoreCase)
            || type.EndsWith("+yaml", StringComparison.OrdinalIgnoreCase) || TextFormats.GetAlternateLookup<ReadOnlySpan<char>>().Contains(type);
    }

    /// <summary>True when the type is of the family, such as <c>image</c>; null stands for every family.</summary>
    public static bool IsIn(string mediaType, string? family) => family is null
        || (mediaType.Length > family.Length && mediaType[family.Length] == '/' && mediaType.StartsWith(family, StringComparison.OrdinalIgnoreCase));
}
