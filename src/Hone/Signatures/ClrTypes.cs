using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Describes .NET types as <see cref="FieldType"/>s. Each type is looked at once.</summary>
internal static class ClrTypes
{
    private static readonly ConcurrentDictionary<Type, FieldType> Cache = new();

    private static readonly Dictionary<Type, FieldType> Simple = new()
    {
        [typeof(string)] = FieldType.String,
        [typeof(char)] = FieldType.String,
        [typeof(TimeSpan)] = FieldType.Simple(FieldTypeKind.Duration),
        [typeof(TimeOnly)] = FieldType.Simple(FieldTypeKind.Time),
        [typeof(bool)] = FieldType.Boolean,
        [typeof(sbyte)] = FieldType.Integer,
        [typeof(byte)] = FieldType.Integer,
        [typeof(short)] = FieldType.Integer,
        [typeof(ushort)] = FieldType.Integer,
        [typeof(int)] = FieldType.Integer,
        [typeof(uint)] = FieldType.Integer,
        [typeof(long)] = FieldType.Integer,
        [typeof(ulong)] = FieldType.Integer,
        [typeof(BigInteger)] = FieldType.Integer,
        [typeof(float)] = FieldType.Number,
        [typeof(double)] = FieldType.Number,
        [typeof(decimal)] = FieldType.Decimal,
        [typeof(byte[])] = FieldType.Simple(FieldTypeKind.Bytes),
        [typeof(DateOnly)] = FieldType.Simple(FieldTypeKind.Date),
        [typeof(DateTimeOffset)] = FieldType.Simple(FieldTypeKind.DateTime),
        [typeof(DateTime)] = FieldType.Simple(FieldTypeKind.DateTime),
        [typeof(Guid)] = FieldType.Simple(FieldTypeKind.Guid),
        [typeof(Uri)] = FieldType.Simple(FieldTypeKind.Uri),
        [typeof(object)] = FieldType.Any,
        [typeof(JsonElement)] = FieldType.Any,
        [typeof(JsonNode)] = FieldType.Any,
        [typeof(JsonObject)] = FieldType.DictionaryOf(FieldType.String, FieldType.Any),
        [typeof(JsonArray)] = FieldType.ListOf(FieldType.Any),
        [typeof(FieldMap)] = FieldType.DictionaryOf(FieldType.String, FieldType.Any),
        [typeof(History)] = FieldType.History,
        [typeof(Image)] = FieldType.Image,
        [typeof(Audio)] = FieldType.Audio,
        [typeof(Attachment)] = FieldType.Attachment,
        [typeof(Document)] = FieldType.Document,
        [typeof(Media)] = FieldType.Attachment,
        [typeof(AIContent)] = FieldType.Attachment,
        [typeof(DataContent)] = FieldType.Attachment,
        [typeof(UriContent)] = FieldType.Attachment,
        [typeof(HostedFileContent)] = FieldType.Attachment,
        [typeof(Reasoning)] = FieldType.Reasoning,
        [typeof(Code)] = FieldType.CodeIn(),
        [typeof(Citations)] = FieldType.Citations,
        [typeof(ToolCalls)] = FieldType.ToolCalls,
        [typeof(ToolResults)] = FieldType.ToolResults,
    };

    /// <summary>The field type of a .NET type; reference types count as not nullable.</summary>
    public static FieldType Of(Type type) => Cache.GetOrAdd(type, static each => Describe(each, null, []));

    /// <summary>The field type of a member, nullable annotations included.</summary>
    /// <exception cref="HoneException">The member has allowed values that are none of its type.</exception>
    public static FieldType Of(ClrMember member, ImmutableHashSet<Type> path)
    {
        var type = WithLanguage(Describe(member.Type, member.Nullability, path), member.CodeLanguage);
        return member.Allowed is { } allowed ? LiteralOf(member, type, allowed) : type;
    }

    /// <summary>True for types that Hone knows how to show and read before it asks for a prompt type.</summary>
    public static bool IsBuiltIn(Type type) => Simple.ContainsKey(type) || type.IsEnum || IsTool(type) || Nullable.GetUnderlyingType(type) is not null;

    /// <summary>True when the type stands for one value instead of a set of fields.</summary>
    public static bool IsValue(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return Simple.ContainsKey(type) || type.IsEnum || IsTuple(type) || IsTool(type) || PromptType.Of(type) is not null
            || ClrCollections.Classify(type) is not null;
    }

    public static bool IsTuple(Type type) =>
        type.IsGenericType && typeof(ITuple).IsAssignableFrom(type) && type.Namespace == "System"
            && type.Name.Contains("Tuple", StringComparison.Ordinal);

    public static bool IsTool(Type type) => typeof(AITool).IsAssignableFrom(type);

    /// <summary>The type with its code, wherever it stands, in a language.</summary>
    public static FieldType WithLanguage(FieldType type, string? language) => language is null ? type : type.Kind switch
    {
        FieldTypeKind.Code => type.ClrType is { } clr ? FieldType.CodeIn(language).BoundTo(clr) : FieldType.CodeIn(language),
        FieldTypeKind.Union or FieldTypeKind.List or FieldTypeKind.Set or FieldTypeKind.Tuple or FieldTypeKind.Dictionary =>
            type.WithArguments([.. type.Arguments.Select(argument => WithLanguage(argument, language))]),
        _ => type,
    };

    /// <summary>The text of an enum member as the model sees it.</summary>
    public static string EnumText(FieldInfo member) => member.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name
        ?? member.GetCustomAttribute<System.Runtime.Serialization.EnumMemberAttribute>()?.Value
        ?? member.Name;

    /// <summary>The member of an enumeration with that name; null for a combination or a number.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "The members of an enumeration are kept with it: Enum.GetNames needs them too.")]
    public static FieldInfo? MemberOf(Type type, string name) => type.GetField(name);

    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "The members of an enumeration are kept with it: Enum.GetNames needs them too.")]
    private static FieldInfo[] MembersOf(Type type) => type.GetFields(BindingFlags.Public | BindingFlags.Static);

    // A closed list of values takes the place of the type; null stays allowed where it was.
    private static FieldType LiteralOf(ClrMember member, FieldType type, ImmutableArray<object?> allowed)
    {
        var values = allowed.Where(value => value is not null).Select(ClrValues.ToCanonical).ToImmutableArray();
        if (values.IsEmpty || TypeHints.Bare(type).Kind is not (FieldTypeKind.String or FieldTypeKind.Integer or FieldTypeKind.Number or FieldTypeKind.Boolean)
            || values.Any(value => !IsOf(TypeHints.Bare(type).Kind, value)))
        {
            throw new HoneException(
                $"[AllowedValues] on '{member.ClrName}' ({TypeNames.Of(type)}) must list values of its type, which is to be text, a number or a truth value. "
                + "For an enumeration, leave members out of it; for lists, use an enumeration as the item.");
        }

        var literal = FieldType.LiteralOf(values).BoundTo(Nullable.GetUnderlyingType(member.Type) ?? member.Type);
        return type.AdmitsNull ? FieldType.Optional(literal).BoundTo(member.Type) : literal;
    }

    private static bool IsOf(FieldTypeKind kind, object? value) => kind switch
    {
        FieldTypeKind.String => value is string,
        FieldTypeKind.Integer => value is long or BigInteger,
        FieldTypeKind.Number => value is double or long,
        _ => value is bool,
    };

    private static FieldType Describe(Type type, NullabilityInfo? nullability, ImmutableHashSet<Type> path)
    {
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return FieldType.Optional(DescribeCore(underlying, nullability, path)).BoundTo(type);
        var described = DescribeCore(type, nullability, path);
        var isNullable = !type.IsValueType && nullability is { ReadState: NullabilityState.Nullable } && !described.AdmitsNull;
        return isNullable ? FieldType.Optional(described).BoundTo(type) : described;
    }

    private static FieldType DescribeCore(Type type, NullabilityInfo? nullability, ImmutableHashSet<Type> path)
    {
        if (Simple.TryGetValue(type, out var simple))
            return simple.BoundTo(type);
        if (type.IsEnum)
            return DescribeEnum(type);
        if (IsTool(type))
            return FieldType.Tool.BoundTo(type);
        if (PromptType.Of(type) is { } custom)
            return FieldType.Custom(custom).BoundTo(type);
        if (IsTuple(type))
        {
            var items = type.GetGenericArguments().Select((item, i) => Describe(item, Argument(nullability, i), path));
            return FieldType.TupleOf([.. items]).BoundTo(type);
        }

        if (path.Contains(type))
            return FieldType.ReferenceTo(NamingRules.TypeName(type), () => Of(type)).BoundTo(type);
        if (ClrCollections.Classify(type) is { } collection)
            return DescribeCollection(collection, nullability, ClrTypeRules.IsOfTheFramework(type) ? path : path.Add(type)).BoundTo(type);
        ClrTypeRules.Check(type, path.Count);
        return DescribeObject(type, path.Add(type));
    }

    private static FieldType DescribeEnum(Type type)
    {
        var members = MembersOf(type)
            .Select(member => new EnumMember(member.Name, EnumText(member), member.GetValue(null)) { Description = DescriptionOf(member) });
        if (!ClrTypeRules.IsFlags(type))
            return FieldType.EnumOf(NamingRules.TypeName(type), [.. members]).WithDescription(DescriptionOf(type)).BoundTo(type);

        // A value of flags is a set of the single ones: the model lists them, combinations and zero need no name.
        var single = members.Where(member => BitOperations.PopCount(ClrTypeRules.Bits(member.ClrValue!)) == 1);
        return FieldType.SetOf(FieldType.EnumOf(NamingRules.TypeName(type), [.. single]).WithDescription(DescriptionOf(type))).BoundTo(type);
    }

    private static FieldType DescribeCollection(ClrCollection collection, NullabilityInfo? nullability, ImmutableHashSet<Type> path)
    {
        FieldType Item(int index) => Describe(collection.Arguments[index], nullability?.ElementType ?? Argument(nullability, index), path);

        return collection.Kind switch
        {
            FieldTypeKind.Dictionary => FieldType.DictionaryOf(Item(0), Item(1)),
            FieldTypeKind.Set => FieldType.SetOf(Item(0)),
            _ => FieldType.ListOf(Item(0)),
        };
    }

    private static FieldType DescribeObject(Type type, ImmutableHashSet<Type> path)
    {
        var shape = ClrShape.Find(type);
        return FieldType.ObjectOf(
            NamingRules.TypeName(type),
            [
                .. shape.WritableMembers.Select(member => new ObjectProperty(
                    member.Name, Of(member, path), !member.HasDefault, member.Default, member.Description, member.ClrName)
                {
                    Constraints = member.Constraints,
                }),
            ]).WithDescription(DescriptionOf(type)).BoundTo(type);
    }

    private static string? DescriptionOf(MemberInfo member) => member.GetCustomAttribute<DescriptionAttribute>(inherit: false) is { Description.Length: > 0 } described
        ? described.Description
        : null;

    private static NullabilityInfo? Argument(NullabilityInfo? nullability, int index) =>
        nullability is not null && index < nullability.GenericTypeArguments.Length ? nullability.GenericTypeArguments[index] : null;
}
