using System.Collections.Immutable;
using System.Text.Json;

namespace Hone;

/// <summary>Finds the JSON object that is the answer in a completion.</summary>
internal static class JsonAnswer
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 128 };

    /// <summary>The object; null when there is none.</summary>
    /// <param name="signature">Whose outputs it should hold: of several objects the one with most of them is taken, of equal ones the last.</param>
    /// <param name="completion">The whole answer.</param>
    /// <param name="mayRepair">True to take JSON that is not quite JSON, in fences, or with text around it.</param>
    /// <param name="isRepaired">True when that was necessary.</param>
    public static FieldMap? Find(Signature signature, string completion, bool mayRepair, out bool isRepaired)
    {
        isRepaired = false;
        var start = ChatSections.SkipThinking(completion);
        var answer = start == 0 ? completion : completion[start..];
        if (ReadStrictly(answer) is { } map)
            return map;
        if (!mayRepair)
            return null;
        isRepaired = true;
        return Choose(signature, JsonRepair.Parse(answer).Value, mayBeText: true);
    }

    private static FieldMap? Choose(Signature signature, object? read, bool mayBeText) => read switch
    {
        FieldMap single => single,
        ImmutableArray<object?> several => several.OfType<FieldMap>().Reverse().MaxBy(each => signature.Outputs.Count(field => each.ContainsKey(field.Name))),

        // An object written as JSON text once more.
        string text when mayBeText && text.AsSpan().TrimStart().StartsWith("{") => Choose(signature, JsonRepair.Parse(text).Value, mayBeText: false),
        _ => null,
    };

    private static FieldMap? ReadStrictly(string text)
    {
        var trimmed = text.AsMemory().Trim();
        if (trimmed.Length < 2 || trimmed.Span[0] != '{' || trimmed.Span[^1] != '}')
            return null;
        try
        {
            using var document = JsonDocument.Parse(trimmed, Strict);
            return (FieldMap?)JsonValues.FromElement(document.RootElement);
        }
        catch (Exception error) when (error is JsonException or ArgumentException or InvalidOperationException)
        {
            // Not quite JSON, or half of a character that takes two: the lenient reader has its turn.
            return null;
        }
    }
}
