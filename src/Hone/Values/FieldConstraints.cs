using System.Collections.Immutable;
using System.Globalization;

namespace Hone;

/// <summary>Bounds on values: how they are told to the model, and whether a value keeps them.</summary>
internal static class FieldConstraints
{
    /// <summary>The bounds in words, comma separated; empty when there are none.</summary>
    public static string Describe(ImmutableArray<FieldConstraint> constraints) => string.Join(", ", constraints.Select(Describe));

    /// <summary>What is wrong with a value, or null when it keeps every bound. Null values are not checked.</summary>
    public static string? Check(ImmutableArray<FieldConstraint> constraints, object? value)
    {
        if (value is null)
            return null;
        foreach (var constraint in constraints)
        {
            if (!Holds(constraint, value))
                return $"{Shorten(value)} breaks the bound '{Describe(constraint)}'";
        }

        return null;
    }

    /// <summary>The JSON Schema keyword of a bound, or null when the schema cannot say it.</summary>
    public static string? SchemaKeyword(FieldConstraint constraint, FieldType type) => constraint.Kind switch
    {
        "gt" => "exclusiveMinimum",
        "ge" => "minimum",
        "lt" => "exclusiveMaximum",
        "le" => "maximum",
        "multiple_of" => "multipleOf",
        "min_length" => IsText(type) ? "minLength" : "minItems",
        "max_length" => IsText(type) ? "maxLength" : "maxItems",
        _ => null,
    };

    /// <summary>A value cut to a length that fits an error message.</summary>
    public static string Shorten(object? value)
    {
        var json = new System.Text.StringBuilder();
        JsonText.Write(json, value, static each => each.ToString()!);
        var text = json.ToString();
        return text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 77), "...");
    }

    private static string Describe(FieldConstraint constraint)
    {
        var label = constraint.Kind switch
        {
            "gt" => "greater than",
            "ge" => "greater than or equal to",
            "lt" => "less than",
            "le" => "less than or equal to",
            "min_length" => "minimum length",
            "max_length" => "maximum length",
            "multiple_of" => "a multiple of",
            "allow_inf_nan" => "allow infinite values and NaN",
            _ => constraint.Kind,
        };
        return $"{label}: {JsonText.Write(constraint.Value)}";
    }

    private static bool Holds(FieldConstraint constraint, object value) => constraint.Kind switch
    {
        "gt" => Number(value) is not { } number || number > Bound(constraint),
        "ge" => Number(value) is not { } number || number >= Bound(constraint),
        "lt" => Number(value) is not { } number || number < Bound(constraint),
        "le" => Number(value) is not { } number || number <= Bound(constraint),
        "multiple_of" => Number(value) is not { } number || Math.Abs(Math.IEEERemainder(number, Bound(constraint))) < 1e-9,
        "min_length" => Length(value) is not { } length || length >= Bound(constraint),
        "max_length" => Length(value) is not { } length || length <= Bound(constraint),
        "allow_inf_nan" => constraint.Value is not false || value is not double number || double.IsFinite(number),
        _ => true,
    };

    private static bool IsText(FieldType type) => (TypeHints.OptionalOf(type) ?? type).Kind == FieldTypeKind.String;

    private static double Bound(FieldConstraint constraint) => Convert.ToDouble(constraint.Value, CultureInfo.InvariantCulture);

    private static double? Number(object value) => value switch
    {
        long number => number,
        double number => number,
        decimal number => (double)number,
        System.Numerics.BigInteger number => (double)number,
        _ => null,
    };

    private static int? Length(object value) => value switch
    {
        string text => text.Length,
        FieldMap map => map.Count,
        ImmutableArray<object?> list => list.Length,
        byte[] bytes => bytes.Length,
        _ => null,
    };
}
