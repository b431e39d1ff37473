using System.Collections.Immutable;

namespace Hone;

/// <summary>Reads <c>"question, context: list[str] -> answer: int"</c>.</summary>
internal static class SignatureParser
{
    public const string DefaultName = "StringSignature";

    public static Signature Parse(string text, string? instructions, TypeRegistry registry)
    {
        RequireOneArrow(text);
        var cursor = new SignatureCursor(text);
        var types = new TypeExpressionParser(cursor, registry);
        var fields = ImmutableArray.CreateBuilder<SignatureField>();
        var positions = new Dictionary<string, int>(StringComparer.Ordinal);
        ParseSide(cursor, types, FieldDirection.Input, fields, positions);
        if (!cursor.TryTake("->"))
            throw cursor.Error($"expected ',' or '->', found {cursor.Found()}.");
        ParseSide(cursor, types, FieldDirection.Output, fields, positions);
        if (!cursor.AtEnd)
            throw cursor.Error($"expected ',' or the end, found {cursor.Found()}.");
        return new Signature(fields, instructions, DefaultName);
    }

    private static void ParseSide(
        SignatureCursor cursor,
        TypeExpressionParser types,
        FieldDirection direction,
        ImmutableArray<SignatureField>.Builder fields,
        Dictionary<string, int> positions)
    {
        bool AtSideEnd() => cursor.AtEnd || (direction == FieldDirection.Input && cursor.Peek() == '-');

        while (!AtSideEnd())
        {
            fields.Add(ParseField(cursor, types, direction, positions));
            if (!cursor.TryTake(','))
                return;
        }
    }

    private static SignatureField ParseField(
        SignatureCursor cursor, TypeExpressionParser types, FieldDirection direction, Dictionary<string, int> positions)
    {
        cursor.Peek();
        var start = cursor.Position;
        var name = cursor.TakeIdentifier() ?? throw cursor.Error(cursor.Peek() is '*' or '/'
            ? $"'{cursor.Peek()}' markers are not supported; list the fields by name."
            : $"expected a field name, found {cursor.Found()}.");
        if (name[0] == '_')
            throw cursor.ErrorAt(start, $"the field name '{name}' starts with an underscore; use '{name.TrimStart('_')}'.");
        if (!positions.TryAdd(name, start))
        {
            throw cursor.ErrorAt(
                start, $"the field '{name}' is already declared at position {positions[name]}. Give each input and output its own name.");
        }

        var hasType = cursor.TryTake(':');
        var type = hasType ? types.Parse() : FieldType.String;
        if (cursor.Peek() == '=')
            throw cursor.Error($"default values are not supported in a signature string; set the default of '{name}' with WithUpdatedField.");
        return new SignatureField(name, type, direction) { IsTypeUndefined = !hasType };
    }

    // Arrows inside quotes or brackets belong to literals.
    private static void RequireOneArrow(string text)
    {
        var (depth, first) = (0, -1);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is '\'' or '"')
                i = SkipQuoted(text, i);
            else if (c is '[' or '(' or '<')
                depth++;
            else if (c is ']' or ')')
                depth = depth > 0 ? depth - 1 : throw new SignatureFormatException(text, i, $"found '{c}' without an opening bracket before it.");
            else if (c == '>' && (i == 0 || text[i - 1] != '-'))
                depth = Math.Max(0, depth - 1);
            else if (depth == 0 && c == '-' && i + 1 < text.Length && text[i + 1] == '>')
                first = first < 0 ? i
                    : throw new SignatureFormatException(text, i, $"a second '->'; the first is at position {first}. Write exactly one.");
        }

        if (first < 0)
            throw new SignatureFormatException(text, text.Length, "there is no '->' between inputs and outputs, as in 'question -> answer'.");
    }

    private static int SkipQuoted(string text, int open)
    {
        for (var i = open + 1; i < text.Length; i++)
        {
            if (text[i] == '\\')
                i++;
            else if (text[i] == text[open])
                return i;
        }

        return text.Length;
    }
}
