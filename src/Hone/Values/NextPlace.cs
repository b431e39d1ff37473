namespace Hone;

/// <summary>The next occurrence of a pattern behind a position that only moves forward.</summary>
internal struct NextPlace(string pattern)
{
    private int searchedFrom = -1;

    /// <summary>Where the pattern occurs next; the text's length when it does not.</summary>
    public int Index { get; private set; }

    /// <summary>Moves on to the first occurrence at or behind an index, and tells how many characters had to be looked at.</summary>
    public int MoveTo(string text, int index)
    {
        if (searchedFrom >= 0 && index >= searchedFrom && index <= Index)
            return 1;
        searchedFrom = index;
        var found = text.IndexOf(pattern, index, StringComparison.Ordinal);
        Index = found < 0 ? text.Length : found;
        return Index - index + 1;
    }
}
