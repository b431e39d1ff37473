using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace Hone;

/// <summary>
/// Reads bounds from data annotations: <c>[Range]</c>, <c>[MinLength]</c>, <c>[MaxLength]</c>, <c>[Length]</c>, <c>[StringLength]</c>,
/// <c>[RegularExpression]</c>, <c>[Required]</c>, <c>[MultipleOf]</c>. One that Hone cannot keep is refused: a bound that nobody checks is none.
/// </summary>
internal static class ClrConstraints
{
    /// <exception cref="HoneException">An annotation cannot be kept.</exception>
    public static ImmutableArray<FieldConstraint> Read(MemberInfo member, IEnumerable<object> attributes) =>
        [.. attributes.SelectMany(attribute => Read(member, attribute))];

    private static IEnumerable<FieldConstraint> Read(MemberInfo member, object attribute)
    {
        switch (attribute)
        {
            case RangeAttribute range:
                if (Bound(range.Minimum, range.OperandType) is { } minimumValue)
                    yield return new(range.MinimumIsExclusive ? "gt" : "ge", minimumValue);
                if (Bound(range.Maximum, range.OperandType) is { } maximumValue)
                    yield return new(range.MaximumIsExclusive ? "lt" : "le", maximumValue);
                break;
            case MinLengthAttribute minimum:
                yield return new("min_length", (long)minimum.Length);
                break;
            case MaxLengthAttribute { Length: >= 0 } maximum:
                yield return new("max_length", (long)maximum.Length);
                break;
            case LengthAttribute length:
                yield return new("min_length", (long)length.MinimumLength);
                yield return new("max_length", (long)length.MaximumLength);
                break;
            case StringLengthAttribute length:
                if (length.MinimumLength > 0)
                    yield return new("min_length", (long)length.MinimumLength);
                yield return new("max_length", (long)length.MaximumLength);
                break;
            case RegularExpressionAttribute expression:
                yield return new("pattern", $"^(?:{expression.Pattern})$");
                break;
            case MultipleOfAttribute multiple:
                yield return new("multiple_of", multiple.Divisor is < long.MaxValue and var number && number == Math.Truncate(number) ? (long)number : (object)multiple.Divisor);
                break;
            case RequiredAttribute required:
                if (!required.AllowEmptyStrings && member is PropertyInfo { PropertyType: var type } && type == typeof(string))
                    yield return new("min_length", 1L);
                break;
            // AllowedValues is part of the type; a plain DataType says how to show a value, and checks nothing.
            case ValidationAttribute and not AllowedValuesAttribute when attribute.GetType() != typeof(DataTypeAttribute):
                throw new HoneException(
                    $"[{Name(attribute)}] on {member.DeclaringType?.Name}.{member.Name} is an annotation that Hone does not check. Use [Range], [MinLength], [MaxLength], "
                    + "[Length], [StringLength], [RegularExpression], [AllowedValues] or [MultipleOf], or give the type a PromptType<T>.");
            default:
                break;
        }
    }

    private static string Name(object attribute) => attribute.GetType().Name is var name && name.EndsWith("Attribute", StringComparison.Ordinal) ? name[..^9] : name;

    // An infinite bound is none; a bound of a type other than numbers, such as a date, is its text.
    private static object? Bound(object bound, Type type) => bound switch
    {
        int whole => (long)whole,
        double number => double.IsFinite(number) ? number : null,
        string text when type == typeof(decimal) => decimal.Parse(text, CultureInfo.InvariantCulture),
        string text when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => whole,
        string text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        string text => text,
        _ => Convert.ToDouble(bound, CultureInfo.InvariantCulture),
    };
}
