using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Coercion of the special kinds: media, code, reasoning, citations, tools and types of the user's own.</summary>
internal static class SpecialValidator
{
    /// <summary>True for the kinds that this class reads.</summary>
    public static bool Handles(FieldTypeKind kind) => kind >= FieldTypeKind.Image;

    /// <summary>True for the kinds whose text is taken as it stands, without looking for JSON in it.</summary>
    public static bool IsText(FieldTypeKind kind) =>
        kind is FieldTypeKind.Reasoning or FieldTypeKind.Code or FieldTypeKind.Custom or FieldTypeKind.Image or FieldTypeKind.Audio
            or FieldTypeKind.Attachment or FieldTypeKind.Document;

    public static bool TryValidate(object? raw, FieldType type, bool isStrict, out object? value, ref CoercionFailure failure)
    {
        value = null;
        switch (type.Kind)
        {
            case FieldTypeKind.Image or FieldTypeKind.Audio or FieldTypeKind.Attachment or FieldTypeKind.Document:
                return TryMedia(raw, type, isStrict, out value, ref failure);
            case FieldTypeKind.Reasoning:
                value = raw as string ?? (isStrict ? null : Member(raw, "content"));
                return value is not null || failure.Expected(type, raw);
            case FieldTypeKind.Code:
                value = (raw as string ?? (isStrict ? null : Member(raw, "code"))) is { } text ? CodeBlocks.Extract(text, type.Name ?? Code.DefaultLanguage) : null;
                return value is not null || failure.Expected(type, raw);
            case FieldTypeKind.Citations:
                return TryCitations(raw, type, out value, ref failure);
            case FieldTypeKind.Tool:
                return TryTool(raw, type, out value, ref failure);
            case FieldTypeKind.ToolCalls or FieldTypeKind.ToolResults when isStrict && raw is not (FieldMap or ToolCalls or ToolResults):
                return failure.Expected(type, raw);
            case FieldTypeKind.ToolCalls:
                return ToolCallReader.TryCalls(raw, type, out value, ref failure);
            case FieldTypeKind.ToolResults:
                return ToolCallReader.TryResults(raw, type, out value, ref failure);
            default:
                return TryCustom(raw, type, out value, ref failure);
        }
    }

    private static bool TryMedia(object? raw, FieldType type, bool isStrict, out object? value, ref CoercionFailure failure)
    {
        value = raw;
        if (raw is Media media && (type.Kind == FieldTypeKind.Attachment || media.Kind == KindName(type)))
            return true;
        value = null;
        if (isStrict && raw is string)
            return failure.Expected(type, raw);
        try
        {
            value = raw switch
            {
                string text => FromText(text.Trim(), type.Kind),
                FieldMap map => FromMap(map, type.Kind),
                AIContent content => FromContent(content, type.Kind),
                Media other => FromContent(other.Content, type.Kind),
                _ => null,
            };
        }
        catch (HoneException error)
        {
            return failure.Set(error.Message);
        }

        return value is not null || failure.Set(
            $"expected {TypeNames.Of(type)}: a data URI, an http, https or gs address, or an object with 'uri'; "
            + $"found {FieldConstraints.Shorten(raw)}");
    }

    private static string KindName(FieldType type) => TypeNames.Of(type);

    private static Media? FromText(string text, FieldTypeKind kind)
    {
        if (text.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
            return FromDataUri(text, kind);
        if (Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" or "gs")
            return FromUri(address, null, kind);
        if (kind == FieldTypeKind.Document)
            return Document.FromText(text);
        throw new HoneException(
            $"{FieldConstraints.Shorten(text)} is neither a data URI nor an http, https or gs address. "
            + $"Files are never opened on the word of a value: read one with {kind}.FromFileAsync and pass the {kind}");
    }

    private static Media? FromMap(FieldMap map, FieldTypeKind kind)
    {
        var mediaType = Member(map, "media_type") ?? (Member(map, "audio_format") is { } format ? $"audio/{format}" : null);
        var name = Member(map, "name") ?? Member(map, "filename");
        if (kind == FieldTypeKind.Attachment && Member(map, "file_id") is { } id)
            return Attachment.FromContent(new HostedFileContent(id) { MediaType = mediaType, Name = name });
        var media = Held(map, mediaType, kind) ?? Referred(map, mediaType, name, kind);
        return media is Document document ? document with { Title = Member(map, "title"), Context = Member(map, "context") } : media;
    }

    // The value itself: a document's text, or bytes in base-64 with their media type.
    private static Media? Held(FieldMap map, string? mediaType, FieldTypeKind kind)
    {
        if (kind == FieldTypeKind.Document && Member(map, "text") is { } text)
            return Document.FromText(text);
        if (Member(map, "data") is not { } data)
            return null;
        if (kind == FieldTypeKind.Document && mediaType is null or "text/plain")
            return Document.FromText(data);
        return mediaType is null ? null : FromDataUri($"data:{mediaType};base64,{data}", kind);
    }

    private static Media? Referred(FieldMap map, string? mediaType, string? name, FieldTypeKind kind)
    {
        if ((Member(map, "uri") ?? Member(map, "url") ?? Member(map, "file_data"))?.Trim() is not { } address)
            return null;
        if (kind == FieldTypeKind.Attachment && address.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
            return Attachment.FromDataUri(address, name);
        return mediaType is not null && Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" or "gs"
            ? FromUri(uri, mediaType, kind)
            : FromText(address, kind);
    }

    private static Media FromUri(Uri address, string? mediaType, FieldTypeKind kind) => kind switch
    {
        FieldTypeKind.Image => Image.FromUri(address, mediaType),
        FieldTypeKind.Audio => Audio.FromUri(address, mediaType),
        FieldTypeKind.Document => Document.FromUri(address, mediaType),
        _ => Attachment.FromUri(address, mediaType),
    };

    private static Media FromDataUri(string uri, FieldTypeKind kind) => kind switch
    {
        FieldTypeKind.Image => Image.FromDataUri(uri),
        FieldTypeKind.Audio => Audio.FromDataUri(uri),
        FieldTypeKind.Document => Document.FromDataUri(uri),
        _ => Attachment.FromDataUri(uri),
    };

    private static Media FromContent(AIContent content, FieldTypeKind kind) => kind switch
    {
        FieldTypeKind.Image => Image.FromContent(content),
        FieldTypeKind.Audio => Audio.FromContent(content),
        FieldTypeKind.Document => Document.FromContent(content),
        _ => Attachment.FromContent(content),
    };

    private static bool TryCitations(object? raw, FieldType type, out object? value, ref CoercionFailure failure)
    {
        value = null;
        var items = raw switch
        {
            Citations citations => (ImmutableArray<object?>)ToolValues.Of(citations),
            ImmutableArray<object?> list => list,
            FieldMap map when map.TryGetValue("citations", out var inner) && inner is ImmutableArray<object?> list => list,
            FieldMap map when map.ContainsKey("cited_text") => [map],
            _ => default,
        };
        if (items.IsDefault)
            return failure.Expected(type, raw);
        var read = ImmutableArray.CreateBuilder<object?>(items.Length);
        for (var i = 0; i < items.Length; i++)
        {
            if (items[i] is not FieldMap item || Member(item, "cited_text") is not { } text)
            {
                failure.Set($"a citation needs 'cited_text', found {FieldConstraints.Shorten(items[i])}");
                return failure.Under($"[{i}]");
            }

            read.Add(ToolValues.Of(new Citation(text, Index(item, "document_index"), Index(item, "start_char_index"), Index(item, "end_char_index"))
            {
                DocumentTitle = Member(item, "document_title"),
                SupportedText = Member(item, "supported_text"),
            }));
        }

        value = read.DrainToImmutable();
        return true;
    }

    private static bool TryTool(object? raw, FieldType type, out object? value, ref CoercionFailure failure)
    {
        value = raw as AITool;
        if (value is null && raw is FieldMap map && Member(map, "name") is { } name)
        {
            // The form in state files: enough to show the tool again, not to run it.
            using var schema = JsonDocument.Parse(JsonText.Write(map.GetValueOrDefault("parameters") as FieldMap ?? FieldMap.Empty));
            value = AIFunctionFactory.CreateDeclaration(name, Member(map, "description"), schema.RootElement.Clone());
        }

        return value is not null || failure.Set(
            $"expected {TypeNames.Of(type)}, an AITool such as AIFunctionFactory.Create makes; found {FieldConstraints.Shorten(raw)}");
    }

    private static bool TryCustom(object? raw, FieldType type, out object? value, ref CoercionFailure failure)
    {
        value = raw;
        var custom = type.PromptType!;
        if (custom.ValueType.IsInstanceOfType(raw))
            return true;
        value = null;
        var text = raw is null or FieldMap or ImmutableArray<object?> ? raw is null ? null : JsonText.Write(raw) : JsonText.Scalar(raw);
        if (text is null)
            return failure.Expected(type, raw);
        try
        {
            value = custom.Read(text);
            return true;
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            return failure.Set($"expected {custom.Name}, found {FieldConstraints.Shorten(text)}: {error.Message}");
        }
    }

    private static string? Member(object? raw, string name) => raw is FieldMap map && map.TryGetValue(name, out var value) ? value as string : null;

    private static int Index(FieldMap item, string name) =>
        item.TryGetValue(name, out var raw) && ScalarReader.TryInteger(raw, out var number) && number is long and >= 0 and <= int.MaxValue
            ? (int)(long)number
            : 0;
}
