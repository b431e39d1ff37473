using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Hone;

/// <summary>A .NET collection type: list, set or dictionary, with its element types.</summary>
internal sealed record ClrCollection(FieldTypeKind Kind, ImmutableArray<Type> Arguments);

/// <summary>Recognises collection types by the interfaces they implement.</summary>
internal static class ClrCollections
{
    private static readonly ConcurrentDictionary<Type, ClrCollection?> Cache = new();

    /// <summary>What collection the type is, or null when it is none.</summary>
    public static ClrCollection? Classify(Type type) => Cache.GetOrAdd(type, static each => Inspect(each));

    private static ClrCollection? Inspect(Type type)
    {
        if (type == typeof(string))
            return null;
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
