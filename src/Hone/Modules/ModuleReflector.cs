using System.Collections;
using System.Collections.Concurrent;
using System.Reflection;

namespace Hone;

/// <summary>Finds sub-modules by reflection, for modules that no generator has seen.</summary>
internal static class ModuleReflector
{
    private static readonly ConcurrentDictionary<Type, FieldInfo[]> FieldsByType = new();

    public static IEnumerable<KeyValuePair<string, Module>> GetChildren(Module module)
    {
        foreach (var field in FieldsByType.GetOrAdd(module.GetType(), FieldsOf))
        {
            foreach (var child in Expand(NamingRules.ToSnakeCase(field.Name).TrimStart('_'), field.GetValue(module)))
                yield return child;
        }
    }

    private static IEnumerable<KeyValuePair<string, Module>> Expand(string name, object? value)
    {
        switch (value)
        {
            case Module child:
                yield return new(name, child);
                break;
            case IDictionary dictionary:
                foreach (DictionaryEntry entry in dictionary)
                {
                    foreach (var child in Expand($"{name}['{entry.Key}']", entry.Value))
                        yield return child;
                }

                break;
            case IEnumerable items and not string:
                var index = 0;
                foreach (var item in items)
                {
                    foreach (var child in Expand($"{name}[{index}]", item))
                        yield return child;
                    index++;
                }

                break;
        }
    }

    // Base classes first; within a class in declaration order.
    private static FieldInfo[] FieldsOf(Type type)
    {
        var chain = new Stack<Type>();
        for (var current = type; current is not null && current != typeof(Module); current = current.BaseType)
            chain.Push(current);
        return [.. chain.SelectMany(level => level
            .GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            .Where(field => MayHoldModules(field.FieldType))
            .OrderBy(field => field.MetadataToken))];
    }

    private static bool MayHoldModules(Type type)
    {
        if (typeof(Module).IsAssignableFrom(type))
            return true;
        if (type == typeof(string) || !typeof(IEnumerable).IsAssignableFrom(type))
            return false;
        var arguments = type.IsArray ? [type.GetElementType()!] : type.GetGenericArguments();
        return arguments.Any(MayHoldModules);
    }
}
