namespace Hone;

/// <summary>The object types that contain themselves, each with the name of its definition in a schema.</summary>
internal sealed class SchemaReferences
{
    private static readonly SchemaReferences None = new();

    private readonly Dictionary<object, (string Name, FieldType Type)> definitions = [];

    private SchemaReferences()
    {
    }

    /// <summary>True for most types: nothing in them contains itself.</summary>
    public bool IsEmpty => definitions.Count == 0;

    /// <summary>Every definition, in order of appearance.</summary>
    public IEnumerable<(string Name, FieldType Type)> All => definitions.Values;

    /// <summary>What is referred to anywhere inside the types.</summary>
    public static SchemaReferences Of(params ReadOnlySpan<FieldType> types)
    {
        var references = new SchemaReferences();
        foreach (var type in types)
            references.Collect(type);
        return references.IsEmpty ? None : references;
    }

    /// <summary>Name of the definition of an object type or a reference to one; null when it is written in place.</summary>
    public string? NameOf(FieldType type) =>
        !IsEmpty && type.Kind is FieldTypeKind.Object or FieldTypeKind.Reference && definitions.TryGetValue(Key(type.Resolved), out var found)
            ? found.Name
            : null;

    // The same .NET type is the same definition; without one, an equal description is.
    private static object Key(FieldType type) => (object?)type.ClrType ?? type;

    private void Collect(FieldType type)
    {
        if (type.Kind == FieldTypeKind.Reference)
        {
            var target = type.Resolved;
            if (!definitions.TryAdd(Key(target), (FreeName(target.Name!), target)))
                return;
            Collect(target);
        }

        foreach (var argument in type.Arguments)
            Collect(argument);
        foreach (var property in type.Properties)
            Collect(property.Type);
    }

    private string FreeName(string name)
    {
        var free = name;
        for (var i = 2; definitions.Values.Any(each => each.Name == free); i++)
            free = $"{name}{i}";
        return free;
    }
}
