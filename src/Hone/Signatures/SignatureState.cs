using System.Collections.Immutable;
using System.Text.Json;

namespace Hone;

/// <summary>What may be tuned of one field.</summary>
/// <param name="Name">The field; null in states that go by position.</param>
/// <param name="Type">Fingerprint of direction and type; null when the state does not say.</param>
/// <param name="Description">What the field means; null for none.</param>
/// <param name="Prefix">The readable label; null for the one made from the name.</param>
public sealed record SignatureFieldState(string? Name, string? Type, string? Description, string? Prefix);

/// <summary>
/// What may be tuned of a signature, apart from it: instructions, and descriptions and labels by field name. Written and read as JSON; the form of
/// DSPy, where fields go by position, is read too.
/// </summary>
/// <param name="Instructions">What to do.</param>
/// <param name="Fields">The fields, inputs first.</param>
public sealed record SignatureState(string Instructions, ImmutableArray<SignatureFieldState> Fields)
{
    /// <summary>Reads a state.</summary>
    /// <exception cref="HoneException">The JSON is not the state of a signature.</exception>
    public static SignatureState Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty("fields", out var fields)
            || fields.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
        {
            throw new HoneException("This JSON is not the state of a signature: it needs 'instructions' and 'fields'.");
        }

        var instructions = Text(json, "instructions") ?? throw new HoneException("The state of a signature lacks 'instructions'.");
        return new(
            instructions,
            fields.ValueKind == JsonValueKind.Array
                ? [.. fields.EnumerateArray().Select(field => ReadField(Text(field, "name"), field))]
                : [.. fields.EnumerateObject().Select(field => ReadField(field.Name, field.Value))]);
    }

    /// <summary>Writes the state as a JSON object.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStartObject();
        writer.WriteString("instructions", Instructions);
        writer.WriteStartObject("fields");
        foreach (var field in Fields)
        {
            writer.WriteStartObject(
                field.Name ?? throw new HoneException("A state that goes by position cannot be written; lay it over its signature first."));
            Write(writer, "type", field.Type);
            Write(writer, "description", field.Description);
            Write(writer, "prefix", field.Prefix);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>Structural equality.</summary>
    public bool Equals(SignatureState? other) => other is not null && Instructions == other.Instructions && Fields.SequenceEqual(other.Fields);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Instructions, Fields.Length);

    private static SignatureFieldState ReadField(string? name, JsonElement field) =>
        new(name, Text(field, "type"), Text(field, "description") ?? Text(field, "desc"), Text(field, "prefix"));

    private static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static void Write(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
            writer.WriteString(name, value);
    }
}
