using System.Collections.Immutable;
using System.Text.Json;

namespace Hone;

/// <summary>Conversations as JSON: to go on with one later, or elsewhere.</summary>
public static class HistoryJson
{
    /// <summary>The conversation as a JSON list of turns.</summary>
    public static string ToJson(this History history)
    {
        ArgumentNullException.ThrowIfNull(history);
        return JsonText.Write(ClrValues.ToCanonical(history));
    }

    /// <summary>The conversation of a JSON list of turns. Values that JSON has no type for come back as text or objects; tool calls are read as such.</summary>
    /// <exception cref="HoneException">The text is no JSON list of objects.</exception>
    public static History Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            using var document = JsonDocument.Parse(json);
            if (JsonValues.FromElement(document.RootElement) is ImmutableArray<object?> turns && turns.All(turn => turn is FieldMap))
                return History.Of(turns.Cast<FieldMap>());
            throw new HoneException("A conversation is a JSON list of turns, each an object of field values. Pass what ToJson gave.");
        }
        catch (JsonException error)
        {
            throw new HoneException($"The conversation is not JSON: {error.Message}", error);
        }
    }
}
