using System.Text.Json;

namespace Hone;

/// <summary>Values on their way into code and out of it: JSON. For those who write an interpreter.</summary>
public static class CodeValues
{
    /// <summary>A value as JSON: whatever may be a field of a signature.</summary>
    /// <exception cref="HoneException">The value cannot be written.</exception>
    public static string ToJson(object? value) => JsonText.Write(ClrValues.ToCanonical(value));

    /// <summary>The variables as one JSON object.</summary>
    /// <exception cref="HoneException">A name is none, or a value cannot be written.</exception>
    public static string ToJson(IReadOnlyDictionary<string, object?>? variables)
    {
        if (variables is null || variables.Count == 0)
            return "{}";
        foreach (var name in variables.Keys)
            CheckName(name, "The variable");
        return JsonText.Write(FieldMap.Create(variables.Select(entry => KeyValuePair.Create(entry.Key, ClrValues.ToCanonical(entry.Value)))));
    }

    /// <summary>The canonical value of JSON.</summary>
    public static object? FromJson(JsonElement json) => JsonValues.FromElement(json);

    /// <summary>The canonical value of a JSON text; null for an empty one.</summary>
    /// <exception cref="JsonException">The text is not JSON.</exception>
    public static object? FromJson(string? json)
    {
        if (string.IsNullOrEmpty(json))
            return null;
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 256 });
        return JsonValues.FromElement(document.RootElement);
    }

    /// <summary>Refuses what cannot be a name in every language: ASCII letters, digits and <c>_</c>, not beginning with a digit or <c>__</c>.</summary>
    /// <param name="name">The name.</param>
    /// <param name="what">Whose name it is, as the error begins: <c>The tool</c>.</param>
    /// <exception cref="HoneException">It is none.</exception>
    public static void CheckName(string name, string what)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!IsName(name))
            throw new HoneException(
                $"{what} '{name}' has a name that code cannot use. Names are letters, digits and '_', and do not begin with a digit or '__'.");
        if (IsReserved(name))
            throw new HoneException($"{what} '{name}' has a name that means something else in code. Give it another one.");
    }

    internal static bool IsName(string name) => name.Length > 0 && !char.IsAsciiDigit(name[0]) && !name.StartsWith("__", StringComparison.Ordinal)
        && name.All(character => char.IsAsciiLetterOrDigit(character) || character == '_');

    internal static bool IsReserved(string name) => Reserved.Contains(name);

    // Words of Python and of JavaScript, and what interpreters put there themselves.
    private static readonly HashSet<string> Reserved = new(
        ("False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or "
        + "pass raise return try while with yield case catch const debugger default delete do enum export extends false function implements instanceof interface "
        + "let new null package private protected public static super switch this throw true typeof undefined var void eval arguments print console globalThis "
        + CodeSessionOptions.SubmitFunction).Split(' '),
        StringComparer.Ordinal);
}
