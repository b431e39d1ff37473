using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>A citation as the cache keeps it, with the places in the answer that it supports.</summary>
internal sealed record CachedAnnotation(string? Title, string? Url, string? FileId, string? Tool, string? Snippet)
{
    /// <summary>True for an annotation that names no source.</summary>
    public bool IsPlain { get; init; }

    /// <summary>Start and end, exclusive, of each place; null where there is no list of places, not even an empty one.</summary>
    public (int? Start, int? End)[]? Regions { get; init; }

    public KeyValuePair<string, object?>[] Properties { get; init; } = [];

    /// <summary>The annotations of a part; null when one is of a kind that cannot be kept, so that an answer is kept whole or not at all.</summary>
    public static CachedAnnotation[]? Capture(IList<AIAnnotation>? annotations)
    {
        if (annotations is null or { Count: 0 })
            return [];
        var kept = new CachedAnnotation[annotations.Count];
        for (var i = 0; i < kept.Length; i++)
        {
            if (Capture(annotations[i]) is not { } one)
                return null;
            kept[i] = one;
        }

        return kept;
    }

    public AIAnnotation ToAnnotation()
    {
        var annotation = IsPlain ? new AIAnnotation() : new CitationAnnotation
        {
            Title = Title,
            Url = Url is null ? null : new(Url, UriKind.RelativeOrAbsolute),
            FileId = FileId,
            ToolName = Tool,
            Snippet = Snippet,
        };
        if (Regions is not null)
            annotation.AnnotatedRegions = [.. Regions.Select(region => new TextSpanAnnotatedRegion { StartIndex = region.Start, EndIndex = region.End })];
        if (Properties.Length > 0)
            annotation.AdditionalProperties = new(Properties);
        return annotation;
    }

    private static CachedAnnotation? Capture(AIAnnotation annotation)
    {
        if (annotation.AnnotatedRegions?.All(region => region is TextSpanAnnotatedRegion) == false)
            return null;
        var regions = annotation.AnnotatedRegions?.Cast<TextSpanAnnotatedRegion>().Select(region => (region.StartIndex, region.EndIndex)).ToArray();
        var properties = CachedContent.Freeze(annotation.AdditionalProperties);
        return annotation switch
        {
            CitationAnnotation citation => new(citation.Title, citation.Url?.OriginalString, citation.FileId, citation.ToolName, citation.Snippet)
            {
                Regions = regions,
                Properties = properties,
            },
            _ when annotation.GetType() == typeof(AIAnnotation) => new(null, null, null, null, null) { IsPlain = true, Regions = regions, Properties = properties },
            _ => null,
        };
    }
}
