using System.Collections.Immutable;
using System.Text;

namespace Hone;

/// <summary>
/// Values as nested XML and back: members of objects are tags, items of lists <c>&lt;item&gt;</c>, keys that are no names
/// <c>&lt;entry key="…"&gt;</c>. What has several possible types is written as JSON inside its tag, so that reading gives the same value.
/// </summary>
internal static class XmlValues
{
    private const string Item = "item";
    private const string Entry = "entry";

    /// <summary>True for types that are written as nested tags instead of one text.</summary>
    public static bool IsNested(FieldType type) => Inner(type).Kind
        is FieldTypeKind.Object or FieldTypeKind.List or FieldTypeKind.Set or FieldTypeKind.Tuple or FieldTypeKind.Dictionary;

    public static string Escape(string text) => text.AsSpan().IndexOfAny('&', '<') < 0 ? text
        : text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);

    /// <summary>The content of a field's tag.</summary>
    public static string Write(object? value, FieldType type)
    {
        if (type.AdmitsNull && IsEmpty(value))
            return JsonText.Write(value);
        var text = new StringBuilder();
        WriteContent(text, value, Inner(type), 0);
        return text.ToString();
    }

    /// <summary>What nested tags a type asks for, values left open: <c>&lt;item&gt;...&lt;/item&gt;</c>.</summary>
    public static string Skeleton(FieldType type) => Skeleton(Inner(type), []);

    /// <summary>A raw value for coercion: maps, lists and texts.</summary>
    public static object? Read(XmlElementText element, FieldType type) => Read([element], type);

    /// <summary>As <see cref="Read(XmlElementText, FieldType)"/>, for tags that may be repeated: then each is an item.</summary>
    public static object? Read(IReadOnlyList<XmlElementText> elements, FieldType type)
    {
        var inner = Inner(type);
        if (elements.Count > 1 && inner.Kind is FieldTypeKind.List or FieldTypeKind.Set && !AreWhole(elements, inner))
            return elements.Select(each => Read(each, inner.Arguments[0])).ToImmutableArray();
        var element = elements[0];
        if (!IsNested(inner))
            return ReadLeaf(element, type, inner);
        var text = Text(element.Content);
        if (element.IsEmpty || text.Length == 0)
            return type.AdmitsNull ? null : inner.Kind is FieldTypeKind.Object or FieldTypeKind.Dictionary ? FieldMap.Empty : ImmutableArray<object?>.Empty;
        var children = text[0] == '<' ? new XmlScanner(text).Elements() : [];
        if (children.Count > 0)
            return ReadChildren(children, element.Content, inner);
        var value = ReadJson(XmlScanner.Unescape(text));

        // A list of one that forgot its item tags.
        return inner.Kind is FieldTypeKind.List or FieldTypeKind.Set && value is not (null or ImmutableArray<object?>)
            ? ImmutableArray.Create(Read(element, inner.Arguments[0]))
            : value;
    }

    /// <summary>The text between tags: blanks around it belong to the layout, unless they are packed as plain data.</summary>
    public static string Text(string content)
    {
        var trimmed = content.AsSpan().Trim().ToString();
        return trimmed.Contains('\r', StringComparison.Ordinal)
            ? trimmed.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n')
            : trimmed;
    }

    // Lists and objects may be written as JSON instead of tags.
    private static object? ReadJson(string text) => JsonRepair.Parse(text) is { Found: true, Value: var value } ? value : text;

    // Where several types are possible, the text is JSON, or tags of one of the types.
    private static object? ReadLeaf(XmlElementText element, FieldType type, FieldType inner)
    {
        if (IsNull(element, type))
            return null;
        var ignored = default(CoercionFailure);
        if (TryAlternative(element, type, out var nested))
            return nested;
        var text = XmlScanner.Unescape(Text(element.Content));
        return inner.Kind is FieldTypeKind.Union or FieldTypeKind.Any && ValueCoercer.TryCoerce(text, type, out var value, ref ignored) ? value
            : text == "null" && type.AdmitsNull && inner.Kind != FieldTypeKind.String ? null
            : text;
    }

    /// <summary>True for an element without content where null is allowed; <c>&lt;a&gt;&lt;/a&gt;</c> is empty text where that is a value, too.</summary>
    public static bool IsNull(XmlElementText element, FieldType type) => type.AdmitsNull && (element.IsEmpty
        || (element.Content.AsSpan().Trim().IsEmpty
            && Inner(type).Kind is not (FieldTypeKind.String or FieldTypeKind.Bytes or FieldTypeKind.Reasoning or FieldTypeKind.Code or FieldTypeKind.Custom)));

    /// <summary>Reads tags of one of several types, as in <c>&lt;item&gt;1&lt;/item&gt;</c> for <c>int | list[int]</c>.</summary>
    public static bool TryAlternative(XmlElementText element, FieldType type, out object? value)
    {
        value = null;
        if (type.Kind != FieldTypeKind.Union || !element.Content.AsSpan().TrimStart().StartsWith("<") || new XmlScanner(element.Content).Elements().Count == 0)
            return false;
        foreach (var alternative in type.Arguments.Where(IsNested))
        {
            var ignored = default(CoercionFailure);
            if (ValueCoercer.TryCoerce(Read(element, alternative), alternative, out value, ref ignored))
                return true;
        }

        return false;
    }

    // Repeated tags that each hold items are one list given several times, e.g. a draft and the answer.
    private static bool AreWhole(IReadOnlyList<XmlElementText> elements, FieldType type) =>
        !IsNested(type.Arguments[0]) && elements.All(element => new XmlScanner(element.Content).Elements() is { Count: > 0 } children && children.TrueForAll(child => child.Name == Item));

    private static object? ReadChildren(List<XmlElementText> children, string content, FieldType type) => type.Kind switch
    {
        FieldTypeKind.Object => FieldMap.Create(children.GroupBy(NameOf, StringComparer.Ordinal).Select(group => KeyValuePair.Create(
            group.Key,
            Read([.. group], type.Properties.FirstOrDefault(property => property.Name == group.Key)?.Type ?? FieldType.Any)))),
        FieldTypeKind.Dictionary => FieldMap.Create(children.GroupBy(NameOf, StringComparer.Ordinal).Select(group =>
            KeyValuePair.Create(group.Key, Read([.. group], type.Arguments[1])))),
        FieldTypeKind.Tuple when children.TrueForAll(child => child.Name == Item) =>
            children.Select((child, index) => Read(child, index < type.Arguments.Length ? type.Arguments[index] : FieldType.Any)).ToImmutableArray(),
        FieldTypeKind.List or FieldTypeKind.Set when children.TrueForAll(child => child.Name == Item) =>
            children.Select(child => Read(child, type.Arguments[0])).ToImmutableArray(),
        FieldTypeKind.List or FieldTypeKind.Set => ImmutableArray.Create(Read(new XmlElementText(Item, null, content, IsEmpty: false), type.Arguments[0])),
        _ => content,
    };

    private static void WriteContent(StringBuilder text, object? value, FieldType type, int depth)
    {
        switch (value)
        {
            case ImmutableArray<object?> list when type.Kind is FieldTypeKind.List or FieldTypeKind.Set or FieldTypeKind.Tuple:
                for (var i = 0; i < list.Length; i++)
                    WriteElement(text, Item, null, list[i], type.Arguments[Math.Min(i, type.Arguments.Length - 1)], depth);
                break;
            case FieldMap map when type.Kind == FieldTypeKind.Object:
                foreach (var (name, item) in map)
                    WriteElement(text, name, IsName(name) ? null : name, item, type.Properties.FirstOrDefault(property => property.Name == name)?.Type ?? FieldType.Any, depth);
                break;
            case FieldMap map when type.Kind == FieldTypeKind.Dictionary:
                foreach (var (name, item) in map)
                    WriteElement(text, name, IsName(name) && name is not (Entry or Item) ? null : name, item, type.Arguments[1], depth);
                break;
            default:
                text.Append(Leaf(value, type));
                break;
        }
    }

    // key: the name when it cannot be a tag.
    private static void WriteElement(StringBuilder text, string name, string? key, object? value, FieldType type, int depth)
    {
        name = key is null ? name : Entry;
        text.Append(' ', 2 * depth).Append(key is null ? $"<{name}>" : KeyTag(key)).Length--;
        var inner = Inner(type);
        if (value is null || IsEmpty(value))
        {
            // What may be null is told from what is empty by the word.
            text.Append(value is null && inner.Kind is not FieldTypeKind.String && type.AdmitsNull ? $">null</{name}>\n"
                : value is not null && type.AdmitsNull ? $">{JsonText.Write(value)}</{name}>\n" : "/>\n");
            return;
        }

        text.Append('>');
        if (IsNested(inner))
            text.Append('\n');
        WriteContent(text, value, inner, depth + 1);
        text.Append(' ', IsNested(inner) ? 2 * depth : 0).Append("</").Append(name).Append(">\n");
    }

    private static string Leaf(object? value, FieldType type) => type.Kind switch
    {
        FieldTypeKind.String when value is string plain => PlainText(plain),
        FieldTypeKind.Union or FieldTypeKind.Any => Escape(JsonText.Write(value)),
        _ => PlainText(ValueFormatter.Format(value, type)),
    };

    // Blanks at the ends and carriage returns would be lost as layout.
    private static string PlainText(string text)
    {
        var hasEnds = text.AsSpan().Trim().Length != text.Length;
        if (text.Contains('\r', StringComparison.Ordinal))
        {
            var escaped = Escape(text).Replace("\r", "&#13;", StringComparison.Ordinal);
            return !hasEnds ? escaped : $"{Entity(escaped[0])}{escaped[1..^1]}{(escaped.Length > 1 ? Entity(escaped[^1]) : string.Empty)}";
        }

        return hasEnds
            ? $"{XmlScanner.DataStart}{text.Replace(XmlScanner.DataEnd, $"]]{XmlScanner.DataEnd}{XmlScanner.DataStart}>", StringComparison.Ordinal)}{XmlScanner.DataEnd}"
            : Escape(text);
    }

    private static string Entity(char c) => char.IsWhiteSpace(c) ? $"&#{(int)c};" : c.ToString();

    private static string Skeleton(FieldType type, ImmutableHashSet<string> path)
    {
        string Tag(string name, FieldType of) => $"<{name}>{Skeleton(Inner(of), path.Add(type.Name ?? string.Empty))}</{name}>";

        if (type.Name is not null && type.Kind == FieldTypeKind.Object && path.Contains(type.Name))
            return "...";
        return type.Kind switch
        {
            FieldTypeKind.List or FieldTypeKind.Set => Tag(Item, type.Arguments[0]),
            FieldTypeKind.Tuple => string.Concat(type.Arguments.Select(item => Tag(Item, item))),
            FieldTypeKind.Dictionary => $"{KeyTag("...")}{Skeleton(Inner(type.Arguments[1]), path)}</{Entry}>",
            FieldTypeKind.Object => string.Concat(type.Properties.Select(property => IsName(property.Name) ? Tag(property.Name, property.Type)
                : $"{KeyTag(property.Name)}{Skeleton(Inner(property.Type), path.Add(type.Name ?? string.Empty))}</{Entry}>")),
            _ => "...",
        };
    }

    private static bool IsEmpty(object? value) => value is FieldMap { Count: 0 } or ImmutableArray<object?> { Length: 0 };

    private static string KeyTag(string key) =>
        $"<{Entry} key=\"{Escape(key).Replace("\"", "&quot;", StringComparison.Ordinal).Replace("\r", "&#13;", StringComparison.Ordinal)}\">";

    private static string NameOf(XmlElementText element) => element.Name == Entry && element.Key is not null ? element.Key : element.Name;

    private static FieldType Inner(FieldType type) => TypeHints.OptionalOf(type) ?? type;

    private static bool IsName(string key) => key.Length > 0 && (char.IsLetter(key[0]) || key[0] == '_')
        && key.All(c => char.IsLetterOrDigit(c) || c is '_' or '-' or '.');
}
