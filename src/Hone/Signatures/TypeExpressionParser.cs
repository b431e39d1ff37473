using System.Collections.Immutable;
using System.Globalization;

namespace Hone;

/// <summary>
/// Reads a type expression in Python or C# spelling: <c>list[str]</c>, <c>List&lt;string&gt;</c>, <c>int?</c>, <c>A | B</c>, <c>Literal['a', 1]</c>.
/// The set of names is closed: built-in words and the types registered by the caller. Nothing is ever loaded by name.
/// </summary>
internal sealed class TypeExpressionParser(SignatureCursor cursor, TypeRegistry registry)
{
    private const int MaximumDepth = 64;

    private int depth;

    /// <summary>Reads one type, alternatives included, and leaves the cursor behind it.</summary>
    public FieldType Parse()
    {
        if (++depth > MaximumDepth)
            throw cursor.Error($"types are nested more than {MaximumDepth} deep.");
        var alternatives = ImmutableArray.CreateBuilder<FieldType>();
        do
            alternatives.Add(ParseSuffixed());
        while (cursor.TryTake('|'));
        depth--;
        return FieldType.UnionOf(alternatives.ToImmutable());
    }

    private FieldType ParseSuffixed()
    {
        var type = ParsePrimary();
        while (true)
        {
            if (cursor.TryTake('?'))
                type = FieldType.Optional(type);
            else if (cursor.TryTake("[]"))
                type = FieldType.ListOf(type);
            else
                return type;
        }
    }

    private FieldType ParsePrimary()
    {
        if (cursor.TryTake('('))
        {
            var inner = Parse();
            return cursor.Peek() == ',' ? ParseParenthesizedTuple(inner) : Closed(inner);
        }

        cursor.Peek();
        var start = cursor.Position;
        var name = cursor.TakeIdentifier() ?? throw cursor.Error($"expected a type, found {cursor.Found()}. {Known()}");
        var qualified = name;
        while (cursor.Peek() == '.' && cursor.TryTake('.'))
        {
            var member = cursor.TakeIdentifier() ?? throw cursor.Error($"expected a type name behind '{qualified}.', found {cursor.Found()}.");
            name = TypeWords.Modules.TryGetValue(qualified, out var members) && members.Contains(member) ? member : $"{qualified}.{member}";
            qualified = $"{qualified}.{member}";
        }

        if (registry.Find(qualified, out var others) is { } registered)
            return registered;
        if (others is not null)
            throw cursor.ErrorAt(start, $"several registered types are called '{qualified}': {others}. Write the full name.");
        if (name == "byte" && cursor.TryTake("[]"))
            return FieldType.Simple(FieldTypeKind.Bytes);
        if (TypeWords.Simple.TryGetValue(name, out var simple))
            return simple.Kind == FieldTypeKind.Code ? ParseCode() : simple;
        if (TypeWords.Containers.TryGetValue(name, out var kind))
            return ParseContainer(name, kind, start);
        throw cursor.ErrorAt(start, $"there is no type '{qualified}'. {Known()}");
    }

    private FieldType Closed(FieldType inner)
    {
        cursor.Expect(')', "to close the parenthesis");
        return inner;
    }

    // C# writes a tuple as (int, string).
    private FieldType ParseParenthesizedTuple(FieldType first)
    {
        var items = ImmutableArray.CreateBuilder<FieldType>();
        items.Add(first);
        while (cursor.TryTake(',') && cursor.Peek() != ')')
            items.Add(Parse());
        return Closed(FieldType.TupleOf(items.ToImmutable()));
    }

    private FieldType ParseContainer(string name, FieldTypeKind kind, int start)
    {
        if (kind == FieldTypeKind.Literal)
            return ParseLiteral(name);
        if (!TryOpen(out var close))
        {
            return kind switch
            {
                FieldTypeKind.List or FieldTypeKind.Tuple => FieldType.ListOf(FieldType.Any),
                FieldTypeKind.Set => FieldType.SetOf(FieldType.Any),
                FieldTypeKind.Dictionary => FieldType.DictionaryOf(FieldType.String, FieldType.Any),
                _ => throw cursor.ErrorAt(start, $"'{name}' needs types in brackets, such as {name}[int, str]."),
            };
        }

        var (arguments, isVariadic) = ParseArguments(close);
        if (isVariadic && (kind != FieldTypeKind.Tuple || arguments.Length != 1))
            throw cursor.ErrorAt(start, "'...' may only follow the single type of a tuple, as in tuple[int, ...].");
        return (kind, name, arguments.Length) switch
        {
            (FieldTypeKind.List, _, 1) => FieldType.ListOf(arguments[0]),
            (FieldTypeKind.Set, _, 1) => FieldType.SetOf(arguments[0]),
            (FieldTypeKind.Tuple, _, 1) when isVariadic => FieldType.ListOf(arguments[0]),
            (FieldTypeKind.Tuple, _, > 0) => FieldType.TupleOf(arguments),
            (FieldTypeKind.Dictionary, _, 2) => FieldType.DictionaryOf(arguments[0], arguments[1]),
            (FieldTypeKind.Union, "Optional" or "Nullable", 1) => FieldType.Optional(arguments[0]),
            (FieldTypeKind.Union, "Union", > 0) => FieldType.UnionOf(arguments),
            _ => throw cursor.ErrorAt(start, $"'{name}' takes {Arity(kind, name)}, found {arguments.Length}."),
        };
    }

    private (ImmutableArray<FieldType> Arguments, bool IsVariadic) ParseArguments(char close)
    {
        var arguments = ImmutableArray.CreateBuilder<FieldType>();
        while (!cursor.TryTake(close))
        {
            if (arguments.Count > 0)
            {
                cursor.Expect(',', $"or '{close}' between types");
                if (cursor.TryTake(close))
                    break;
                if (cursor.TryTake("..."))
                {
                    cursor.Expect(close, "behind '...'");
                    return (arguments.ToImmutable(), true);
                }
            }

            arguments.Add(Parse());
        }

        return (arguments.ToImmutable(), false);
    }

    private FieldType ParseLiteral(string name)
    {
        cursor.Peek();
        var start = cursor.Position;
        var close = cursor.TryTake('(') ? ')'
            : TryOpen(out var bracket) ? bracket
            : throw cursor.Error($"'{name}' needs values in brackets, such as Literal['yes', 'no'].");
        var values = ImmutableArray.CreateBuilder<object?>();
        while (!cursor.TryTake(close))
        {
            if (values.Count > 0)
            {
                cursor.Expect(',', $"or '{close}' between literal values");
                if (cursor.TryTake(close))
                    break;
            }

            var value = ParseLiteralValue();
            if (!values.Contains(value))
                values.Add(value);
        }

        return values.Count > 0 ? FieldType.LiteralOf(values.ToImmutable()) : throw cursor.ErrorAt(start, $"'{name}' has no values.");
    }

    private object? ParseLiteralValue()
    {
        if (cursor.Peek() is '\'' or '"')
            return cursor.TakeQuoted();
        var start = cursor.Position;
        if (cursor.TakeNumber() is { } number)
        {
            if (number.AsSpan().IndexOfAny(".eExX") < 0 && ScalarReader.TryInteger(number, out var whole))
                return whole;
            if (double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real))
                return real;
            throw cursor.ErrorAt(start, $"'{number}' is not a number.");
        }

        return cursor.TakeIdentifier() switch
        {
            "True" or "true" => true,
            "False" or "false" => false,
            "None" or "null" => null,
            _ => throw cursor.ErrorAt(start, "a literal value is quoted text, a number, True, False or None."),
        };
    }

    // `Code`, `Code["java"]` or `Code[java]`; the language may hold characters that no identifier has, such as c++.
    private FieldType ParseCode()
    {
        if (!TryOpen(out var close))
            return FieldType.CodeIn();
        cursor.Peek();
        var start = cursor.Position;
        var language = cursor.Peek() is '\'' or '"' ? cursor.TakeQuoted() : cursor.TakeUntil(close).Trim();
        if (string.IsNullOrWhiteSpace(language))
            throw cursor.ErrorAt(start, "Code needs the name of a language in its brackets, such as Code['java'].");
        cursor.Expect(close, "behind the language");
        return FieldType.CodeIn(language);
    }

    // `list[int]` and `List<int>`, but not the suffix of `list[]`.
    private bool TryOpen(out char close)
    {
        close = ']';
        if (cursor.TryTake("[]"))
            throw cursor.ErrorAt(cursor.Position - 2, "the brackets are empty; write the element type between them.");
        if (cursor.TryTake('['))
            return true;
        close = '>';
        return cursor.TryTake('<');
    }

    private static string Arity(FieldTypeKind kind, string name) => kind switch
    {
        FieldTypeKind.Dictionary => "two types, key and value",
        FieldTypeKind.Tuple => "at least one type",
        _ when name == "Union" => "at least one type",
        _ => "exactly one type",
    };

    private string Known()
    {
        const string BuiltIn = "Known: str, int, float, decimal, bool, bytes, date, datetime, time, timedelta, guid, uri, Any, list[T], set[T], "
            + "tuple[T, ...], dict[K, V], Optional[T], A | B, Literal['a', 1], Image, Audio, Attachment, Document, Reasoning, Code['java'], "
            + "Citations, Tool, ToolCalls, ToolResults, History";
        var own = string.Join(", ", registry.Names);
        return own.Length == 0 ? $"{BuiltIn}; pass .NET types to Signature.Parse to use them by name." : $"{BuiltIn}, {own}.";
    }
}
