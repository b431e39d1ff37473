using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;

namespace Hone;

/// <summary>What a type description may hold, so that it can be written as text and read back.</summary>
internal static class FieldTypeRules
{
    public static void CheckName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!name.Split('.').All(NamingRules.IsIdentifier))
            throw new HoneException($"'{name}' is no type name. Use letters, digits and underscores, not starting with a digit.");
    }

    public static void CheckMembers(string name, ImmutableArray<EnumMember> members)
    {
        if (members.IsDefaultOrEmpty)
            throw new HoneException($"The enumeration '{name}' has no members, so no value can ever fit it.");
        foreach (var member in members)
        {
            if (member.Value is not (string or long or int or BigInteger))
                throw new HoneException($"The member '{member.Name}' of '{name}' has the value {member.Value}; use text or a whole number.");
        }
    }

    public static void CheckProperties(string name, ImmutableArray<ObjectProperty> properties)
    {
        for (var i = 0; i < properties.Length; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (properties[i].Name == properties[j].Name)
                    throw new HoneException($"The object type '{name}' has the property '{properties[i].Name}' twice.");
            }
        }
    }

    /// <summary>The canonical form of a literal value.</summary>
    public static object? Literal(object? value) => value switch
    {
        null or string or bool or long or BigInteger => value,
        sbyte or byte or short or ushort or int or uint => Convert.ToInt64(value, CultureInfo.InvariantCulture),
        ulong number => number <= long.MaxValue ? (long)number : new BigInteger(number),
        double number when double.IsFinite(number) => number,
        float number when float.IsFinite(number) => double.Parse(number.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
        decimal number => (double)number,
        _ => throw new HoneException(
            $"'{value}' ({value.GetType().Name}) cannot be a literal value; use text, a finite number, true, false or null."),
    };
}
