namespace Hone;

/// <summary>Markdown around a single value.</summary>
internal static class Markup
{
    /// <summary>The text inside a code fence, backticks, or bold or italic marks; false when there is nothing to take off.</summary>
    public static bool TryUnwrap(string text, out string inner)
    {
        var span = text.AsSpan().Trim();
        var length = span.Length;
        if (span.StartsWith("```") && span.EndsWith("```") && span.Length > 6)
        {
            span = span[3..^3];
            var lineEnd = span.IndexOf('\n');
            if (lineEnd >= 0 && span[..lineEnd].IndexOfAny(" {[(\"'") < 0)
                span = span[(lineEnd + 1)..];
            span = span.Trim();
        }

        foreach (var mark in (ReadOnlySpan<string>)["**", "__", "*", "`"])
        {
            if (span.Length > 2 * mark.Length && span.StartsWith(mark) && span.EndsWith(mark))
                span = span[mark.Length..^mark.Length].Trim();
        }

        inner = span.ToString();
        return span.Length != length;
    }
}
