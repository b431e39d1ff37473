using System.Collections.Immutable;

namespace Hone;

/// <summary>Turns what a model wrote into a canonical value of a field's type.</summary>
internal static class ValueCoercer
{
    /// <summary>The canonical value.</summary>
    /// <param name="raw">Text of a completion, or a value that JSON parsing gave.</param>
    /// <param name="type">The type to reach.</param>
    /// <exception cref="ValueCoercionException">The value does not fit; the error has the JSON path.</exception>
    public static object? Coerce(object? raw, FieldType type)
    {
        var failure = default(CoercionFailure);
        return TryCoerce(raw, type, out var value, ref failure) ? value : throw failure.ToException();
    }

    /// <summary>As <see cref="TryCoerce"/>, for a value that JSON has typed already: its text is text, whatever it looks like.</summary>
    public static bool TryCoerceJson(object? raw, FieldType type, out object? value, ref CoercionFailure failure)
    {
        var ignored = default(CoercionFailure);
        return (raw is string && TypeValidator.TryValidate(raw, type, isStrict: true, out value, ref ignored))
            || TryCoerce(raw, type, out value, ref failure);
    }

    public static bool TryCoerce(object? raw, FieldType type, out object? value, ref CoercionFailure failure)
    {
        if (raw is string text)
            return TryText(text, type, out value, ref failure);
        if (type.Kind == FieldTypeKind.String && raw is not null)
        {
            value = ValueFormatter.Format(raw, FieldType.Any);
            return true;
        }

        return TypeValidator.TryValidate(raw, type, isStrict: false, out value, ref failure);
    }

    private static bool TryText(string text, FieldType type, out object? value, ref CoercionFailure failure)
    {
        switch (type.Kind)
        {
            case FieldTypeKind.String:
                value = text;
                return true;
            case FieldTypeKind.Any:
                value = ReadAny(text);
                return true;
            case FieldTypeKind.Enum or FieldTypeKind.Literal:
                return Choices.TryMatch(text, type, out value) || Fail(out value, failure.Expected(type, text));
            case var kind when SpecialValidator.IsText(kind):
                return SpecialValidator.TryValidate(Unwrapped(text, kind), type, isStrict: false, out value, ref failure);
            case FieldTypeKind.Union when TryChoice(text, type, out value):
                return true;
            case FieldTypeKind.Union when TypeHints.OptionalOf(type) is { } special && SpecialValidator.IsText(special.Kind):
                value = null;
                return IsNullWord(text) || TryText(text, special, out value, ref failure);
            case FieldTypeKind.Union when type.Arguments.Contains(FieldType.String) && type.AdmitsNull:
                value = IsNullWord(text) ? null : text;
                return true;
            default:
                break;
        }

        if (TryStructured(text, type, out value, ref failure))
            return true;

        // Markup around a single value carries no meaning: **42**, `yes`, a fence.
        var first = failure;
        if (Markup.TryUnwrap(text, out var inner) && TryStructured(inner, type, out value, ref failure))
            return true;
        failure = first;
        return false;
    }

    private static bool TryStructured(string text, FieldType type, out object? value, ref CoercionFailure failure)
    {
        if (TryScalarFast(text, type, out value))
            return true;
        var candidate = ReadAny(text);
        if (TypeValidator.TryValidate(candidate, type, isStrict: false, out value, ref failure))
            return true;
        if (candidate is string)
            return false;

        // Prose with brackets in it is still text when the type allows text, and digits may be base-64.
        var ignored = default(CoercionFailure);
        return type.Kind is FieldTypeKind.Union or FieldTypeKind.Bytes && TypeValidator.TryValidate(text, type, isStrict: false, out value, ref ignored);
    }

    private static bool TryScalarFast(string text, FieldType type, out object? value)
    {
        value = null;
        return type.Kind switch
        {
            FieldTypeKind.Integer => ScalarReader.TryInteger(text, out value) && IntegerRange.Holds(value, type),
            FieldTypeKind.Number => ScalarReader.TryNumber(text, out value),
            FieldTypeKind.Decimal => ScalarReader.TryDecimal(text, out value),
            FieldTypeKind.Boolean => ScalarReader.TryBoolean(text, out value),
            _ => false,
        };
    }

    // Repaired JSON, else a Python literal, else the text itself.
    private static object? ReadAny(string text)
    {
        var trimmed = text.AsSpan().Trim();
        if (trimmed.IsEmpty)
            return text;
        if (trimmed[0] == '(' && PythonLiterals.TryParse(text, out var tuple))
            return tuple;
        var repaired = JsonRepair.Parse(text);
        if (repaired.Found)
            return repaired.Value;
        return PythonLiterals.TryParse(text, out var literal) ? literal : text;
    }

    // A text that is one of the choices is that choice, whatever else it looks like.
    private static bool TryChoice(string text, FieldType type, out object? value)
    {
        value = null;
        foreach (var alternative in type.Arguments)
        {
            if (alternative.Kind is FieldTypeKind.Enum or FieldTypeKind.Literal && Choices.TryExact(text, alternative, out value))
                return true;
        }

        return TypeHints.OptionalOf(type) is { Kind: FieldTypeKind.Enum or FieldTypeKind.Literal } only
            && !IsNullWord(text) && Choices.TryMatch(text, only, out value);
    }

    // Models that think in JSON write {"code": "…"}, {"content": "…"} or {"url": "…"}; anything else is the text itself.
    private static object? Unwrapped(string text, FieldTypeKind kind)
    {
        if (kind == FieldTypeKind.Custom || !text.AsSpan().TrimStart().StartsWith("{"))
            return text;
        var repaired = JsonRepair.Parse(text);
        if (!repaired.Found || repaired.Value is not FieldMap map)
            return text;
        var isWrapper = kind switch
        {
            FieldTypeKind.Code => map.Count == 1 && map.GetValueOrDefault("code") is string,
            FieldTypeKind.Reasoning => map.Count == 1 && map.GetValueOrDefault("content") is string,
            _ => true,
        };
        return isWrapper ? map : text;
    }

    private static bool IsNullWord(string text) => text.AsSpan().Trim() is "null" or "None";

    private static bool Fail(out object? value, bool failed)
    {
        value = null;
        return failed;
    }
}
