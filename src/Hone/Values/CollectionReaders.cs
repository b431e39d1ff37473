using System.Collections;
using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Hone;

/// <summary>Builds declared collection types from canonical lists and maps.</summary>
internal static class CollectionReaders
{
    private static readonly ConcurrentDictionary<Type, Func<Func<Type, Func<object?, object?>>, Func<object?, object?>>> Factories = new();

    private static readonly ConcurrentDictionary<Type, Func<object, bool>> Dictionaries = new();

    public static Func<object?, object?> Create(Type type, ClrCollection collection, Func<Type, Func<object?, object?>> reader) =>
        Factories.TryGetValue(type, out var factory) ? factory(reader)
        : ClrReflection.IsComplete ? Discover(type, collection, reader)
        : throw ClrReflection.UnknownCollection(type);

    /// <summary>Makes a collection type usable without generic code that is made at run time.</summary>
    public static void KeepSequence<[DynamicallyAccessedMembers(ClrReflection.Members)] TCollection, T>()
        where TCollection : IEnumerable<T>
    {
        if (!Factories.TryAdd(typeof(TCollection), static reader => Sequence<T>(typeof(TCollection), reader)))
            return;
        var isSet = typeof(ISet<T>).IsAssignableFrom(typeof(TCollection)) || typeof(IReadOnlySet<T>).IsAssignableFrom(typeof(TCollection));
        ClrCollections.Keep(typeof(TCollection), new(isSet ? FieldTypeKind.Set : FieldTypeKind.List, [typeof(T)]));
    }

    /// <summary>As <see cref="KeepSequence"/>, for a dictionary.</summary>
    public static void KeepDictionary<[DynamicallyAccessedMembers(ClrReflection.Members)] TDictionary, TKey, TValue>()
        where TDictionary : IEnumerable<KeyValuePair<TKey, TValue>>
        where TKey : notnull
    {
        if (!Factories.TryAdd(typeof(TDictionary), static reader => Dictionary<TKey, TValue>(typeof(TDictionary), reader)))
            return;
        ClrCollections.Keep(typeof(TDictionary), new(FieldTypeKind.Dictionary, [typeof(TKey), typeof(TValue)]));
        ClrShape.Keep(typeof(KeyValuePair<TKey, TValue>));
        Dictionaries.TryAdd(
            typeof(KeyValuePair<TKey, TValue>), static value => value is IReadOnlyDictionary<TKey, TValue> or IDictionary<TKey, TValue>);
    }

    /// <summary>Collections of text, which share their code with other references: known without being registered.</summary>
    /// <returns>True.</returns>
    public static bool KeepCommon()
    {
        KeepSequence<string[], string>();
        KeepSequence<List<string>, string>();
        KeepSequence<IList<string>, string>();
        KeepSequence<IReadOnlyList<string>, string>();
        KeepSequence<IReadOnlyCollection<string>, string>();
        KeepSequence<IEnumerable<string>, string>();
        KeepSequence<ImmutableArray<string>, string>();
        KeepDictionary<Dictionary<string, string>, string, string>();
        KeepDictionary<IReadOnlyDictionary<string, string>, string, string>();
        return true;
    }

    /// <summary>True when the value is a dictionary with keys and values of registered types.</summary>
    public static bool IsRegisteredDictionary(IEnumerable value) => value is not IList && Dictionaries.Values.Any(isDictionary => isDictionary(value));

    [RequiresDynamicCode("The code for the collection's items is made at run time.")]
    [RequiresUnreferencedCode("The constructors of the collection may be gone.")]
    private static Func<object?, object?> Discover(Type type, ClrCollection collection, Func<Type, Func<object?, object?>> reader)
    {
        var name = collection.Kind == FieldTypeKind.Dictionary ? nameof(Dictionary) : nameof(Sequence);
        var method = typeof(CollectionReaders).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod([.. collection.Arguments]);
        return (Func<object?, object?>)method.Invoke(null, [type, reader])!;
    }

    private static Func<object?, object?> Sequence<T>(
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] Type type, Func<Type, Func<object?, object?>> reader)
    {
        var finish = SequenceFactory<T>(type);
        return value =>
        {
            if (value is null)
                return null;
            if (value is not ImmutableArray<object?> source)
                throw new PathException($"expected a list for {type.Name}, found {FieldConstraints.Shorten(value)}");
            var read = reader(typeof(T));
            var items = new T[source.Length];
            for (var i = 0; i < items.Length; i++)
                items[i] = ReadItem<T>(read, source[i], i);
            return finish(items);
        };
    }

    private static T ReadItem<T>(Func<object?, object?> read, object? value, int index)
    {
        try
        {
            return (T)read(value)!;
        }
        catch (PathException exception)
        {
            exception.Path = $"[{index}]{exception.Path}";
            throw;
        }
    }

    private static Func<T[], object> SequenceFactory<T>([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] Type type)
    {
        if (type.IsArray)
            return items => items;
        if (type == typeof(ImmutableArray<T>))
            return items => ImmutableArray.Create(items);
        if (type == typeof(ImmutableList<T>) || type == typeof(IImmutableList<T>))
            return items => ImmutableList.Create(items);
        if (type == typeof(ImmutableHashSet<T>) || type == typeof(IImmutableSet<T>))
            return items => ImmutableHashSet.Create(items);
        if (type == typeof(FrozenSet<T>))
            return items => items.ToFrozenSet();
        if (type == typeof(IReadOnlyList<T>) || type == typeof(IReadOnlyCollection<T>) || type == typeof(IEnumerable<T>))
            return items => items;
        if (type.IsAssignableFrom(typeof(List<T>)))
            return items => new List<T>(items);
        if (type.IsAssignableFrom(typeof(HashSet<T>)))
            return items => new HashSet<T>(items);
        var constructor = type.GetConstructor([typeof(IEnumerable<T>)]) ?? type.GetConstructor([typeof(IList<T>)]);
        return constructor is not null
            ? items => constructor.Invoke([items])
            : throw new HoneException(
                $"The collection type {type} cannot be built from a list. Use List<T>, T[], IReadOnlyList<T>, HashSet<T> or an immutable one.");
    }

    private static Func<object?, object?> Dictionary<TKey, TValue>(
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] Type type, Func<Type, Func<object?, object?>> reader)
        where TKey : notnull
    {
        var finish = DictionaryFactory<TKey, TValue>(type);
        return value =>
        {
            if (value is null)
                return null;
            if (value is not FieldMap map)
                throw new PathException($"expected an object for {type.Name}, found {FieldConstraints.Shorten(value)}");
            var (readKey, readValue) = (reader(typeof(TKey)), reader(typeof(TValue)));
            var result = new Dictionary<TKey, TValue>(map.Count);
            foreach (var (name, item) in map)
                result[(TKey)PathException.Within($"[key '{name}']", readKey, name)!] = (TValue)PathException.Within($".{name}", readValue, item)!;
            return finish(result);
        };
    }

    private static Func<Dictionary<TKey, TValue>, object> DictionaryFactory<TKey, TValue>(
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] Type type)
        where TKey : notnull
    {
        if (type.IsAssignableFrom(typeof(Dictionary<TKey, TValue>)))
            return entries => entries;
        if (type == typeof(ImmutableDictionary<TKey, TValue>) || type == typeof(IImmutableDictionary<TKey, TValue>))
            return entries => entries.ToImmutableDictionary();
        if (type == typeof(FrozenDictionary<TKey, TValue>))
            return entries => entries.ToFrozenDictionary();
        var constructor = type.GetConstructor([typeof(IDictionary<TKey, TValue>)]);
        return constructor is not null
            ? entries => constructor.Invoke([entries])
            : throw new HoneException(
                $"The dictionary type {type} cannot be built. Use Dictionary<K, V>, IReadOnlyDictionary<K, V> or an immutable dictionary.");
    }
}
