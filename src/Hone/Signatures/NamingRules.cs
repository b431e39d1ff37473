using System.Text;

namespace Hone;

/// <summary>How .NET names become field names, and field names become readable labels.</summary>
internal static class NamingRules
{
    /// <summary>The field name of a .NET member: <c>KeyFacts</c> gives <c>key_facts</c>, <c>HTTPServer2</c> gives <c>http_server2</c>.</summary>
    public static string ToSnakeCase(string name)
    {
        name = Unmangle(name);
        var text = new StringBuilder(name.Length + 4);
        for (var i = 0; i < name.Length; i++)
        {
            var current = name[i];
            if (char.IsUpper(current) && i > 0 && name[i - 1] != '_' && StartsWord(name, i))
                text.Append('_');
            text.Append(char.ToLowerInvariant(current));
        }

        return text.ToString();
    }

    /// <summary>A readable label without the colon: <c>modelT45Enhanced</c> gives <c>Model T 45 Enhanced</c>.</summary>
    public static string Label(string name)
    {
        var label = new StringBuilder(name.Length + 8);
        var start = 0;
        for (var i = 1; i <= name.Length; i++)
        {
            if (i < name.Length && !IsLabelBreak(name, i))
                continue;
            AppendWord(label, name.AsSpan(start, i - start).Trim('_'));
            start = i;
        }

        return label.ToString();
    }

    /// <summary>True for letters, digits and underscores that do not start with a digit.</summary>
    public static bool IsIdentifier(string name)
    {
        if (name.Length == 0 || !(char.IsLetter(name[0]) || name[0] == '_'))
            return false;
        foreach (var c in name)
        {
            if (!char.IsLetterOrDigit(c) && c != '_')
                return false;
        }

        return true;
    }

    /// <summary>The name of a .NET type in prompts and signature strings: <c>Pair&lt;int, string&gt;</c> gives <c>PairOfInt32AndString</c>.</summary>
    public static string TypeName(Type type)
    {
        if (type.IsArray)
            return TypeName(type.GetElementType()!) + "Array";
        if (!type.IsGenericType)
            return type.Name;
        var tick = type.Name.IndexOf('`', StringComparison.Ordinal);
        var name = tick < 0 ? type.Name : type.Name[..tick];
        return $"{name}Of{string.Join("And", type.GetGenericArguments().Select(TypeName))}";
    }

    // A primary-constructor parameter that is captured becomes a field called `<name>P`.
    private static string Unmangle(string name)
    {
        var end = name.Length > 2 && name[0] == '<' ? name.IndexOf('>', StringComparison.Ordinal) : -1;
        return end > 1 ? name[1..end] : name;
    }

    // An upper-case letter starts a word after a lower-case letter or digit, and as the last capital of an acronym: HTTPServer -> HTTP Server.
    private static bool StartsWord(string name, int index) =>
        !char.IsUpper(name[index - 1]) || (index + 1 < name.Length && char.IsLower(name[index + 1]));

    private static bool IsLabelBreak(string name, int index)
    {
        var (previous, current) = (name[index - 1], name[index]);
        return previous == '_' || current == '_'
            || char.IsDigit(previous) != char.IsDigit(current)
            || (char.IsUpper(current) && StartsWord(name, index));
    }

    private static void AppendWord(StringBuilder label, ReadOnlySpan<char> word)
    {
        if (word.IsEmpty)
            return;
        if (label.Length > 0)
            label.Append(' ');
        var isAcronym = true;
        foreach (var c in word)
            isAcronym &= !char.IsLower(c);
        if (isAcronym)
        {
            label.Append(word);
            return;
        }

        label.Append(char.ToUpperInvariant(word[0]));
        foreach (var c in word[1..])
            label.Append(char.ToLowerInvariant(c));
    }
}
