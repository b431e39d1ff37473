using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Hone;

/// <summary>Field maps as typed values and as JSON.</summary>
public static class FieldMapExtensions
{
    /// <summary>The value of a field as a .NET type: text, numbers, enums, lists, dictionaries, records.</summary>
    /// <typeparam name="T">The type to read the value as; null values need one that admits null.</typeparam>
    /// <param name="fields">The fields.</param>
    /// <param name="name">Name of the field.</param>
    /// <exception cref="HoneException">There is no such field; the message lists those that exist.</exception>
    /// <exception cref="ValueCoercionException">The value does not fit the type; the error names field and path.</exception>
    public static T Get<[DynamicallyAccessedMembers(ClrReflection.Members)] T>(this FieldMap fields, string name)
    {
        ArgumentNullException.ThrowIfNull(fields);
        ArgumentNullException.ThrowIfNull(name);
        var value = fields[name];
        return value is T typed and not FieldMap ? typed : (T)ClrValues.FromCanonical(value, typeof(T), name)!;
    }

    /// <summary>The fields as a JSON object, in their order: dates and the like as text, media in the form of state files.</summary>
    /// <param name="fields">The fields.</param>
    public static JsonElement ToJson(this FieldMap fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        return JsonElement.Parse(JsonText.Write(fields));
    }
}
