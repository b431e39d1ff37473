using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Hone;

/// <summary>What a property holds when nobody sets it, as far as it was declared: the default of its parameter, or its initializer.</summary>
internal static class ClrDefaults
{
    /// <summary>
    /// A parameter's default counts. Without parameters, an initializer counts when it gives something: not null, not the zero of the type, not an empty
    /// text or collection, which are there to please the compiler and no answer to fall back on.
    /// </summary>
    public static (bool HasDefault, object? Value) Of(PropertyInfo property, ParameterInfo? parameter, object? sample)
    {
        if (parameter is { HasDefaultValue: true })
            return (true, Constant(parameter.DefaultValue, parameter.ParameterType));
        var isRequired = property.GetCustomAttribute<RequiredMemberAttribute>() is not null;
        if (sample is null || isRequired || property.SetMethod is null || property.GetValue(sample) is not { } value || IsEmpty(value))
            return (false, null);
        var isZero = property.PropertyType.IsValueType && Nullable.GetUnderlyingType(property.PropertyType) is null && IsZero(value);
        return isZero || !TryCanonical(value, out var canonical) ? (false, null) : (true, canonical);
    }

    /// <summary>An instance as its constructor leaves it; null where there is no constructor without parameters.</summary>
    public static object? CreateSample([DynamicallyAccessedMembers(ClrReflection.Members)] Type type) =>
        type.IsValueType || type.GetConstructor(Type.EmptyTypes) is not null ? Activator.CreateInstance(type) : null;

    private static bool IsEmpty(object value) => value switch
    {
        string text => text.Length == 0,
        FieldMap map => map.Count == 0,
        History history => history.Turns.IsEmpty,
        System.Collections.IEnumerable items => !Any(items),
        _ => false,
    };

    private static bool Any(System.Collections.IEnumerable items)
    {
        try
        {
            var enumerator = items.GetEnumerator();
            using var closing = enumerator as IDisposable;
            return enumerator.MoveNext();
        }
        catch (InvalidOperationException)
        {
            return false; // an immutable array that was never set
        }
    }

    // What a property of the type holds when nothing has set it.
    private static bool IsZero(object value) => value switch
    {
        bool flag => !flag,
        char c => c == '\0',
        Enum member => member.Equals(Enum.ToObject(member.GetType(), 0)),
        nint number => number == 0,
        nuint number => number == 0,
        double number => number == 0,
        float number => number == 0,
        BigInteger number => number.IsZero,
        TimeSpan span => span == default,
        DateTime time => time == default,
        DateTimeOffset time => time == default,
        DateOnly date => date == default,
        TimeOnly time => time == default,
        Guid guid => guid == default,
        IConvertible number => Convert.ToDecimal(number, CultureInfo.InvariantCulture) == 0,
        _ => TryCanonical(value, out var canonical) && IsBlank(canonical),
    };

    // A struct or tuple of nothing but zeros.
    private static bool IsBlank(object? canonical) => canonical switch
    {
        null => true,
        string text => text.Length == 0,
        FieldMap map => map.Values.All(IsBlank),
        ImmutableArray<object?> list => list.All(IsBlank),
        ValueType value => IsZero(value),
        _ => false,
    };

    // What has no canonical form, such as a delegate, is no default.
    private static bool TryCanonical(object value, out object? canonical)
    {
        canonical = null;
        if (value is Delegate)
            return false;
        try
        {
            canonical = ClrValues.ToCanonical(value);
            return true;
        }
        catch (HoneException)
        {
            return false;
        }
    }

    private static object? Constant(object? value, Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (value is not null && type.IsEnum)
        {
            var text = Enum.ToObject(type, value).ToString()!;
            return ClrTypes.MemberOf(type, text) is { } member ? ClrTypes.EnumText(member) : text;
        }

        return value is null ? null : ClrValues.ToCanonical(value);
    }
}
