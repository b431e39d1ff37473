using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Hone;

/// <summary>Bounds on values: how they are told to the model, and whether a value keeps them.</summary>
internal static class FieldConstraints
{
    private static readonly TimeSpan PatternTimeout = TimeSpan.FromSeconds(1);

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

    /// <summary>
    /// What is wrong with the value of a field, the values inside it included: <c>$.people[2].age: 200 breaks the bound '…'</c>. For values that no
    /// coercion has checked, such as inputs.
    /// </summary>
    public static string? Check(SignatureField field, object? value)
    {
        if (Check(field.Constraints, value) is { } broken)
            return $"$: {broken}";
        var failure = default(CoercionFailure);
        return Inside(field.Type, value, ref failure) ? null : $"${failure.Path}: {failure.Reason}";
    }

    /// <summary>Why a bound can never be checked; null when it can.</summary>
    public static string? Refusal(FieldConstraint constraint)
    {
        var isFit = constraint.Kind switch
        {
            "gt" or "ge" or "lt" or "le" => Bounds.IsNumber(constraint.Value) || constraint.Value is string || Bounds.IsTime(constraint.Value),
            "multiple_of" => Bounds.IsNumber(constraint.Value) && Bounds.Compare(constraint.Value, 0L) > 0,
            "min_length" or "max_length" => Bounds.IsNumber(constraint.Value) && Bounds.Compare(constraint.Value, 0L) >= 0,
            "allow_inf_nan" => constraint.Value is bool,
            "pattern" => constraint.Value is string pattern && IsPattern(pattern),
            _ => (bool?)null,
        };
        return isFit switch
        {
            true => null,
            false => $"the value {Shorten(constraint.Value)} is none for the bound '{constraint.Kind}'.",
            null => $"there is no bound '{constraint.Kind}'. Known: gt, ge, lt, le, min_length, max_length, multiple_of, allow_inf_nan, pattern.",
        };
    }

    /// <summary>The JSON Schema keyword of a bound on this type, or null when the schema cannot say it.</summary>
    public static string? SchemaKeyword(FieldConstraint constraint, FieldType type) => (constraint.Kind, type.Kind) switch
    {
        ("gt", FieldTypeKind.Integer or FieldTypeKind.Number or FieldTypeKind.Decimal) => "exclusiveMinimum",
        ("ge", FieldTypeKind.Integer or FieldTypeKind.Number or FieldTypeKind.Decimal) => "minimum",
        ("lt", FieldTypeKind.Integer or FieldTypeKind.Number or FieldTypeKind.Decimal) => "exclusiveMaximum",
        ("le", FieldTypeKind.Integer or FieldTypeKind.Number or FieldTypeKind.Decimal) => "maximum",
        ("multiple_of", FieldTypeKind.Integer or FieldTypeKind.Number or FieldTypeKind.Decimal) => "multipleOf",
        ("pattern", FieldTypeKind.String) => "pattern",
        ("min_length", FieldTypeKind.String) => "minLength",
        ("max_length", FieldTypeKind.String) => "maxLength",
        ("min_length", FieldTypeKind.List or FieldTypeKind.Set) => "minItems",
        ("max_length", FieldTypeKind.List or FieldTypeKind.Set) => "maxItems",
        ("min_length", FieldTypeKind.Dictionary) => "minProperties",
        ("max_length", FieldTypeKind.Dictionary) => "maxProperties",
        _ => null,
    };

    /// <summary>A value cut to a length that fits an error message.</summary>
    public static string Shorten(object? value)
    {
        if (value is string { Length: > 80 } whole)
            value = whole[..80];
        var json = new System.Text.StringBuilder();
        JsonText.Write(json, value, static each => each.ToString()!);
        var text = json.ToString();
        return text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 77), "...");
    }

    // Values inside lists, dictionaries and objects; the value decides how deep this goes.
    private static bool Inside(FieldType type, object? value, ref CoercionFailure failure)
    {
        switch (type.Kind)
        {
            case FieldTypeKind.Object or FieldTypeKind.Reference when value is FieldMap map:
                return InsideObject(type.Resolved, map, ref failure);
            case FieldTypeKind.List or FieldTypeKind.Set or FieldTypeKind.Tuple when value is ImmutableArray<object?> list:
                for (var i = 0; i < list.Length; i++)
                {
                    var item = type.Arguments[type.Kind == FieldTypeKind.Tuple ? Math.Min(i, type.Arguments.Length - 1) : 0];
                    if (!Inside(item, list[i], ref failure))
                        return failure.Under($"[{i}]");
                }

                return true;
            case FieldTypeKind.Dictionary when value is FieldMap map:
                foreach (var (name, item) in map)
                {
                    if (!Inside(type.Arguments[1], item, ref failure))
                        return failure.Under($".{name}");
                }

                return true;
            case FieldTypeKind.Union when TypeHints.OptionalOf(type) is { } inner:
                return Inside(inner, value, ref failure);
            case FieldTypeKind.Union:
                return InsideAlternative(type, value, ref failure);
            default:
                return true;
        }
    }

    // Of the alternatives that the value may be of, one has to take it; what is wrong is said of the first.
    private static bool InsideAlternative(FieldType type, object? value, ref CoercionFailure failure)
    {
        var isRefused = false;
        foreach (var alternative in type.Arguments)
        {
            if (!MayBe(alternative.Resolved, value))
                continue;
            var reason = default(CoercionFailure);
            if (Inside(alternative, value, ref reason))
                return true;
            if (!isRefused)
                failure = reason;
            isRefused = true;
        }

        return !isRefused;
    }

    private static bool MayBe(FieldType type, object? value) => value switch
    {
        FieldMap map when type.Kind == FieldTypeKind.Object =>
            map.Keys.All(name => type.Properties.Any(property => property.Name == name))
            && type.Properties.All(property => !property.IsRequired || map.ContainsKey(property.Name)),
        FieldMap => type.Kind == FieldTypeKind.Dictionary,
        ImmutableArray<object?> => type.Kind is FieldTypeKind.List or FieldTypeKind.Set or FieldTypeKind.Tuple,
        _ => false,
    };

    private static bool InsideObject(FieldType type, FieldMap map, ref CoercionFailure failure)
    {
        foreach (var property in type.Properties)
        {
            if (!map.TryGetValue(property.Name, out var value))
                continue;
            if (Check(property.Constraints, value) is { } broken)
            {
                failure.Set(broken);
                return failure.Under($".{property.Name}");
            }

            if (!Inside(property.Type, value, ref failure))
                return failure.Under($".{property.Name}");
        }

        return true;
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
            "pattern" => "matching the pattern",
            _ => constraint.Kind,
        };
        var bound = constraint.Value is string text ? text : JsonText.Write(constraint.Value);
        return $"{label}: {bound}";
    }

    private static bool Holds(FieldConstraint constraint, object value) => constraint.Kind switch
    {
        "gt" => Bounds.Compare(value, constraint.Value) is not (<= 0 or Bounds.Unordered),
        "ge" => Bounds.Compare(value, constraint.Value) is not (< 0 or Bounds.Unordered),
        "lt" => Bounds.Compare(value, constraint.Value) is not (>= 0 or Bounds.Unordered),
        "le" => Bounds.Compare(value, constraint.Value) is not (> 0 or Bounds.Unordered),
        "multiple_of" => Bounds.IsMultiple(value, constraint.Value),
        "min_length" => Length(value) is not { } length || Bounds.Compare(length, constraint.Value) is not < 0,
        "max_length" => Length(value) is not { } length || Bounds.Compare(length, constraint.Value) is not > 0,
        "allow_inf_nan" => constraint.Value is not false || value is not double number || double.IsFinite(number),
        "pattern" => value is not string text || constraint.Value is not string pattern || Matches(text, pattern),
        _ => true,
    };

    private static bool IsPattern(string pattern)
    {
        try
        {
            Matches(string.Empty, pattern);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static bool Matches(string text, string pattern)
    {
        try
        {
            return Regex.IsMatch(text, pattern, RegexOptions.CultureInvariant, PatternTimeout);
        }
        catch (RegexMatchTimeoutException)
        {
            // A text that a pattern cannot be matched against in time is no match.
            return false;
        }
    }

    // Text is counted in characters, as JSON Schema does: a pair of surrogates is one.
    private static long? Length(object value) => value switch
    {
        string text => text.Length - Surrogates(text),
        FieldMap map => map.Count,
        ImmutableArray<object?> list => list.Length,
        byte[] bytes => bytes.Length,
        _ => null,
    };

    private static int Surrogates(string text)
    {
        var count = 0;
        for (var i = 1; i < text.Length; i++)
            count += char.IsSurrogatePair(text[i - 1], text[i]) ? 1 : 0;
        return count;
    }
}
