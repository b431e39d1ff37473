using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace Hone;

/// <summary>
/// Reads bounds from data annotations: <c>[Range]</c>, <c>[MinLength]</c>, <c>[MaxLength]</c>, <c>[Length]</c>, <c>[StringLength]</c>.
/// </summary>
internal static class ClrConstraints
{
    public static ImmutableArray<FieldConstraint> Read(IEnumerable<object> attributes) => [.. attributes.SelectMany(Read)];

    private static IEnumerable<FieldConstraint> Read(object attribute)
    {
        switch (attribute)
        {
            case RangeAttribute range:
                yield return new(range.MinimumIsExclusive ? "gt" : "ge", Number(range.Minimum));
                yield return new(range.MaximumIsExclusive ? "lt" : "le", Number(range.Maximum));
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
            default:
                break;
        }
    }

    private static object Number(object bound) => bound switch
    {
        int whole => (object)(long)whole,
        string text => double.Parse(text, CultureInfo.InvariantCulture),
        _ => Convert.ToDouble(bound, CultureInfo.InvariantCulture),
    };
}
