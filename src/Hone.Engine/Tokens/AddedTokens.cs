using System.Buffers;

namespace Hone.Engine;

/// <summary>One entry of tokenizer.json's <c>added_tokens</c>.</summary>
internal sealed record AddedToken(int Id, string Content, bool SingleWord, bool StripLeft, bool StripRight, bool Normalized, bool Special);

/// <summary>Finds added tokens in text: the leftmost first, and the longest of those that start there.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly AddedToken[] _tokens;
    private readonly SearchValues<string>? _contents;

    public AddedTokenMatcher(IEnumerable<AddedToken> tokens)
    {
        _tokens = [.. tokens.Where(token => token.Content.Length > 0).OrderByDescending(token => token.Content.Length)];
        if (_tokens.Length > 0) _contents = SearchValues.Create([.. _tokens.Select(token => token.Content)], StringComparison.Ordinal);
    }

    /// <summary>The next added token at or after a position; its range includes white space that the token takes with it.</summary>
    public bool TryFind(string text, int from, out AddedToken token, out int start, out int end)
    {
        var at = from;
        while (_contents is not null && at < text.Length)
        {
            var offset = text.AsSpan(at).IndexOfAny(_contents);
            if (offset < 0) break;
            start = at + offset;
            token = Array.Find(_tokens, candidate => StartsAt(text, at + offset, candidate.Content))!;
            end = start + token.Content.Length;
            at = end;
            if (token.SingleWord && (IsWordAt(text, start - 1) || IsWordAt(text, end))) continue;
            if (token.StripLeft)
                while (start > from && char.IsWhiteSpace(text[start - 1])) start--;
            if (token.StripRight)
                while (end < text.Length && char.IsWhiteSpace(text[end])) end++;
            return true;
        }
        (token, start, end) = (null!, -1, -1);
        return false;
    }

    private static bool StartsAt(string text, int start, string content) => text.AsSpan(start).StartsWith(content, StringComparison.Ordinal);

    private static bool IsWordAt(string text, int index) =>
        index >= 0 && index < text.Length && (char.IsLetterOrDigit(text[index]) || text[index] == '_');
}
