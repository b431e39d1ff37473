using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Hone;

/// <content>The form as one type with inputs and outputs.</content>
public sealed partial class Signature
{
    /// <summary>The signature of a type whose properties are marked <see cref="InputAttribute"/> and <see cref="OutputAttribute"/>.</summary>
    /// <typeparam name="T">
    /// A record, class or interface. Types, nullability, bounds (data annotations), defaults and descriptions are read from its properties.
    /// </typeparam>
    /// <param name="instructions">
    /// What to do; when null, the type's <see cref="DescriptionAttribute"/>, which derived types inherit, or a default sentence.
    /// </param>
    /// <exception cref="HoneException">A property is neither input nor output, or has a type that cannot be a field.</exception>
    public static Signature Of<[DynamicallyAccessedMembers(ClrReflection.Members)] T>(string? instructions = null)
    {
        var type = typeof(T);
        var name = NamingRules.TypeName(type);
        var fields = ClrShape.Of(type).Members.Select(member => SignatureReflector.Field(
            member,
            member.Role?.Direction ?? throw new HoneException(
                $"The property '{member.ClrName}' of {type} is neither input nor output. Mark it [Input] or [Output], or [JsonIgnore] to leave "
                + "it out.")));
        return new([.. fields], instructions ?? type.GetCustomAttribute<DescriptionAttribute>(inherit: true)?.Description, name);
    }
}
