using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>The citations that a provider attached to its text, as canonical values.</summary>
internal static class CitationReader
{
    public static ImmutableArray<object?> Read(ChatResponse response) =>
    [
        .. response.Messages.SelectMany(message => message.Contents)
            .SelectMany(content => (content.Annotations ?? []).OfType<CitationAnnotation>().Select(citation => Describe(citation, content))),
    ];

    // The annotated region lies in the answer, not in the document: where the passage stands in its document is not told.
    private static object? Describe(CitationAnnotation citation, AIContent cited)
    {
        var span = citation.AnnotatedRegions?.OfType<TextSpanAnnotatedRegion>().FirstOrDefault();
        return ToolValues.Of(new Citation(citation.Snippet ?? string.Empty)
        {
            DocumentTitle = citation.Title ?? citation.Url?.OriginalString,
            SupportedText = (cited as TextContent)?.Text is { } text ? Part(text, span) : null,
        });
    }

    private static string Part(string text, TextSpanAnnotatedRegion? span)
    {
        var start = Math.Clamp(span?.StartIndex ?? 0, 0, text.Length);
        return text[start..Math.Clamp(span?.EndIndex ?? text.Length, start, text.Length)];
    }
}
