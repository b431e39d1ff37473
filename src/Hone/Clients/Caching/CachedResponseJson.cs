using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>The stored form of an answer: a JSON object that says which version it is. What cannot be read counts as not there.</summary>
internal static class CachedResponseJson
{
    private const int FormatVersion = 1;

    private static readonly string[] Kinds = [.. Enum.GetNames<CachedContentKind>().Select(name => name.ToLowerInvariant())];

    // The payload is data for this class, not text for a page.
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Write(CachedResponse response)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var writer = new Utf8JsonWriter(buffer, Relaxed);
        writer.WriteStartObject();
        writer.WriteNumber("v", FormatVersion);
        writer.WriteNumber("at", response.StoredAt.ToUnixTimeMilliseconds());
        Text(writer, "id", response.ResponseId);
        Text(writer, "model", response.ModelId);
        Text(writer, "created", response.CreatedAt?.ToString("O", CultureInfo.InvariantCulture));
        Text(writer, "finish", response.FinishReason);
        if (response.Usage is { } usage)
            Write(writer, usage);
        Write(writer, response.Properties);
        writer.WriteStartArray("messages");
        foreach (var message in response.Messages)
            Write(writer, message);
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads what <see cref="Write(CachedResponse)"/> wrote; null when it is of another version or damaged.</summary>
    public static CachedResponse? Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            if (root.GetProperty("v").GetInt32() != FormatVersion)
                return null;
            var messages = root.GetProperty("messages");
            var kept = new CachedMessage[messages.GetArrayLength()];
            var index = 0;
            foreach (var message in messages.EnumerateArray())
                kept[index++] = ReadMessage(message);
            return new()
            {
                Messages = kept,
                StoredAt = DateTimeOffset.FromUnixTimeMilliseconds(root.GetProperty("at").GetInt64()),
                ResponseId = Text(root, "id"),
                ModelId = Text(root, "model"),
                CreatedAt = Text(root, "created") is { } created ? DateTimeOffset.Parse(created, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind) : null,
                FinishReason = Text(root, "finish"),
                Usage = root.TryGetProperty("usage", out var usage) ? ReadUsage(usage) : null,
                Properties = ReadProperties(root),
            };
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException)
        {
            return null;
        }
    }

    private static void Write(Utf8JsonWriter writer, CachedMessage message)
    {
        writer.WriteStartObject();
        writer.WriteString("role", message.Role);
        Text(writer, "author", message.AuthorName);
        Text(writer, "id", message.MessageId);
        writer.WriteStartArray("parts");
        foreach (var content in message.Contents)
        {
            writer.WriteStartObject();
            writer.WriteString(Kinds[(int)content.Kind], content.Text);
            Text(writer, "extra", content.Extra);
            if (content.Json is { } json)
            {
                writer.WritePropertyName("json");
                json.WriteTo(writer);
            }

            if (content.Kind == CachedContentKind.Data)
                writer.WriteBase64String("bytes", content.Data.Span);
            if (content.Annotations.Length > 0)
                Write(writer, content.Annotations);
            Write(writer, content.Properties);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, CachedAnnotation[] annotations)
    {
        writer.WriteStartArray("citations");
        foreach (var citation in annotations)
        {
            writer.WriteStartObject();
            Text(writer, "title", citation.Title);
            Text(writer, "url", citation.Url);
            Text(writer, "file", citation.FileId);
            Text(writer, "tool", citation.Tool);
            Text(writer, "snippet", citation.Snippet);
            if (citation.IsPlain)
                writer.WriteBoolean("plain", true);
            if (citation.Regions is { } regions)
                Write(writer, regions);
            Write(writer, citation.Properties);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    // Start and end of each in turn; -1 for one that is not known.
    private static void Write(Utf8JsonWriter writer, (int? Start, int? End)[] regions)
    {
        writer.WriteStartArray("regions");
        foreach (var (start, end) in regions)
        {
            writer.WriteNumberValue(start ?? -1);
            writer.WriteNumberValue(end ?? -1);
        }

        writer.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter writer, UsageDetails usage)
    {
        writer.WriteStartObject("usage");
        Number(writer, "in", usage.InputTokenCount);
        Number(writer, "out", usage.OutputTokenCount);
        Number(writer, "total", usage.TotalTokenCount);
        Number(writer, "cached", usage.CachedInputTokenCount);
        Number(writer, "reasoning", usage.ReasoningTokenCount);
        if (usage.AdditionalCounts is { Count: > 0 } more)
        {
            writer.WriteStartObject("more");
            foreach (var (name, count) in more)
                writer.WriteNumber(name, count);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, KeyValuePair<string, object?>[] properties)
    {
        if (properties.Length == 0)
            return;
        writer.WriteStartObject("props");
        foreach (var (name, value) in properties)
        {
            writer.WritePropertyName(name);
            StableJson.TryWrite(writer, value, sorted: false);
        }

        writer.WriteEndObject();
    }

    private static CachedMessage ReadMessage(JsonElement message)
    {
        var parts = message.GetProperty("parts");
        var contents = new CachedContent[parts.GetArrayLength()];
        var index = 0;
        foreach (var part in parts.EnumerateArray())
            contents[index++] = ReadContent(part);
        return new() { Role = message.GetProperty("role").GetString()!, AuthorName = Text(message, "author"), MessageId = Text(message, "id"), Contents = contents };
    }

    private static CachedContent ReadContent(JsonElement part)
    {
        for (var kind = 0; kind < Kinds.Length; kind++)
        {
            if (!part.TryGetProperty(Kinds[kind], out var text))
                continue;
            return new()
            {
                Kind = (CachedContentKind)kind,
                Text = text.GetString() ?? string.Empty,
                Extra = Text(part, "extra"),
                Json = part.TryGetProperty("json", out var json) ? json.Clone() : null,
                Data = part.TryGetProperty("bytes", out var bytes) ? bytes.GetBytesFromBase64() : default(ReadOnlyMemory<byte>),
                Annotations = part.TryGetProperty("citations", out var annotations) ? [.. annotations.EnumerateArray().Select(ReadAnnotation)] : [],
                Properties = ReadProperties(part),
            };
        }

        throw new FormatException("A part of no known kind.");
    }

    private static CachedAnnotation ReadAnnotation(JsonElement json) =>
        new(Text(json, "title"), Text(json, "url"), Text(json, "file"), Text(json, "tool"), Text(json, "snippet"))
        {
            IsPlain = json.TryGetProperty("plain", out var plain) && plain.GetBoolean(),
            Regions = json.TryGetProperty("regions", out var regions) ? ReadRegions(regions) : null,
            Properties = ReadProperties(json),
        };

    private static (int? Start, int? End)[] ReadRegions(JsonElement json)
    {
        var regions = new (int? Start, int? End)[json.GetArrayLength() / 2];
        for (var i = 0; i < regions.Length; i++)
            regions[i] = (Place(json[2 * i]), Place(json[(2 * i) + 1]));
        return regions;

        static int? Place(JsonElement number) => number.GetInt32() is >= 0 and var place ? place : null;
    }

    private static UsageDetails ReadUsage(JsonElement usage) => new()
    {
        InputTokenCount = Number(usage, "in"),
        OutputTokenCount = Number(usage, "out"),
        TotalTokenCount = Number(usage, "total"),
        CachedInputTokenCount = Number(usage, "cached"),
        ReasoningTokenCount = Number(usage, "reasoning"),
        AdditionalCounts = usage.TryGetProperty("more", out var more) ? ReadCounts(more) : null,
    };

    private static AdditionalPropertiesDictionary<long> ReadCounts(JsonElement json)
    {
        var counts = new AdditionalPropertiesDictionary<long>();
        foreach (var count in json.EnumerateObject())
            counts[count.Name] = count.Value.GetInt64();
        return counts;
    }

    private static KeyValuePair<string, object?>[] ReadProperties(JsonElement owner) => owner.TryGetProperty("props", out var properties)
        ? [.. properties.EnumerateObject().Select(property => new KeyValuePair<string, object?>(property.Name, StableJson.FromElement(property.Value)))]
        : [];

    private static void Text(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
            writer.WriteString(name, value);
    }

    private static void Number(Utf8JsonWriter writer, string name, long? value)
    {
        if (value is { } number)
            writer.WriteNumber(name, number);
    }

    private static string? Text(JsonElement owner, string name) => owner.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static long? Number(JsonElement owner, string name) => owner.TryGetProperty(name, out var value) ? value.GetInt64() : null;
}
