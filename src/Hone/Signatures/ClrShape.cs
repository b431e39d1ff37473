using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
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

    public bool HasDefault { get; init; }

    /// <summary>Canonical default.</summary>
    public object? Default { get; init; }

    public ImmutableArray<FieldConstraint> Constraints { get; init; } = [];

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
        var sample = parameters.Length == 0 && !type.IsAbstract ? CreateSample(type) : null;
        var context = ClrReflection.Nullability();
        foreach (var (property, index) in properties)
            yield return ReadMember(context, property, index < 0 ? null : parameters[index], index, sample);
    }

    private static ClrMember ReadMember(NullabilityInfoContext context, PropertyInfo property, ParameterInfo? parameter, int index, object? sample)
    {
        var (hasDefault, value) = DefaultOf(property, parameter, sample);
        var role = property.GetCustomAttribute<FieldAttribute>() ?? parameter?.GetCustomAttribute<FieldAttribute>();
        return new ClrMember(NameOf(property), property.Name, property.PropertyType, context.Create(property))
        {
            Getter = MethodInvoker.Create(property.GetMethod!),
            Setter = property.SetMethod is { IsPublic: true } setter ? MethodInvoker.Create(setter) : null,
            ParameterIndex = index,
            Description = role?.Description
                ?? (property.GetCustomAttribute<DescriptionAttribute>() ?? parameter?.GetCustomAttribute<DescriptionAttribute>())?.Description,
            Role = role,
            HasDefault = hasDefault,
            Default = value,
            Constraints = ClrConstraints.Read([.. property.GetCustomAttributes(), .. parameter?.GetCustomAttributes() ?? []]),
            CodeLanguage = (property.GetCustomAttribute<CodeLanguageAttribute>() ?? parameter?.GetCustomAttribute<CodeLanguageAttribute>())?.Language,
        };
    }

    private static string NameOf(PropertyInfo property) =>
        property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? NamingRules.ToSnakeCase(property.Name);

    private static bool NamesMatch(ParameterInfo parameter, PropertyInfo property) =>
        string.Equals(parameter.Name, property.Name, StringComparison.OrdinalIgnoreCase);

    private static int Depth(Type? type) => type is null ? 0 : 1 + Depth(type.BaseType);

    // A parameter's default counts. Without parameters, an initializer counts when it gives something other than the type's own zero.
    private static (bool HasDefault, object? Value) DefaultOf(PropertyInfo property, ParameterInfo? parameter, object? sample)
    {
        if (parameter is { HasDefaultValue: true })
            return (true, Constant(parameter.DefaultValue, parameter.ParameterType));
        var isRequired = property.GetCustomAttribute<RequiredMemberAttribute>() is not null;
        if (sample is null || isRequired || property.SetMethod is null)
            return (false, null);
        var value = property.GetValue(sample);
        return value is null || !IsConstant(value) || IsZero(value, property.PropertyType) ? (false, null) : (true, Constant(value, property.PropertyType));
    }

    private static object? CreateSample([DynamicallyAccessedMembers(ClrReflection.Members)] Type type) =>
        type.IsValueType || type.GetConstructor(System.Type.EmptyTypes) is not null ? Activator.CreateInstance(type) : null;

    // An empty text is there to please the compiler; it is no answer to fall back on.
    private static bool IsConstant(object value) => value is string { Length: > 0 } or bool or Enum or decimal || value.GetType().IsPrimitive;

    // What a property of the type holds when nothing has set it.
    private static bool IsZero(object value, Type declared) => declared.IsValueType && Nullable.GetUnderlyingType(declared) is null && value switch
    {
        bool flag => !flag,
        char c => c == '\0',
        Enum member => member.Equals(Enum.ToObject(member.GetType(), 0)),
        nint number => number == 0,
        nuint number => number == 0,
        double number => number == 0,
        float number => number == 0,
        _ => Convert.ToDecimal(value, CultureInfo.InvariantCulture) == 0,
    };

    private static object? Constant(object? value, Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (value is not null && type.IsEnum)
        {
            var text = Enum.ToObject(type, value).ToString()!;
            return ClrTypes.MemberOf(type, text) is { } member ? ClrTypes.EnumText(member) : text;
        }

        return value switch
        {
            char c => c.ToString(),
            ulong large and > long.MaxValue => new BigInteger(large),
            sbyte or byte or short or ushort or int or uint or ulong => Convert.ToInt64(value, CultureInfo.InvariantCulture),
            float single => double.Parse(single.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
            _ => value,
        };
    }

    private readonly struct WholeType([DynamicallyAccessedMembers(ClrReflection.Members)] Type type)
    {
        [DynamicallyAccessedMembers(ClrReflection.Members)]
        public Type Type { get; } = type;
    }
}
