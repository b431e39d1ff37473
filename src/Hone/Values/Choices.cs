using System.Collections.Immutable;

namespace Hone;

/// <summary>Matches a value against the members of an enumeration or a literal type.</summary>
internal static class Choices
{
    /// <summary>Only the very values.</summary>
    public static bool TryExact(object? raw, FieldType type, out object? value)
    {
        foreach (var choice in Values(type))
        {
            if (Same(choice, raw))
            {
                value = choice;
                return true;
            }
        }

        value = null;
        return false;
    }

    /// <summary>
    /// The value; for text also a member's name, the text form of a number or word, a wrapper such as <c>Literal['a']</c>, one pair of quotes,
    /// other letter case and markup, as long as the choice is unambiguous.
    /// </summary>
    public static bool TryMatch(object? raw, FieldType type, out object? value)
    {
        if (TryExact(raw, type, out value))
            return true;
        if (raw is not string text)
            return TryNumber(raw, type, out value);
        var trimmed = text.Trim();
        if (TryText(trimmed, type, out value))
            return true;
        var inner = Unquote(Unwrap(trimmed));
        if (TryText(inner, type, out value))
            return true;
        return Markup.TryUnwrap(inner, out inner) && TryText(inner.Trim(), type, out value);
    }

    private static IEnumerable<object?> Values(FieldType type) =>
        type.Kind == FieldTypeKind.Enum ? type.Members.Select(member => member.Value) : type.Literals;

    private static bool TryText(string text, FieldType type, out object? value) =>
        TryExact(text, type, out value) || TryName(text, type, out value) || TryTextForm(text, type, out value)
            || TryOtherCase(text, type, out value);

    private static bool TryName(string text, FieldType type, out object? value)
    {
        foreach (var member in type.Members)
        {
            if (string.Equals(member.Name, text, StringComparison.Ordinal))
            {
                value = member.Value;
                return true;
            }
        }

        value = null;
        return false;
    }

    // "1" for the number 1, "true" or "True" for the boolean, "null" or "None" for null.
    private static bool TryTextForm(string text, FieldType type, out object? value)
    {
        foreach (var choice in Values(type))
        {
            if (choice is not string && (TypeNames.LiteralText(choice) == text || TypeExpressionWriter.Literal(choice) == text))
            {
                value = choice;
                return true;
            }
        }

        value = null;
        return ScalarReader.TryNumber(text, out var number) && TryNumber(number, type, out value);
    }

    private static bool TryNumber(object? raw, FieldType type, out object? value)
    {
        value = null;
        if (raw is not (double or decimal or System.Numerics.BigInteger) || !ScalarReader.TryInteger(raw, out var whole))
            return false;
        return TryExact(whole, type, out value);
    }

    private static bool TryOtherCase(string text, FieldType type, out object? value)
    {
        var matches = Values(type).OfType<string>().Where(choice => string.Equals(choice, text, StringComparison.OrdinalIgnoreCase))
            .Concat(type.Members.Where(member => string.Equals(member.Name, text, StringComparison.OrdinalIgnoreCase)).Select(member => member.Value))
            .Distinct()
            .Take(2)
            .ToList();
        value = matches.Count == 1 ? matches[0] : null;
        return matches.Count == 1;
    }

    private static string Unwrap(string text)
    {
        foreach (var opening in (ReadOnlySpan<string>)["Literal[", "str["])
        {
            if (text.StartsWith(opening, StringComparison.Ordinal) && text.EndsWith(']'))
                return text[opening.Length..^1].Trim();
        }

        return text;
    }

    private static string Unquote(string text) =>
        text.Length >= 2 && text[0] is '"' or '\'' && text[^1] == text[0] ? text[1..^1] : text;

    private static bool Same(object? choice, object? raw) => (choice, raw) switch
    {
        (int a, long b) => a == b,
        _ => Equals(choice, raw),
    };
}
