using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;

namespace Hone;

/// <summary>One property of a record or class, as the model sees it and as .NET reads and writes it.</summary>
internal sealed record ClrMember(string Name, string ClrName, Type Type, NullabilityInfo Nullability)
{
    public required MethodInvoker Getter { get; init; }

    /// <summary>Set or init accessor; null when only the constructor sets the value.</summary>
    public MethodInvoker? Setter { get; init; }

    /// <summary>Position among the constructor's parameters, or -1.</summary>
    public int ParameterIndex { get; init; } = -1;

    public string? Description { get; init; }

    public bool HasDefault => Declared.Value.HasDefault;

    /// <summary>Canonical default.</summary>
    public object? Default => Declared.Value.Value;

    /// <summary>Read when it is asked for: a default may be a value of the type that is being read.</summary>
    public required Lazy<(bool HasDefault, object? Value)> Declared { get; init; }

    public ImmutableArray<FieldConstraint> Constraints { get; init; } = [];

    /// <summary>The values of <c>[AllowedValues]</c>; null without one.</summary>
    public ImmutableArray<object?>? Allowed { get; init; }

    /// <summary>The language of a property that holds <see cref="Code"/>.</summary>
    public string? CodeLanguage { get; init; }

    /// <summary>The <c>[Input]</c> or <c>[Output]</c> on the property, if any.</summary>
    public FieldAttribute? Role { get; init; }
}

/// <summary>The properties of a record or class and the constructor that builds it; made once per type.</summary>
internal sealed class ClrShape
{
    private static readonly ConcurrentDictionary<Type, ClrShape> Cache = new();

    private static readonly ConcurrentDictionary<Type, WholeType> Kept = new();

    private ClrShape([DynamicallyAccessedMembers(ClrReflection.Members)] Type type)
    {
        Type = type;
        var constructor = ChooseConstructor(type);
        Parameters = constructor?.GetParameters() ?? [];
        Constructor = constructor is null ? null : ConstructorInvoker.Create(constructor);
        Members = [.. ReadMembers(type, Parameters)];
    }

    [DynamicallyAccessedMembers(ClrReflection.Members)]
    public Type Type { get; }

    /// <summary>Null for a struct without a constructor.</summary>
    public ConstructorInvoker? Constructor { get; }

    public ParameterInfo[] Parameters { get; }

    /// <summary>In constructor order, then in order of declaration, base class first.</summary>
    public ImmutableArray<ClrMember> Members { get; }

    /// <summary>The members that a model's answer can set; all of them when none can be, as for an interface.</summary>
    public IEnumerable<ClrMember> WritableMembers
    {
        get
        {
            var writable = Members.Where(member => member.ParameterIndex >= 0 || member.Setter is not null);
            return writable.Any() ? writable : Members;
        }
    }

    public static ClrShape Of([DynamicallyAccessedMembers(ClrReflection.Members)] Type type) =>
        Cache.TryGetValue(type, out var known) ? known : Cache.GetOrAdd(type, new ClrShape(type));

    /// <summary>As <see cref="Of"/>, for a type that was met at run time.</summary>
    /// <exception cref="HoneException">The program is trimmed and nobody has registered the type.</exception>
    public static ClrShape Find(Type type) =>
        Cache.TryGetValue(type, out var known) ? known
        : Kept.TryGetValue(type, out var kept) ? Of(kept.Type)
        : ClrReflection.IsComplete ? Discover(type)
        : throw ClrReflection.UnknownRecord(type);

    /// <summary>Remembers that a type is whole; it is read when it is needed.</summary>
    public static void Keep([DynamicallyAccessedMembers(ClrReflection.Members)] Type type) => Kept.TryAdd(type, new(type));

    /// <summary>True when the type was read or registered before.</summary>
    public static bool IsKnown(Type type) => Cache.ContainsKey(type) || Kept.ContainsKey(type);

    [RequiresUnreferencedCode("Members of the type may be gone.")]
    private static ClrShape Discover(Type type) => Of(type);

    private static ConstructorInfo? ChooseConstructor([DynamicallyAccessedMembers(ClrReflection.Members)] Type type)
    {
        if (type.IsAbstract || type.IsInterface)
            return null;
        var all = type.GetConstructors();
        var properties = type.GetProperties().Select(property => property.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return all.FirstOrDefault(each => each.GetCustomAttribute<JsonConstructorAttribute>() is not null)
            ?? all.Where(each => each.GetParameters().All(parameter => parameter.Name is { } name && properties.Contains(name)))
                .MaxBy(each => each.GetParameters().Length);
    }

    private static IEnumerable<ClrMember> ReadMembers(
        [DynamicallyAccessedMembers(ClrReflection.Members)] Type type, ParameterInfo[] parameters)
    {
        var properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.GetMethod is { IsPublic: true } && property.GetIndexParameters().Length == 0)
            .Where(property => property.GetCustomAttribute<JsonIgnoreAttribute>() is not { Condition: JsonIgnoreCondition.Always })
            .Select(property => (Property: property, Index: Array.FindIndex(parameters, parameter => NamesMatch(parameter, property))))
            .OrderBy(each => each.Index < 0 ? int.MaxValue : each.Index)
            .ThenBy(each => Depth(each.Property.DeclaringType))
            .ThenBy(each => each.Property.HasMetadataToken() ? each.Property.MetadataToken : 0);
        var sample = parameters.Length == 0 && !type.IsAbstract ? ClrDefaults.CreateSample(type) : null;
        var context = ClrReflection.Nullability();
        foreach (var (property, index) in properties)
            yield return ReadMember(context, property, index < 0 ? null : parameters[index], index, sample);
    }

    private static ClrMember ReadMember(NullabilityInfoContext context, PropertyInfo property, ParameterInfo? parameter, int index, object? sample)
    {
        var role = property.GetCustomAttribute<FieldAttribute>() ?? parameter?.GetCustomAttribute<FieldAttribute>();
        return new ClrMember(NameOf(property), property.Name, property.PropertyType, context.Create(property))
        {
            Getter = MethodInvoker.Create(property.GetMethod!),
            Setter = property.SetMethod is { IsPublic: true } setter ? MethodInvoker.Create(setter) : null,
            ParameterIndex = index,
            Description = role?.Description
                ?? (property.GetCustomAttribute<DescriptionAttribute>() ?? parameter?.GetCustomAttribute<DescriptionAttribute>())?.Description,
            Role = role,
            Declared = new(() => ClrDefaults.Of(property, parameter, sample), LazyThreadSafetyMode.PublicationOnly),
            Constraints = ClrConstraints.Read(property, [.. property.GetCustomAttributes(), .. parameter?.GetCustomAttributes() ?? []]),
            Allowed = (property.GetCustomAttribute<AllowedValuesAttribute>() ?? parameter?.GetCustomAttribute<AllowedValuesAttribute>())?.Values.ToImmutableArray(),
            CodeLanguage = (property.GetCustomAttribute<CodeLanguageAttribute>() ?? parameter?.GetCustomAttribute<CodeLanguageAttribute>())?.Language,
        };
    }

    private static string NameOf(PropertyInfo property) =>
        property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? NamingRules.ToSnakeCase(property.Name);

    private static bool NamesMatch(ParameterInfo parameter, PropertyInfo property) =>
        string.Equals(parameter.Name, property.Name, StringComparison.OrdinalIgnoreCase);

    private static int Depth(Type? type) => type is null ? 0 : 1 + Depth(type.BaseType);

    private readonly struct WholeType([DynamicallyAccessedMembers(ClrReflection.Members)] Type type)
    {
        [DynamicallyAccessedMembers(ClrReflection.Members)]
        public Type Type { get; } = type;
    }
}
