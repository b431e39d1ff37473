using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace Hone;

/// <summary>
/// Reads bounds from data annotations: <c>[Range]</c>, <c>[MinLength]</c>, <c>[MaxLength]</c>, <c>[Length]</c>, <c>[StringLength]</c>,
/// <c>[RegularExpression]</c>.
/// </summary>
internal static class ClrConstraints
{
    public static ImmutableArray<FieldConstraint> Read(IEnumerable<object> attributes) => [.. attributes.SelectMany(Read)];

    private static IEnumerable<FieldConstraint> Read(object attribute)
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
            default:
                break;
        }
    }

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
