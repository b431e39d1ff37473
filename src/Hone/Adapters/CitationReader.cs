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

    private static object? Describe(CitationAnnotation citation, AIContent cited)
    {
        var span = citation.AnnotatedRegions?.OfType<TextSpanAnnotatedRegion>().FirstOrDefault();
        return ToolValues.Of(new Citation(citation.Snippet ?? string.Empty, 0, span?.StartIndex ?? 0, span?.EndIndex ?? 0)
        {
            DocumentTitle = citation.Title ?? citation.Url?.OriginalString,
            SupportedText = (cited as TextContent)?.Text,
        });
    }
}
