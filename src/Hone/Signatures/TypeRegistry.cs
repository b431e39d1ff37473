using System.Collections.Immutable;

namespace Hone;

/// <summary>
/// The types that a signature string may use by name besides the built-in words. Immutable. Nothing is ever looked up outside of it, so a string
/// that a model or a user wrote cannot load a type.
/// </summary>
public sealed class TypeRegistry
{
    private readonly ImmutableArray<Entry> entries;

    private TypeRegistry(ImmutableArray<Entry> entries) => this.entries = entries;

    /// <summary>No types.</summary>
    public static TypeRegistry Empty { get; } = new([]);

    /// <summary>The names that a string may use.</summary>
    public IEnumerable<string> Names => entries.Select(entry => entry.Name);

    /// <summary>Records, classes, structs and enums under their own names.</summary>
    public static TypeRegistry Of(params ReadOnlySpan<Type> types)
    {
        var registry = Empty;
        foreach (var type in types)
            registry = registry.With(type);
        return registry;
    }

    /// <summary>These types and one more. A type is known by its name and by its full name with dots.</summary>
    /// <param name="type">A record, class, struct or enum.</param>
    /// <param name="name">The name to use; the type's own when null.</param>
    /// <exception cref="HoneException">The name is no identifier.</exception>
    public TypeRegistry With(Type type, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(type);
        name ??= NamingRules.TypeName(type);
        FieldTypeRules.CheckName(name);
        return entries.Any(entry => entry.Name == name && entry.ClrType == type)
            ? this
            : new(entries.Add(new(name, type.FullName?.Replace('+', '.') ?? name, type, null)));
    }

    /// <summary>These types and a described object, enumeration or custom type.</summary>
    /// <exception cref="HoneException">The type has no name.</exception>
    public TypeRegistry With(FieldType type)
    {
        ArgumentNullException.ThrowIfNull(type);
        if (type.Kind is not (FieldTypeKind.Object or FieldTypeKind.Enum or FieldTypeKind.Custom))
            throw new HoneException($"The type '{type}' has no name of its own to register; register objects and enumerations.");
        return new(entries.Add(new(type.Name!, type.Name!, type.ClrType, type)));
    }

    /// <summary>The type of a name; null when there is none.</summary>
    /// <param name="name">A name, or a full name.</param>
    /// <param name="others">The full names of the types that share the name, when there are several.</param>
    internal FieldType? Find(string name, out string? others)
    {
        others = null;
        Entry? found = null;
        foreach (var entry in entries)
        {
            if (entry.Name != name)
                continue;
            if (found is not null && !found.IsSameAs(entry))
            {
                others = string.Join(", ", entries.Where(each => each.Name == name).Select(each => each.FullName));
                return null;
            }

            found = entry;
        }

        found ??= entries.FirstOrDefault(entry => entry.FullName == name);
        return found?.Describe();
    }

    private sealed record Entry(string Name, string FullName, Type? ClrType, FieldType? Type)
    {
        public bool IsSameAs(Entry other) => ClrType is not null ? ClrType == other.ClrType : Equals(Type, other.Type);

        public FieldType Describe() => Type ?? ClrTypes.Of(ClrType!);
    }
}
