using System.Collections;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Hone;

/// <summary>Finds sub-modules by reflection, for modules that no generator has seen.</summary>
internal static class ModuleReflector
{
    /// <summary>What is read of a module's type.</summary>
    public const DynamicallyAccessedMemberTypes Members = DynamicallyAccessedMemberTypes.AllFields;

    private static readonly ConcurrentDictionary<Type, FieldInfo[]> FieldsByType = new();

    public static IEnumerable<KeyValuePair<string, Module>> GetChildren(Module module)
    {
        foreach (var field in FieldsOf(module.GetType()))
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

    private static FieldInfo[] FieldsOf([DynamicallyAccessedMembers(Members)] Type type) =>
        FieldsByType.TryGetValue(type, out var known) ? known : FieldsByType.GetOrAdd(type, FindFields(type));

    // Base classes first; within a class in declaration order.
    private static FieldInfo[] FindFields([DynamicallyAccessedMembers(Members)] Type type)
    {
        var levels = new Stack<FieldInfo[]>();
        for (var current = type; current is not null && current != typeof(Module); current = current.BaseType)
            levels.Push(current.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly));
        return [.. levels.SelectMany(level => level
            .Where(field => MayHoldModules(field.FieldType))
            .OrderBy(field => field.HasMetadataToken() ? field.MetadataToken : 0))];
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
