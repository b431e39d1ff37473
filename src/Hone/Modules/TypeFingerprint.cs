namespace Hone;

/// <summary>
/// The structure of a type in one readable line, members of objects and enumerations included, so that a saved state notices when a record has changed:
/// <c>out list[Person{name: str, age: int}]</c>.
/// </summary>
internal static class TypeFingerprint
{
    /// <summary>The fields of a signature by name.</summary>
    public static SortedDictionary<string, string> Of(Signature signature, bool isShort = false)
    {
        var fingerprint = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var field in signature.Fields)
            fingerprint[field.Name] = $"{(field.Direction == FieldDirection.Input ? "in" : "out")} {(isShort ? field.Type.ToString() : Of(field.Type, []))}";
        return fingerprint;
    }

    private static string Of(FieldType type, HashSet<string> open)
    {
        switch (type.Kind)
        {
            case FieldTypeKind.Enum:
                return $"{type.Name}{{{string.Join(", ", type.Members.Select(member => TypeNames.Literal(member.Value)))}}}";
            case FieldTypeKind.Object when type.Name is { } name && open.Add(name):
                var members = type.Properties.Select(property => $"{property.Name}{(property.IsRequired ? string.Empty : "?")}: {Of(property.Type, open)}").ToArray();
                open.Remove(name);
                return $"{name}{{{string.Join(", ", members)}}}";
            case FieldTypeKind.List or FieldTypeKind.Set or FieldTypeKind.Tuple or FieldTypeKind.Dictionary:
                var word = type.ToString();
                return $"{word[..word.IndexOf('[', StringComparison.Ordinal)]}[{string.Join(", ", type.Arguments.Select(argument => Of(argument, open)))}]";
            case FieldTypeKind.Union:
                return string.Join(" | ", type.Arguments.Select(argument => Of(argument, open)));
            default:
                return type.ToString();
        }
    }
}
