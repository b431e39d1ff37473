using System;
using System.Text;
using Microsoft.CodeAnalysis.CSharp;

namespace Hone.Generators;

/// <summary>How C# names become field names and paths. Snake case is that of Hone.NamingRules (a test compares the two).</summary>
internal static class NameRules
{
    /// <summary>The only output, when the method's name does not say what it returns.</summary>
    public const string DefaultOutput = "answer";

    /// <summary><c>KeyFacts</c> gives <c>key_facts</c>, <c>HTTPServer2</c> gives <c>http_server2</c>.</summary>
    public static string ToSnakeCase(string name)
    {
        var text = new StringBuilder(name.Length + 4);
        for (var i = 0; i < name.Length; i++)
        {
            if (char.IsUpper(name[i]) && i > 0 && name[i - 1] != '_' && StartsWord(name, i))
                text.Append('_');
            text.Append(char.ToLowerInvariant(name[i]));
        }

        return text.ToString();
    }

    /// <summary>The path of a predictor method: its name in snake case without Async.</summary>
    public static string PathOf(string method) => ToSnakeCase(Core(method));

    /// <summary>The output's name that a method's path suggests: <c>generate_query</c> gives <c>query</c>.</summary>
    public static string OutputOf(string path)
    {
        var words = path.Trim('_').Split(['_'], 2);
        return words.Length == 2 && words[1].Length > 0 && !char.IsDigit(words[1][0]) ? words[1] : DefaultOutput;
    }

    /// <summary>A property name whose snake case is the field's name: <c>new_notes</c> gives <c>NewNotes</c>.</summary>
    public static string PropertyOf(string field)
    {
        var text = new StringBuilder(field.Length);
        foreach (var word in field.Split('_'))
            text.Append(Capitalize(word));
        var pascal = text.ToString();
        return ToSnakeCase(pascal) == field ? pascal : Capitalize(field);
    }

    /// <summary>The name of the predictor's field: <c>GenerateQueryAsync</c> gives <c>_generateQuery</c>.</summary>
    public static string FieldOf(string method)
    {
        var name = Core(method);
        return $"_{char.ToLowerInvariant(name[0])}{name.Substring(1)}";
    }

    /// <summary>The first part of the names of generated types.</summary>
    public static string TypePrefixOf(string method) => Capitalize(Core(method));

    public static string Capitalize(string word) => word.Length == 0 ? word : $"{char.ToUpperInvariant(word[0])}{word.Substring(1)}";

    /// <summary>The name as code: keywords get their @.</summary>
    public static string Escape(string name) =>
        SyntaxFacts.GetKeywordKind(name) != SyntaxKind.None || name == "await" ? "@" + name : name;

    // Without leading underscores and Async; whatever is left of a name like Async or __ is kept.
    private static string Core(string method)
    {
        var name = method.TrimStart('_');
        if (name.EndsWith("Async", StringComparison.Ordinal) && name.Length > 5)
            name = name.Substring(0, name.Length - 5);
        return name.Length == 0 ? method : name;
    }

    // An upper-case letter starts a word after a lower-case letter or digit, and as the last capital of an acronym: HTTPServer -> HTTP Server.
    private static bool StartsWord(string name, int index) =>
        !char.IsUpper(name[index - 1]) || (index + 1 < name.Length && char.IsLower(name[index + 1]));
}
