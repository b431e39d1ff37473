using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hone;

/// <summary>Rows of JSON: an object a line, or an array of objects.</summary>
internal static partial class JsonRows
{
    private const string FileOfOneArray = "a .json file should hold one array of objects; for one object a line use the ending .jsonl";

    public static async IAsyncEnumerable<DataRow> ReadLinesAsync(TextReader reader, string name, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        for (long number = 1; await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line; number++)
        {
            if (!string.IsNullOrWhiteSpace(line))
                yield return new(Parse(line, new(name, number)), new(name, number));
        }
    }

    public static async IAsyncEnumerable<DataRow> ReadArrayAsync(Stream stream, string name, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        long number = 0;
        var items = JsonSerializer.DeserializeAsyncEnumerable(stream, DataJsonContext.Default.JsonElement, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using (items.ConfigureAwait(false))
        {
            while (await MoveAsync(items, name).ConfigureAwait(false))
            {
                var place = new DataPlace(name, ++number, IsRecord: true);
                yield return items.Current.ValueKind == JsonValueKind.Object
                    ? new((FieldMap)JsonValues.FromElement(items.Current)!, place)
                    : throw new DataFileException($"a record should be an object, found {items.Current.ValueKind.ToString().ToLowerInvariant()}", place);
            }
        }
    }

    private static async ValueTask<bool> MoveAsync(IAsyncEnumerator<JsonElement> items, string name)
    {
        try
        {
            return await items.MoveNextAsync().ConfigureAwait(false);
        }
        catch (JsonException error)
        {
            var place = new DataPlace(name, (error.LineNumber ?? 0) + 1);
            throw new DataFileException($"this is not JSON ({FileOfOneArray})", place, (int)(error.BytePositionInLine ?? -1) + 1, error);
        }
    }

    private static FieldMap Parse(string line, DataPlace place)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return JsonValues.FromElement(document.RootElement) as FieldMap
                ?? throw new DataFileException($"a line should be a JSON object, found {document.RootElement.ValueKind.ToString().ToLowerInvariant()}", place, 1);
        }
        catch (JsonException error)
        {
            throw new DataFileException("a line should be a JSON object, and this is not JSON", place, Column(line, error), error);
        }
    }

    // The parser counts bytes; people count characters.
    private static int Column(string line, JsonException error)
    {
        var bytes = Encoding.UTF8.GetBytes(line);
        return Encoding.UTF8.GetCharCount(bytes, 0, (int)Math.Min(error.BytePositionInLine ?? 0, bytes.Length)) + 1;
    }

    [JsonSerializable(typeof(JsonElement))]
    private sealed partial class DataJsonContext : JsonSerializerContext;
}
