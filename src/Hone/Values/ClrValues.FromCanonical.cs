using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone;

/// <content>Canonical values to .NET types. A reader is built once per type.</content>
internal static partial class ClrValues
{
    private static readonly ConcurrentDictionary<(Type Type, string? Language), Func<object?, object?>> Readers = new();

    /// <summary>The value as a .NET type: records through their constructor, collections as the declared collection.</summary>
    /// <param name="canonical">A canonical value.</param>
    /// <param name="type">The type to build.</param>
    /// <param name="path">Where the value stands, for errors: a field name or <c>$</c>.</param>
    /// <exception cref="ValueCoercionException">The value does not fit; the error has the JSON path.</exception>
    public static object? FromCanonical(object? canonical, Type type, string path)
    {
        try
        {
            return Reader(type)(canonical);
        }
        catch (PathException exception)
        {
            throw new ValueCoercionException(path + exception.Path, exception.Message);
        }
    }

    /// <summary>Builds an object from its members' values.</summary>
    /// <param name="shape">The type.</param>
    /// <param name="values">Values by member name; an absent one takes the member's default.</param>
    /// <param name="path">Where the object stands, for errors.</param>
    public static object Build(ClrShape shape, FieldMap values, string path)
    {
        try
        {
            return Build(shape, values);
        }
        catch (PathException exception)
        {
            throw new ValueCoercionException(path + exception.Path, exception.Message);
        }
    }

    // The language is that of the code anywhere inside the type; its canonical form is text and does not say.
    private static Func<object?, object?> Reader(Type type, string? language = null) =>
        Readers.GetOrAdd((type, language), static each => CreateReader(each.Type, each.Language));

    private static Func<object?, object?> CreateReader(Type type, string? language)
    {
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return value => value is null ? null : Reader(underlying, language)(value);
        if (SpecialReaders.Create(type, language) is { } special)
            return value => value is null ? NullFor(type) : special(value) ?? throw Mismatch(type, value);
        if (type.IsEnum)
            return EnumReader(type);
        if (ScalarReaderOf(type) is { } scalar)
            return value => value is null ? NullFor(type) : scalar(value) ?? throw Mismatch(type, value);
        if (type == typeof(object))
            return value => value;
        if (type == typeof(JsonElement))
            return value => JsonElement.Parse(JsonText.Write(value));
        if (typeof(JsonNode).IsAssignableFrom(type))
        {
            return value => JsonNode.Parse(JsonText.Write(value)) is var node && (node is null || type.IsInstanceOfType(node))
                ? node
                : throw Mismatch(type, value);
        }

        if (type == typeof(FieldMap))
            return value => value is null or FieldMap ? value : throw Mismatch(type, value);
        if (type == typeof(History))
        {
            return value => value is ImmutableArray<object?> turns ? History.Of(turns.Cast<FieldMap>())
                : value is null ? null
                : throw Mismatch(type, value);
        }

        if (ClrTypes.IsTuple(type))
            return TupleReader(type, language);
        if (ClrCollections.Classify(type) is { } collection)
            return CollectionReaders.Create(type, collection, item => Reader(item, language));
        var shape = ClrShape.Find(type);
        return value => value is null ? NullFor(type)
            : type.IsInstanceOfType(value) ? value
            : value is FieldMap map ? Build(shape, map)
            : throw Mismatch(type, value);
    }

    private static Func<object, object?>? ScalarReaderOf(Type type)
    {
        if (type == typeof(string))
            return value => value is string or not (FieldMap or ImmutableArray<object?>) ? JsonText.Scalar(value) : JsonText.Write(value);
        if (type == typeof(bool))
            return value => ScalarReader.TryBoolean(value, out var flag) ? flag : null;
        if (type == typeof(double))
            return value => ScalarReader.TryNumber(value, out var number) ? number : null;
        if (type == typeof(float))
            return value => ScalarReader.TryNumber(value, out var number) ? (float)(double)number! : null;
        if (type == typeof(decimal))
            return value => ScalarReader.TryDecimal(value, out var number) ? number : null;
        if (type == typeof(BigInteger))
            return value => ScalarReader.TryInteger(value, out var number) ? number is long small ? new BigInteger(small) : number : null;
        if (type.IsPrimitive && type != typeof(char) && type != typeof(nint) && type != typeof(nuint))
            return value => ScalarReader.TryInteger(value, out var number) ? Narrow(number!, type) : null;
        if (type == typeof(char))
            return value => value is string { Length: 1 } text ? text[0] : null;
        if (type == typeof(byte[]))
            return value => ScalarReader.TryBytes(value, out var bytes) ? ((byte[])bytes!).Clone() : null;
        if (type == typeof(DateOnly))
            return value => ScalarReader.TryDate(value, out var date) ? date : null;
        if (type == typeof(DateTimeOffset))
            return value => ScalarReader.TryTime(value, out var time) ? time : null;
        if (type == typeof(DateTime))
            return value => ScalarReader.TryTime(value, out var time) ? ((DateTimeOffset)time!).UtcDateTime : null;
        if (type == typeof(TimeSpan))
            return value => ScalarReader.TryDuration(value, out var span) ? span : null;
        if (type == typeof(TimeOnly))
            return value => ScalarReader.TryClock(value, out var time) ? time : null;
        if (type == typeof(Guid))
            return value => value is Guid ? value : value is string text && Guid.TryParse(text, out var guid) ? guid : null;
        if (type == typeof(Uri))
            return value => value is Uri ? value : value is string text && Uri.TryCreate(text, UriKind.RelativeOrAbsolute, out var uri) ? uri : null;
        return null;
    }

    private static object? Narrow(object number, Type type)
    {
        try
        {
            return number is BigInteger large
                ? type == typeof(ulong) ? checked((ulong)large) : null
                : Convert.ChangeType(number, type, CultureInfo.InvariantCulture);
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    private static Func<object?, object?> EnumReader(Type type)
    {
        var description = ClrTypes.Of(type);
        if (description.Kind == FieldTypeKind.Set)
            return FlagsReader(type, description.Arguments[0]);
        return value => value is null ? NullFor(type)
            : type.IsInstanceOfType(value) ? value
            : Choices.TryMatch(value, description, out var choice) ? description.Members.First(member => Equals(member.Value, choice)).ClrValue
            : throw Mismatch(type, value);
    }

    private static Func<object?, object?> FlagsReader(Type type, FieldType single) => value =>
    {
        if (value is null || type.IsInstanceOfType(value))
            return value ?? NullFor(type);
        if (value is not ImmutableArray<object?> names)
            throw Mismatch(type, value);
        var bits = 0UL;
        foreach (var name in names)
        {
            if (!Choices.TryMatch(name, single, out var choice))
                throw Mismatch(type, value);
            bits |= ClrTypeRules.Bits(single.Members.First(member => Equals(member.Value, choice)).ClrValue!);
        }

        return Enum.ToObject(type, bits);
    };

    private static Func<object?, object?> TupleReader(Type type, string? language)
    {
        var readers = type.GetGenericArguments().Select(argument => (Func<object?, object?>)(value => Reader(argument, language)(value))).ToArray();
        var constructor = ClrTuples.Find(type);
        return value =>
        {
            if (value is not ImmutableArray<object?> items || items.Length != readers.Length)
                throw Mismatch(type, value);
            var arguments = new object?[readers.Length];
            for (var i = 0; i < readers.Length; i++)
                arguments[i] = PathException.Within($"[{i}]", readers[i], items[i]);
            return constructor.Invoke(arguments.AsSpan());
        };
    }

    private static object Build(ClrShape shape, FieldMap values)
    {
        if (shape.Constructor is null && !shape.Type.IsValueType)
            throw new PathException($"{shape.Type} has no public constructor whose parameters match its properties");
        var arguments = new object?[shape.Parameters.Length];
        foreach (var member in shape.Members)
        {
            if (member.ParameterIndex >= 0)
                arguments[member.ParameterIndex] = ReadMember(shape, member, values);
        }

        var result = shape.Constructor is null ? Activator.CreateInstance(shape.Type)! : Construct(shape, shape.Constructor, arguments);
        foreach (var member in shape.Members)
        {
            var isGiven = values.ContainsKey(member.Name) || !member.HasDefault;
            if (member is { ParameterIndex: < 0, Setter: not null } && isGiven)
                Set(shape, member, member.Setter, result, ReadMember(shape, member, values));
        }

        return result;
    }

    private static object Construct(ClrShape shape, ConstructorInvoker constructor, object?[] arguments)
    {
        try
        {
            return constructor.Invoke(arguments.AsSpan());
        }
        catch (Exception error)
        {
            throw Refused(shape.Type.Name, error);
        }
    }

    private static void Set(ClrShape shape, ClrMember member, MethodInvoker setter, object target, object? value)
    {
        try
        {
            setter.Invoke(target, value);
        }
        catch (Exception error)
        {
            var refusal = Refused($"{shape.Type.Name}.{member.ClrName}", error);
            refusal.Path = $".{member.Name}";
            throw refusal;
        }
    }

    // A type's own checks speak through exceptions.
    private static PathException Refused(string place, Exception error) =>
        new($"{place} refuses it: {(error is TargetInvocationException { InnerException: { } inner } ? inner : error).Message}");

    private static object? ReadMember(ClrShape shape, ClrMember member, FieldMap values)
    {
        var value = values.TryGetValue(member.Name, out var given) ? given : member.HasDefault ? member.Default : null;
        if (value is null && IsNonNullable(member) && !(member.HasDefault && member.Default is null && given is null))
        {
            var target = $"{shape.Type.Name}.{member.ClrName} ({member.Type.Name})";
            throw new PathException($"{target} must not be null, but no value was given for '{member.Name}'") { Path = $".{member.Name}" };
        }

        return value is null ? null : PathException.Within($".{member.Name}", Reader(member.Type, member.CodeLanguage), value);
    }

    private static bool IsNonNullable(ClrMember member) => member.Type.IsValueType
        ? Nullable.GetUnderlyingType(member.Type) is null
        : member.Nullability.WriteState == NullabilityState.NotNull || member.Nullability.ReadState == NullabilityState.NotNull;

    private static object? NullFor(Type type) => type.IsValueType ? throw new PathException($"expected {type.Name}, found null") : null;

    private static PathException Mismatch(Type type, object? value) =>
        new($"expected {TypeNames.Of(ClrTypes.Of(type))} for {type.Name}, found {FieldConstraints.Shorten(value)}");
}
