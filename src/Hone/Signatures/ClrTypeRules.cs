using System.Globalization;

namespace Hone;

/// <summary>Which .NET types can be fields.</summary>
internal static class ClrTypeRules
{
    private const int MaximumDepth = 40;

    /// <summary>Refuses types whose properties are no data.</summary>
    /// <exception cref="HoneException">The type cannot be a field.</exception>
    public static void Check(Type type, int depth)
    {
        var isPair = type.IsGenericType && type.GetGenericTypeDefinition() == typeof(KeyValuePair<,>);
        if (typeof(Delegate).IsAssignableFrom(type) || type.IsPointer || type.IsByRef || (IsOfTheFramework(type) && !isPair))
        {
            throw new HoneException(
                $"{type} cannot be the type of a field. Use text, numbers, dates, enums, lists, dictionaries, records of those, or say how it is "
                + "shown and read: with a PromptType<T> on the type, or TypeSupport.RegisterPromptType for a type that is not yours.");
        }

        if (depth > MaximumDepth)
            throw new HoneException(
                $"{type} is nested more than {MaximumDepth} types deep. Does a generic type contain an ever larger one of itself?");
    }

    public static bool IsFlags(Type type) => type.IsDefined(typeof(FlagsAttribute), inherit: false);

    /// <summary>The bits of an enum value.</summary>
    public static ulong Bits(object value) => Enum.GetUnderlyingType(value.GetType()) == typeof(ulong)
        ? Convert.ToUInt64(value, CultureInfo.InvariantCulture)
        : unchecked((ulong)Convert.ToInt64(value, CultureInfo.InvariantCulture));

    /// <summary>True for types of .NET itself.</summary>
    public static bool IsOfTheFramework(Type type) =>
        type.Namespace is { } name && (name == "System" || name.StartsWith("System.", StringComparison.Ordinal));
}
