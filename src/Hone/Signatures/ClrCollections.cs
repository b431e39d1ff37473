using System.Collections;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Hone;

/// <summary>A .NET collection type: list, set or dictionary, with its element types.</summary>
internal sealed record ClrCollection(FieldTypeKind Kind, ImmutableArray<Type> Arguments);

/// <summary>Recognises collection types by the interfaces they implement.</summary>
internal static class ClrCollections
{
    private static readonly ConcurrentDictionary<Type, ClrCollection?> Cache = new();

    /// <summary>What collection the type is, or null when it is none.</summary>
    /// <exception cref="HoneException">The type is a collection, the program is trimmed and nobody has registered the type.</exception>
    public static ClrCollection? Classify(Type type) =>
        Cache.TryGetValue(type, out var known) ? known
        : type == typeof(string) || !typeof(IEnumerable).IsAssignableFrom(type) ? null
        : ClrReflection.IsComplete ? Cache.GetOrAdd(type, Inspect(type))
        : CollectionReaders.KeepCommon() && Cache.TryGetValue(type, out known) ? known
        : throw ClrReflection.UnknownCollection(type);

    /// <summary>Remembers what a type is.</summary>
    public static void Keep(Type type, ClrCollection collection) => Cache.TryAdd(type, collection);

    /// <summary>True for a value that is a dictionary in .NET; whatever else can be enumerated counts as a list.</summary>
    public static bool IsDictionary(IEnumerable value)
    {
        var type = value.GetType();
        return Cache.TryGetValue(type, out var known) ? known?.Kind == FieldTypeKind.Dictionary
            : ClrReflection.IsComplete ? Classify(type)?.Kind == FieldTypeKind.Dictionary
            : CollectionReaders.IsRegisteredDictionary(value);
    }

    [RequiresUnreferencedCode("The interfaces of the type may be gone.")]
    private static ClrCollection? Inspect(Type type)
    {
        if (type.IsArray)
            return new(FieldTypeKind.List, [type.GetElementType()!]);
        var interfaces = type.IsInterface ? type.GetInterfaces().Append(type) : type.GetInterfaces();
        Type? list = null;
        Type? set = null;
        foreach (var each in interfaces.Where(each => each.IsGenericType))
        {
            var definition = each.GetGenericTypeDefinition();
            if (definition == typeof(IReadOnlyDictionary<,>) || definition == typeof(IDictionary<,>))
                return new(FieldTypeKind.Dictionary, [.. each.GetGenericArguments()]);
            if (definition == typeof(ISet<>) || definition == typeof(IReadOnlySet<>))
                set = each;
            else if (definition == typeof(IEnumerable<>))
                list = each;
        }

        return set is not null ? new(FieldTypeKind.Set, [.. set.GetGenericArguments()])
            : list is not null ? new(FieldTypeKind.List, [.. list.GetGenericArguments()])
            : null;
    }
}
